"""The aims as ratios, each computed from the rounds of one run; nothing here is a measured number."""

__all__ = ["AIMS", "Aim", "Verdict", "verdicts"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.bench.cases import BESIDE, LONG_STEPS, SHORT, case_name, group
from benchmarks.bench.contenders import GRAN, ROWS
from benchmarks.bench.figures import Results, Spread, divide


@dataclass(frozen=True, kw_only=True)
class Aim:
    """A ratio that the project wants to reach."""

    what: str
    ratio: str  # what is divided by what
    wanted: float
    at: Literal["least", "most"]
    measure: Callable[[Results], Sequence[float]]

    @property
    def wanted_text(self) -> str:
        """The wanted ratio as text, such as `at least 0.85`."""
        return f"at {self.at} {self.wanted:g}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An aim, and the ratio that was measured over the rounds; None if it was not."""

    aim: Aim
    ratio: Spread | None

    @property
    def met(self) -> bool | None:
        """Whether the median of the ratio is where it is wanted; None if it was not measured."""
        if self.ratio is None:
            return None
        above = self.ratio.median >= self.aim.wanted
        return above if self.aim.at == "least" else self.ratio.median <= self.aim.wanted


def verdicts(results: Results) -> list[Verdict]:
    """Compares the results with every aim."""
    return [Verdict(aim=aim, ratio=Spread.of(aim.measure(results))) for aim in AIMS]


def _name(contender: str, clients: int = 32, **asked: object) -> str:
    return case_name(contender, [group(clients, **asked)])  # type: ignore[arg-type]


_SERVER, _PLAIN, _BATCHED = (_name(contender) for contender in ("server", "plain", "batched"))


def _of_limit(results: Results, n: int) -> list[float]:
    images = [n * rate for rate in results.rate(_name("server", n=n))]
    return divide(images, results.limit(GRAN)[1])


def _better_handler(results: Results) -> list[float]:
    handlers = (results.rate(_PLAIN), results.rate(_BATCHED))
    return divide(results.rate(_SERVER), [max(pair) for pair in zip(*handlers, strict=False)])


def _p99(results: Results) -> list[float]:
    handlers = (results.latency(name, "last_ms", "p99") for name in (_PLAIN, _BATCHED))
    lower = [min(pair) for pair in zip(*handlers, strict=False)]
    return divide(results.latency(_SERVER, "last_ms", "p99"), lower)


def _first_canvas(results: Results) -> list[float]:
    ours, theirs = (
        results.latency(_name(who, form="ndjson"), "first_ms", "p50") for who in ("server", "stream")
    )
    return divide(ours, theirs)


def _row_model(results: Results) -> list[float]:
    ours, theirs = (results.rate(_name(who, model=ROWS)) for who in ("server", "plain"))
    return divide(ours, theirs)


def short_beside_long(results: Results, what: str) -> list[float]:
    """A short drawing's p50 beside `what`, over what is allowed: twice its p50 alone plus one long step.

    Args:
        results: Of a run.
        what: A key of BESIDE.

    Returns:
        The ratio for each round; at most 1 is wanted.
    """
    beside = BESIDE[what]
    alone = results.latency(case_name("server", [SHORT]), "last_ms", "p50")
    together = case_name("server", [SHORT, beside])
    steps = beside.ask.steps
    allowed = [
        2 * one + long / steps
        for one, long in zip(alone, results.latency(together, "last_ms", "p50", group=1), strict=False)
    ]
    return divide(results.latency(together, "last_ms", "p50"), allowed)


AIMS = (
    Aim(
        what="GRAN, 5 steps, n=1, JSON, 32 clients",
        ratio="drawings/s, of the limit",
        wanted=0.85,
        at="least",
        measure=lambda results: _of_limit(results, 1),
    ),
    Aim(
        what="the same",
        ratio="drawings/s, of the better of the two plain handlers",
        wanted=1.2,
        at="least",
        measure=_better_handler,
    ),
    Aim(
        what="the same",
        ratio="p99, of the lower of the two plain handlers",
        wanted=1.0,
        at="most",
        measure=_p99,
    ),
    Aim(
        what="the same with n=64",
        ratio="images/s, of the limit",
        wanted=0.9,
        at="least",
        measure=lambda results: _of_limit(results, 64),
    ),
    Aim(
        what="GRAN, 5 steps, NDJSON, 32 clients",
        ratio="p50 of the first canvas, of the plain streaming handler's",
        wanted=0.5,
        at="most",
        measure=_first_canvas,
    ),
    Aim(
        what="PixelVAE, 7 of 28 rows shown, JSON, 32 clients",
        ratio="drawings/s, of the plain handler with the same sampler",
        wanted=5.0,
        at="least",
        measure=_row_model,
    ),
    Aim(
        what=f"1 step beside 8 drawings of {LONG_STEPS} steps",
        ratio="p50, of twice that alone plus a step",
        wanted=1.0,
        at="most",
        measure=lambda results: short_beside_long(results, next(iter(BESIDE))),
    ),
)
