"""Arithmetic on the results: medians over rounds, ranges, and ratios within a round."""

__all__ = ["LIMIT", "Results", "Spread", "divide"]

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

LIMIT = "limit: {model} batch="
"""How the names of a model's bare loops begin."""

Round = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range of a value over rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """The spread of some values; None of no values."""
        return cls(statistics.median(values), min(values), max(values)) if values else None

    def text(self, digits: int = 2) -> str:
        """Median and range as text, such as `1.23 [1.20..1.31]`."""
        parts = (f"{value:,.{digits}f}" for value in (self.median, self.low, self.high))
        return "{} [{}..{}]".format(*parts)


def divide(values: Sequence[float], by: Sequence[float]) -> list[float]:
    """Ratios round by round, so that what slowed a whole round does not show; stops where one side ends."""
    return [a / b for a, b in zip(values, by, strict=False)]


class Results:
    """The results of a run: for each case, by its name, one result for each round.

    Methods that read a value return it for each round, and an empty list for a case that was not measured.
    """

    def __init__(self, rounds: dict[str, list[Round]]) -> None:
        self.rounds = rounds

    def values(self, name: str, read: Callable[[Round], float | None]) -> list[float]:
        """Reads a value from each round of a case, leaving out rounds without it."""
        found = (read(one) for one in self.rounds.get(name, ()))
        return [value for value in found if value is not None]

    def rate(self, name: str, group: int = 0) -> list[float]:
        """Requests per second of a group of clients."""
        return self.values(name, lambda one: one["groups"][group]["requests_per_s"])

    def canvas_rate(self, name: str, group: int = 0) -> list[float]:
        """Canvases per second of a group of clients."""
        return self.values(name, lambda one: one["groups"][group]["canvases"] / one["wall_s"])

    def latency(self, name: str, which: str, percent: str, group: int = 0) -> list[float]:
        """Latency of a group of clients in milliseconds.

        Args:
            name: Of the case.
            which: `first_ms`, until the first canvas, or `last_ms`, until the last.
            percent: `p50` or `p99`.
            group: Index of the group.
        """
        return self.values(name, lambda one: one["groups"][group][which][percent])

    def server_ms(self, name: str) -> list[float]:
        """CPU milliseconds of the server for each request."""
        return self._per_request(name, "server_cpu_s")

    def load_ms(self, name: str) -> list[float]:
        """CPU milliseconds of the load generator for each request."""
        return self._per_request(name, "load_cpu_s")

    def _per_request(self, name: str, field: str) -> list[float]:
        def read(one: Round) -> float | None:
            requests = sum(group["requests"] for group in one["groups"])
            return 1000 * one[field] / requests if requests else None

        return self.values(name, read)

    def load_share(self, name: str) -> list[float]:
        """CPU time of the load generator over the time of the window: 1 is a whole CPU."""
        return self.values(name, lambda one: one["load_cpu_s"] / one["wall_s"])

    def resident_mib(self, name: str) -> list[float]:
        """Resident memory of the server at the end of a load, in MiB."""
        return self.values(name, lambda one: one["resident_mib"])

    def failures(self) -> dict[str, dict[str, int]]:
        """Number of requests that failed, by case and by reason."""
        found: dict[str, dict[str, int]] = {}
        for name, rounds in self.rounds.items():
            for group in (g for one in rounds for g in one.get("groups", ())):
                for reason, count in group["failures"].items():
                    reasons = found.setdefault(name, {})
                    reasons[reason] = reasons.get(reason, 0) + count
        return found

    def loops(self, model: str) -> dict[int, str]:
        """Names of a model's bare loops that were measured, by batch."""
        start = LIMIT.format(model=model)
        names = [name for name in self.rounds if name.startswith(start)]
        return dict(sorted((int(name.removeprefix(start)), name) for name in names))

    def loop_rate(self, name: str) -> list[float]:
        """Drawings per second of a bare loop, all processes together."""
        return self.values(name, lambda one: one["drawings_per_s"])

    def loop_ms(self, name: str, part: str) -> list[float]:
        """CPU milliseconds of a bare loop for each drawing: `part` is `graph_ms` or `png_ms`."""
        return self.values(name, lambda one: one[part])

    def limit(self, model: str) -> tuple[int, list[float]]:
        """The batch whose median is best, and its drawings per second in each round; (0, []) if not measured.

        The batch is chosen once: the best of each round would be too good by what rounds differ by chance.
        """
        rates = {batch: self.loop_rate(name) for batch, name in self.loops(model).items()}
        if not rates:
            return 0, []
        best = max(rates, key=lambda batch: statistics.median(rates[batch]))
        return best, rates[best]
