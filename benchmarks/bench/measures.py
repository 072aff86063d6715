"""What the aims are about, each computed from the rounds of one run; nothing here is a measured number."""

__all__ = [
    "Measured",
    "memory",
    "of_better",
    "of_handler",
    "of_limit",
    "short_beside_long",
]

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from benchmarks.bench.asks import Group
from benchmarks.bench.better import Discipline, better_handler
from benchmarks.bench.cases import BESIDE, MEMORY, SHORT, case_name
from benchmarks.bench.contenders import GRAN, LABELS
from benchmarks.bench.figures import Results, divide


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A ratio, or another figure, for each round; none if it was not measured.

    Attributes:
        values: The figure.
        against: What it is divided by, in words; empty for a figure that is no ratio.
    """

    values: Sequence[float] = ()
    against: str = ""


def of_limit(results: Results, asked: Group) -> Measured:
    """Images a second of the server, of what GRAN's bare loops reach at their best batch."""
    batch, limit = results.limit(GRAN)
    images = [asked.ask.n * rate for rate in results.rate(case_name("server", [asked]))]
    return Measured(values=divide(images, limit), against=f"the bare loop at batches of {batch}")


def of_better(results: Results, asked: Group, discipline: Discipline) -> Measured:
    """A figure of the server, of the plain handler's that is the best of all in it."""
    who, theirs = better_handler(results, asked, discipline)
    ours = discipline.read(results, case_name("server", [asked]))
    return Measured(values=divide(ours, theirs), against=LABELS.get(who, ""))


def of_handler(results: Results, asked: Group, who: str) -> Measured:
    """Requests a second of the server, of those of one handler, whatever others reach."""
    ours, theirs = (results.rate(case_name(one, [asked])) for one in ("server", who))
    return Measured(values=divide(ours, theirs), against=LABELS[who])


def memory(results: Results) -> Measured:
    """MiB of all processes of a server with the zoo, where what they share counts once."""
    return Measured(values=results.values(MEMORY, itemgetter("together_mib")))


def short_beside_long(results: Results, what: str) -> Measured:
    """A short drawing's p50 beside `what`, over what is allowed: twice its p50 alone plus one long step.

    Args:
        results: Of a run.
        what: A key of BESIDE.

    Returns:
        The ratio for each round; at 1 it takes just what is allowed.
    """
    beside = BESIDE[what]
    alone = results.latency(case_name("server", [SHORT]), "last_ms", "p50")
    together = case_name("server", [SHORT, beside])
    steps = beside.ask.steps
    allowed = [
        2 * one + long / steps
        for one, long in zip(alone, results.latency(together, "last_ms", "p50", group=1), strict=False)
    ]
    ours = results.latency(together, "last_ms", "p50")
    return Measured(values=divide(ours, allowed), against="itself alone, and a step of the others")
