"""The time window in which a load is measured, and what is counted in it.

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
"""Seconds that answers may take after the close."""


class Times(NamedTuple):
    """The times of one answered request, in seconds of `time.perf_counter`."""

    began: float
    first: float  # when its first canvas was there
    ended: float


class Tally:
    """The answered requests and failures of a group of clients; a client whose request fails stops."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.times: list[Times] = []
        self.failures: Counter[str] = Counter()

    def summary(self, opened: float, closed: float) -> dict[str, Any]:
        """Requests, requests per second and latencies in milliseconds, of the part that lies in the window.

        Args:
            opened: When the window opened, on the clock of `Times`.
            closed: When it closed.

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
    """The time of one measurement. It starts when it is made; `over` tells the clients when to stop.

    Args:
        warm_s: Seconds before it opens.
        seconds: Seconds that it is open.
        pids: Processes of the server, whose CPU time is taken.
        max_requests: After so many requests it closes earlier.
    """

    def __init__(self, *, warm_s: float, seconds: float, pids: Sequence[int], max_requests: int) -> None:
        self._warm_s, self._seconds, self._pids = warm_s, seconds, pids
        self._left = max_requests
        self._inside = 0  # requests under way that began before the close
        self._closed_at = math.inf
        self._full, self._answered = asyncio.Event(), asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether it is closed and every request that began before is answered: clients may stop."""
        return self._inside == 0 and self._closed_at < math.inf

    def begin(self) -> float:
        """A client calls it when it sends a request; returns the time."""
        self._inside += self._closed_at == math.inf
        return time.perf_counter()

    def end(self, tally: Tally, began: float, first: float) -> None:
        """A client calls it when a request has its answer.

        Args:
            tally: Of the client's group.
            began: What `begin` returned.
            first: When the first canvas was there, on the same clock.
        """
        tally.times.append(Times(began, first, time.perf_counter()))
        self._finish(began)

    def fail(self, tally: Tally, began: float, reason: str) -> None:
        """A client calls it when a request has failed, with what `begin` returned and the reason."""
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
        """Waits until the window is over, and returns what was seen in it.

        Returns:
            `wall_s`, CPU seconds of server and load, `resident_mib` of the server, and each tally's summary.

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
    """The smallest value that at least `percent` per cent of the values do not exceed; None of no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def _latencies(seconds: Sequence[float]) -> dict[str, float | None]:
    milliseconds = [1000 * value for value in seconds]
    return {"p50": percentile(milliseconds, 50), "p99": percentile(milliseconds, 99)}
