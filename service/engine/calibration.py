"""How many rows a call of a graph should take, from a short measurement of this machine.

What a row costs in a call of so many rows is a curve that differs between machines and between graphs: for
some it is flat from the first row on, for others it falls twentyfold. Two numbers come of it: from how many
rows on a call is efficient, so that it is not worth leaving lanes idle to fill it further; and how many it
may take at most, so that nobody waits long for its end.
"""

__all__ = [
    "QUICK_S",
    "Calibrator",
    "Curve",
    "RowLimits",
    "choose_lanes",
    "choose_limits",
    "processor",
    "quick_rows",
]

import hashlib
import json
import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)

Call = Callable[[int], object]  # calls a graph once, with so many rows
Clock = Callable[[], float]
_Points = list[tuple[float, float]]

QUICK_S = 0.01
"""Seconds up to which a call may keep an event loop from everything else."""

_VERSION = 2  # of what is measured and kept: raise it when that changes
_SIZES = (1, 2, 4, 8, 16, 32, 64)  # rows
_AGAIN_S = 0.015  # of measuring a graph, after which no size is tried again; the zoo has forty
_TRIES = 3
_LANES_S = 0.06  # of measuring each number of lanes
_EFFICIENT = 1.1  # times what a row costs at best: from there on a call is efficient
_TOLERABLE = 1.25  # and up to there it may be filled, as fewer calls save work around them
_CALL_S = 0.05  # the longest call, if a single row takes no longer
_LONG_S = 0.01  # from there on a call is worth making only if its rows become cheaper


