"""The aims: what is wanted, and whether it was measured; nothing here is a measured number."""

__all__ = ["AIMS", "Aim", "Verdict", "verdicts"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.bench.better import FIRST_P50, FIRST_P99, P50, P99, RATE
from benchmarks.bench.cases import BESIDE, LONG_STEPS, group
from benchmarks.bench.contenders import ROWS
from benchmarks.bench.figures import Results, Spread
from benchmarks.bench.measures import Measured, memory, of_better, of_handler, of_limit, short_beside_long


@dataclass(frozen=True, kw_only=True)
class Aim:
    """A figure, mostly a ratio, that the project wants to reach."""

    what: str
    figure: str  # what is measured, and of a ratio what it is divided by
    wanted: float
    at: Literal["least", "most"]
    measure: Callable[[Results], Measured]
    digits: int = 2

    @property
    def wanted_text(self) -> str:
        """The wanted figure as text, such as `at least 0.75`."""
        return f"at {self.at} {self.wanted:g}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An aim, what was measured over the rounds, None if nothing was, and what it is a ratio to."""

    aim: Aim
    figure: Spread | None
    against: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median is where it is wanted; None if nothing was measured."""
        if self.figure is None:
            return None
        above = self.figure.median >= self.aim.wanted
        return above if self.aim.at == "least" else self.figure.median <= self.aim.wanted

    @property
    def figure_text(self) -> str:
        """Median and range as text, or `not measured`."""
        return "not measured" if self.figure is None else self.figure.text(self.aim.digits)


def verdicts(results: Results) -> list[Verdict]:
    """Compares the results with every aim."""
    found = []
    for aim in AIMS:
        measured = aim.measure(results)
        figure = Spread.of(measured.values)
        found.append(Verdict(aim=aim, figure=figure, against=measured.against if figure else ""))
    return found


_ONE, _CROWD = group(1), group(32)
_STREAMS = group(32, form="ndjson")
_JSON, _NDJSON = "GRAN, 5 steps, n=1, JSON, 32 clients", "GRAN, 5 steps, NDJSON, 32 clients"

AIMS = (
    Aim(
        what=_JSON,
        figure="drawings/s, of the limit",
        wanted=0.75,
        at="least",
        measure=lambda results: of_limit(results, _CROWD),
    ),
    Aim(
        what="the same",
        figure="drawings/s, of the better plain handler",
        wanted=1.1,
        at="least",
        measure=lambda results: of_better(results, _CROWD, RATE),
    ),
    Aim(
        what="the same",
        figure="p99, of the lower plain handler's",
        wanted=0.9,
        at="most",
        measure=lambda results: of_better(results, _CROWD, P99),
    ),
    Aim(
        what="the same, 1 client",
        figure="p50, of the better plain handler's",
        wanted=1.0,
        at="most",
        measure=lambda results: of_better(results, _ONE, P50),
    ),
    Aim(
        what="the same with n=64, 1 client",
        figure="images/s, of the limit",
        wanted=0.9,
        at="least",
        measure=lambda results: of_limit(results, group(1, n=64)),
    ),
    Aim(
        what="the same with n=64, 32 clients",
        figure="images/s, of the limit",
        wanted=0.9,
        at="least",
        measure=lambda results: of_limit(results, group(32, n=64)),
    ),
    Aim(
        what=_NDJSON,
        figure="p50 of the first canvas, of the better plain streaming handler's",
        wanted=0.6,
        at="most",
        measure=lambda results: of_better(results, _STREAMS, FIRST_P50),
    ),
    Aim(
        what="the same",
        figure="p99 of the first canvas, of the lower plain streaming handler's",
        wanted=0.5,
        at="most",
        measure=lambda results: of_better(results, _STREAMS, FIRST_P99),
    ),
    Aim(
        what="PixelVAE, 7 of 28 rows shown, JSON, 32 clients",
        figure="drawings/s, of the plain handler with the same sampler that draws for each request",
        wanted=5.0,
        at="least",
        measure=lambda results: of_handler(results, group(32, model=ROWS), "plain"),
    ),
    Aim(
        what=f"1 step beside 8 drawings of {LONG_STEPS} steps",
        figure="p50, of twice that alone plus a step",
        wanted=0.8,
        at="most",
        measure=lambda results: short_beside_long(results, next(iter(BESIDE))),
    ),
    Aim(
        what="the whole zoo, at rest",
        figure="memory of all processes of the server, MiB",
        wanted=380,
        at="most",
        measure=memory,
        digits=0,
    ),
)
