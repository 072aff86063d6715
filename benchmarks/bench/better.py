"""The better plain handler: of all that answer in the same way, the best in a discipline."""

__all__ = [
    "FIRST_P50",
    "FIRST_P99",
    "P50",
    "P99",
    "RATE",
    "Discipline",
    "better_handler",
    "better_sentence",
    "handlers_of",
]

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.bench.asks import Group
from benchmarks.bench.cases import case_name
from benchmarks.bench.contenders import LABELS, PLAIN_STREAMS, PLAIN_WHOLE
from benchmarks.bench.figures import Results


@dataclass(frozen=True, kw_only=True)
class Discipline:
    """A figure in which handlers are compared.

    Attributes:
        name: What is measured.
        read: Returns it for each round of a case.
        best: Chooses the best of some of them: `max` or `min`.
    """

    name: str
    read: Callable[[Results, str], list[float]]
    best: Callable[[Sequence[float]], float]


def _latency(name: str, which: str, percent: str) -> Discipline:
    return Discipline(name=name, read=lambda results, case: results.latency(case, which, percent), best=min)


RATE = Discipline(name="requests/s", read=lambda results, case: results.rate(case), best=max)
P50, P99 = (_latency(percent, "last_ms", percent) for percent in ("p50", "p99"))
FIRST_P50, FIRST_P99 = (
    _latency(f"{percent} of the first canvas", "first_ms", percent) for percent in ("p50", "p99")
)


def handlers_of(asked: Group) -> tuple[str, ...]:
    """All plain handlers that answer such a request."""
    return PLAIN_STREAMS if asked.ask.streams else PLAIN_WHOLE


def better_handler(results: Results, asked: Group, discipline: Discipline) -> tuple[str, list[float]]:
    """The plain handler whose median is best, and its figures in each round.

    It is chosen once, as the limit's batch is: the best of each round would be too good by what rounds differ
    by chance.

    Args:
        results: Of a run.
        asked: The clients and what they ask for.
        discipline: In which it is the best.

    Returns:
        A key of LABELS and its figures; ("", []) unless all that answer such a request were measured.
    """
    found = {who: discipline.read(results, case_name(who, [asked])) for who in handlers_of(asked)}
    if not all(found.values()):
        return "", []
    medians = {who: statistics.median(values) for who, values in found.items()}
    who = next(who for who, median in medians.items() if median == discipline.best(list(medians.values())))
    return who, found[who]


def better_sentence(results: Results, asked: Group, disciplines: Sequence[Discipline]) -> str:
    """A line of Markdown that names the better plain handler in each discipline; empty if not measured."""
    found: dict[str, list[str]] = {}
    for one in disciplines:
        found.setdefault(better_handler(results, asked, one)[0], []).append(one.name)
    found.pop("", None)
    named = [f"*{LABELS[who].removeprefix('plain: ')}* by {', '.join(names)}" for who, names in found.items()]
    return f"The better plain handler is {'; '.join(named)}.\n" if named else ""