@dataclass(frozen=True, slots=True)
class RowLimits:
    """Rows of a call: from how many on it is efficient, and how many it takes at most."""

    efficient: int
    most: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Seconds that a call takes, by its rows, ascending."""

    points: tuple[tuple[int, float], ...]


def choose_limits(curve: Curve, cap: int) -> RowLimits:
    """Chooses the row limits of a graph from its measured curve.

    Args:
        curve: At least one point.
        cap: Rows that a call may take whatever the curve says.
    """
    allowed = [point for point in curve.points if point[0] <= cap] or [curve.points[0]]
    quick = [point for point in allowed if point[1] <= _CALL_S] or allowed[:1]
    best = min(seconds / rows for rows, seconds in quick)
    efficient = min(rows for rows, seconds in quick if seconds / rows <= _EFFICIENT * best)
    most = max(rows for rows, seconds in quick if seconds / rows <= _TOLERABLE * best)
    return RowLimits(efficient=min(efficient, cap), most=min(most, cap))


def quick_rows(curve: Curve) -> int:
    """Rows up to which a call takes `QUICK_S` at most; beyond what was measured a row costs as before."""
    quick = [(rows, seconds) for rows, seconds in curve.points if seconds <= QUICK_S]
    if len(quick) < len(curve.points) or not quick:
        return max((rows for rows, _ in quick), default=0)
    rows, seconds = max(quick)
    return max(rows, int(rows * QUICK_S / max(seconds, 1e-6)))


def choose_lanes(throughput: Mapping[int, float]) -> int:
    """The fewest lanes that reach at least 95 % of the best throughput.

    Args:
        throughput: Rows a second, by the number of lanes.
    """
    best = max(throughput.values())
    return min(lanes for lanes, rows_per_s in throughput.items() if rows_per_s >= 0.95 * best)


class Calibrator:
    """Measures how long graph calls take on this machine, and keeps the results in files.

    Args:
        folder: Where measurements are kept; None keeps none. A folder that cannot be written is no error.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._processor = processor()

    def known(self, graph: str) -> Curve | None:
        """What was measured before, if anything was."""
        points = self._kept(graph)
        return None if points is None else _curve(points)

    def curve(self, graph: str, call: Call, clock: Clock = time.thread_time) -> Curve:
        """Measures calls of a graph at 1 to 64 rows, or returns what was measured before.

        Args:
            graph: What the measurement depends on besides the processor: the graph's hash, the runtime.
            call: Calls the graph once, with so many rows.
            clock: Seconds. By default those that the calling thread has computed, so that a measurement means
                the same on a busy machine; work done elsewhere, on a GPU, wants a clock on the wall.
        """
        points = self._kept(graph)
        if points is None:
            points = [(float(rows), seconds) for rows, seconds in _measure_calls(call, clock)]
            self._keep(graph, points)
        return _curve(points)

    def throughput(
        self, graph: str, cpus: int, rows: int, call: Call, clock: Clock = time.thread_time
    ) -> dict[int, float]:
        """Measures rows a second for one lane, half as many lanes as CPUs, and as many as CPUs.

        Args:
            graph: As for `curve`.
            cpus: CPUs that may be used.
            rows: Rows of each call.
            call: As for `curve`.
            clock: As for `curve`.

        Returns:
            Rows a second of all lanes together, by the number of lanes.
        """
        what = f"{graph} lanes {cpus} rows {rows}"
        kept = self._kept(what)
        if kept is None:
            lanes = sorted({1, max(1, cpus // 2), cpus})
            kept = [(float(count), _measure_lanes(count, rows, call, clock)) for count in lanes]
            self._keep(what, kept)
        return {int(lanes): rows_per_s for lanes, rows_per_s in kept}

    def _path(self, what: str) -> Path | None:
        if self._folder is None:
            return None
        key = hashlib.sha256(f"{_VERSION} {self._processor} {what}".encode()).hexdigest()[:32]
        return self._folder / f"{key}.json"

    def _kept(self, what: str) -> _Points | None:
        path = self._path(what)
        try:
            kept = json.loads(path.read_bytes()) if path is not None else None
            return [(float(count), float(value)) for count, value in kept] if kept else None
        except (OSError, ValueError, TypeError):
            return None  # not there, or not ours: it is measured again

    def _keep(self, what: str, points: _Points) -> None:
        path = self._path(what)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.part")
            partial.write_text(json.dumps(points))
            partial.replace(path)
        except OSError as error:  # a read-only container measures at each start
            _log.debug("measurements cannot be kept in %s: %s", self._folder, error)


def _curve(points: _Points) -> Curve:
    return Curve(tuple((int(rows), seconds) for rows, seconds in points))


def _measure_calls(call: Call, clock: Clock) -> list[tuple[int, float]]:
    """Rows and seconds, the quickest of some calls at each size: all sizes once, then again what is quick.

    No size is left out for want of time, or a slow graph would be held to be one that gains nothing by more
    rows. A graph whose calls take long and gain nothing is found out after two or three of them.
    """
    quickest: dict[int, float] = {}
    spent = 0.0

    def measure(rows: int) -> None:
        nonlocal spent
        started = clock()
        call(rows)
        seconds = clock() - started
        spent += seconds
        quickest[rows] = min(seconds, quickest.get(rows, seconds))

    for rows in _SIZES:
        measure(rows)
        if _is_last(rows, quickest):
            measure(rows)  # as one slow call may be an accident
            if _is_last(rows, quickest):
                break
    for rows in list(quickest) * (_TRIES - 1):
        if spent + quickest[rows] > _AGAIN_S:
            break
        measure(rows)
    return sorted(quickest.items())


def _is_last(rows: int, seconds: Mapping[int, float]) -> bool:
    """Whether calls of more rows are worth nothing: too long, or long without making rows cheaper."""
    if seconds[rows] > _CALL_S:
        return True
    if seconds[rows] < _LONG_S or rows == 1:
        return False
    cheapest = min(taken / smaller for smaller, taken in seconds.items() if smaller < rows)
    return seconds[rows] / rows > cheapest / _EFFICIENT


def _measure_lanes(lanes: int, rows: int, call: Call, clock: Clock) -> float:
    """Rows a second of `lanes` threads together, as if each had a CPU of its own."""
    end = time.perf_counter() + _LANES_S
    found: list[tuple[int, float]] = []  # rows and seconds of each thread

    def work() -> None:
        done, started = 0, clock()
        while time.perf_counter() < end:
            call(rows)
            done += rows
        found.append((done, clock() - started))

    threads = [threading.Thread(target=work) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done / max(seconds, 1e-9) for done, seconds in found)


def processor() -> str:
    """The processor's name: what is measured or computed on one kind is not that of another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
