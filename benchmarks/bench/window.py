"""The time in which a load is measured, and what is seen in it.

A closed loop: each client asks again as soon as it has its answer. The window opens when the clients have
warmed up, and closes some seconds later; the load goes on until every request that began before the close has
its answer, so that the last ones do not run on a machine that becomes idle. A request counts by its part that
lies in the window: whole requests would make a rate jump by a batch.
"""

__all__ = ["PATIENCE_S", "Tally", "Window", "percentile"]

import asyncio
import gc
import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.bench.asks import Group
from benchmarks.bench.procs import cpu_seconds, resident_mib

PATIENCE_S = 120.0
"""How long answers may take after the close."""


class Times(NamedTuple):
    """One answered request, on the clock `time.perf_counter`."""

    began: float
    first: float  # when its first canvas was there
    ended: float


class Tally:
    """What a group of clients saw; a client whose request fails stops, and the failure is counted."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.times: list[Times] = []
        self.failures: Counter[str] = Counter()

    def summary(self, opened: float, closed: float) -> dict[str, Any]:
        """Requests per second and latencies in milliseconds of what lies in the window.

        Raises:
            RuntimeError: Nothing was answered, and nothing failed: the load itself is at fault.
        """
        if not self.times and not self.failures:
            raise RuntimeError(f"no request for {self.group.ask} came to an end")
        inside = [t for t in self.times if t.ended > opened and t.began < closed]
        weight = sum((min(t.ended, closed) - max(t.began, opened)) / (t.ended - t.began) for t in inside)
        return {
            "requests": weight,
            "canvases": weight * self.group.ask.canvases,
            "requests_per_s": weight / (closed - opened),
            "first_ms": _latencies([t.first - t.began for t in inside]),
            "last_ms": _latencies([t.ended - t.began for t in inside]),
            "failures": dict(self.failures),
        }


class Window:
    """Runs from its making; `over` tells the clients when to stop.

    Args:
        warm_s: Seconds before it opens.
        seconds: Seconds that it is open.
        pids: Processes of the server, whose CPU time is taken.
        max_requests: Closes it earlier.
    """

    def __init__(self, *, warm_s: float, seconds: float, pids: Sequence[int], max_requests: int) -> None:
        self._warm_s, self._seconds, self._pids = warm_s, seconds, pids
        self._left = max_requests
        self._inside = 0  # requests under way that began before the close
        self._closed_at = math.inf
        self._full, self._answered = asyncio.Event(), asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether no further request is needed."""
        return self._inside == 0 and self._closed_at < math.inf

    def begin(self) -> float:
        """A request is being sent: the time."""
        self._inside += self._closed_at == math.inf
        return time.perf_counter()

    def end(self, tally: Tally, began: float, first: float) -> None:
        """It has its answer, whose first canvas was there at `first`."""
        tally.times.append(Times(began, first, time.perf_counter()))
        self._finish(began)

    def fail(self, tally: Tally, began: float, reason: str) -> None:
        """It has failed."""
        tally.failures[reason] += 1
        self._finish(began)

    def _finish(self, began: float) -> None:
        self._left -= 1
        if self._left == 0:
            self._full.set()
        if began < self._closed_at:
            self._inside -= 1
        if self.over:
            self._answered.set()

    async def measure(self, tallies: Sequence[Tally]) -> dict[str, Any]:
        """Lets the time pass, and returns what was seen.

        Raises:
            TimeoutError: Requests are still under way long after the close.
        """
        gc.disable()  # the load is a neighbour of what it measures
        try:
            await asyncio.sleep(self._warm_s)
            opened, cpu, own = time.perf_counter(), cpu_seconds(self._pids), time.process_time()
            try:
                await asyncio.wait_for(self._full.wait(), self._seconds)
            except TimeoutError:
                pass  # as a rule: the time was over first
            self._closed_at = closed = time.perf_counter()
            cpu, own = cpu_seconds(self._pids) - cpu, time.process_time() - own
            resident = resident_mib(self._pids)
            if not self.over:
                await asyncio.wait_for(self._answered.wait(), PATIENCE_S)
        finally:
            gc.enable()
        return {
            "wall_s": closed - opened,
            "server_cpu_s": cpu,
            "load_cpu_s": own,
            "resident_mib": resident,
            "groups": [tally.summary(opened, closed) for tally in tallies],
        }


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that at least so many per cent of the values do not exceed; None of no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def _latencies(seconds: Sequence[float]) -> dict[str, float | None]:
    milliseconds = [1000 * value for value in seconds]
    return {"p50": percentile(milliseconds, 50), "p99": percentile(milliseconds, 99)}
