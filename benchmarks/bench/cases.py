"""The cases that the benchmark measures. A case's name says all of it, so that results are kept by name."""

__all__ = [
    "FULL",
    "MEMORY",
    "QUICK",
    "SECTIONS",
    "Case",
    "Pace",
    "case_name",
    "limit_name",
    "planned",
    "seconds_of",
]

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.bench.asks import FORMS, Ask, Group
from benchmarks.bench.contenders import GRAN, LONG, PLAIN_STREAMS, PLAIN_WHOLE, ROWS

SECTIONS = {
    "limit": "the bare loop at batches of 1 to 64",
    "gran": "GRAN, JSON, 32 clients and one: the server and the plain way",
    "stream": "the first canvas under 32 streaming clients: the server and the plain way",
    "rows": "a row model, 32 clients: the server and the plain way",
    "fair": "a short drawing alone and beside long ones",
    "transports": "every transport at 1 to 128 clients",
    "mix": "two models and several lengths at the same time",
    "growth": "one client's time with steps and images",
    "memory": "the memory of the server with the whole zoo",
}
"""Parts of a run and what they measure, for `--only`."""

CORE = ("limit", "gran", "stream", "rows", "fair")
"""Sections that the aims on time rest on: they get more rounds and longer ones."""

MEMORY = "memory: the zoo, at rest"
"""Name of the case that measures memory."""

ROW_STEPS = 7  # canvases shown of the 28 rows: the bundle's default
LONG_STEPS = 64
_ZOO_SECONDS = 15  # a server with the zoo starts and stops
PER_IMAGE = (1, 4, 16, 64)
PER_STEP = (1, 2, 4, 8, 16)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One measurement: clients that load a server; without groups a bare loop of graph calls, or MEMORY."""

    name: str
    section: str
    contender: str = "server"
    groups: tuple[Group, ...] = ()
    model: str = GRAN  # of a bare loop, with its rows and steps
    rows: int = 0
    steps: int = 5

    @property
    def core(self) -> bool:
        """Whether an aim on time rests on it."""
        return self.section in CORE


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How many rounds a run has, how long each is, and which batches and clients it tries.

    Seconds are those of one round that count; the warm-up comes before.
    """

    rounds: int
    seconds: float
    survey_rounds: int  # of what is no core section
    survey_seconds: float
    warm_s: float
    loop_seconds: float
    batches: tuple[int, ...]
    row_batches: tuple[int, ...]
    clients: tuple[int, ...]


FULL = Pace(
    rounds=5,
    seconds=2.5,
    survey_rounds=2,
    survey_seconds=1.2,
    warm_s=0.3,
    loop_seconds=0.8,
    batches=(1, 2, 4, 8, 16, 32, 64),
    row_batches=(1, 8, 32, 64),
    clients=(1, 8, 32, 128),
)
QUICK = Pace(
    rounds=2,
    seconds=0.7,
    survey_rounds=1,
    survey_seconds=0.3,
    warm_s=0.15,
    loop_seconds=0.3,
    batches=(1, 8, 32),
    row_batches=(1, 32),
    clients=(1, 32),
)


def case_name(contender: str, groups: Sequence[Group]) -> str:
    """Names a load: the server that is asked, and the clients with what they ask for."""
    asked = [f"{g.clients} x {g.ask.form} {g.ask.model} n={g.ask.n} steps={g.ask.steps}" for g in groups]
    return f"{contender}: {' + '.join(asked)}"


def limit_name(model: str, rows: int) -> str:
    """Names the bare loop of a model at a batch of `rows`."""
    return f"limit: {model} batch={rows}"


def load(section: str, *groups: Group, contender: str = "server") -> Case:
    """Makes a case of groups of clients on one server."""
    return Case(name=case_name(contender, groups), section=section, contender=contender, groups=groups)


def group(
    clients: int, *, form: str = "json", model: str = GRAN, steps: int | None = None, n: int = 1
) -> Group:
    """Makes a group of clients; `steps` is by default what the model was made for."""
    steps = steps or (ROW_STEPS if model == ROWS else 5)
    return Group(ask=Ask(model=model, steps=steps, n=n, form=form), clients=clients)


SHORT = group(1, model=LONG, steps=1)
BESIDE = {  # what runs beside it, by what it is called
    "8 drawings of 64 steps": group(8, model=LONG, steps=LONG_STEPS),
    "8 requests for 8 drawings of 64 steps": group(8, model=LONG, steps=LONG_STEPS, n=8),
    "8 drawings of another model, row by row": group(8, model=ROWS, steps=28),
}

MIX = ((GRAN, 1), (GRAN, 5), (GRAN, 16), (ROWS, 7), (ROWS, 28))
"""Models and steps that are asked for at the same time, each by a group of its own."""


GROWING = ("server", "plain", "inline")
"""Servers whose time with steps and images is measured: batching has nothing to do with one client."""

CROWDED = ("plain", "inline", "batched")
"""Plain handlers that are measured at every number of clients, for the plot."""


def planned(pace: Pace, sections: Iterable[str]) -> list[Case]:
    """The cases of the named sections, each once."""
    wanted = set(sections)
    cases: dict[str, Case] = {}
    for case in _all(pace):
        if case.section in wanted:
            cases.setdefault(case.name, case)
    return list(cases.values())


def seconds_of(cases: Iterable[Case], pace: Pace) -> float:
    """Estimates the seconds of a run, without the start of the servers."""
    total = 0.0
    for case in cases:
        if case.name == MEMORY:
            total += pace.survey_rounds * _ZOO_SECONDS
        elif not case.groups:
            total += pace.rounds * pace.loop_seconds * 1.3
        else:
            # What is under way at the close runs to its end, and what was begun meanwhile too.
            tail = 0.3 + sum(g.clients * g.ask.n for g in case.groups) / 800
            seconds = pace.seconds if case.core else pace.survey_seconds
            rounds = pace.rounds if case.core else pace.survey_rounds
            total += rounds * (pace.warm_s + seconds + tail)
    return total


def _all(pace: Pace) -> Iterator[Case]:
    for model, batches, steps in ((GRAN, pace.batches, 5), (ROWS, pace.row_batches, ROW_STEPS)):
        for rows in batches:
            yield Case(name=limit_name(model, rows), section="limit", model=model, rows=rows, steps=steps)
    for contender in ("server", *PLAIN_WHOLE, "constant"):
        yield load("gran", group(32), contender=contender)
    for contender in ("server", *PLAIN_WHOLE):
        yield load("gran", group(1), contender=contender)
    for clients in (1, 32):
        yield load("gran", group(clients, n=64))
    for contender in ("server", *PLAIN_STREAMS):
        yield load("stream", group(32, form="ndjson"), contender=contender)
    for contender in ("server", *PLAIN_WHOLE):
        yield load("rows", group(32, model=ROWS), contender=contender)
    yield load("fair", SHORT)
    for beside in BESIDE.values():
        yield load("fair", SHORT, beside)
    yield from _transports(pace)
    for clients in (c for c in pace.clients if c > len(MIX)):
        for form in ("json", "grpc-stream"):
            shares = [clients // len(MIX) + (i < clients % len(MIX)) for i in range(len(MIX))]
            groups = [
                group(share, form=form, model=model, steps=steps)
                for share, (model, steps) in zip(shares, MIX, strict=True)
            ]
            yield load("mix", *groups)
    for contender in GROWING:
        for n in PER_IMAGE:
            yield load("growth", group(1, n=n), contender=contender)
        for steps in PER_STEP:
            yield load("growth", group(1, steps=steps), contender=contender)
    yield Case(name=MEMORY, section="memory")


def _transports(pace: Pace) -> Iterator[Case]:
    for form in FORMS:
        for clients in pace.clients:
            yield load("transports", group(clients, form=form))
        # 128 clients that ask for 64 images each wait for 8 seconds: once is enough.
        for clients in (c for c in pace.clients if c <= 32 or form == "json"):
            yield load("transports", group(clients, form=form, n=64))
        for clients in pace.clients if form in ("json", "ndjson", "grpc-stream") else (32,):
            yield load("transports", group(clients, form=form, model=ROWS))
    # The plain way at other numbers of clients, for the plot.
    for contender in CROWDED:
        for clients in pace.clients:
            yield load("transports", group(clients), contender=contender)
