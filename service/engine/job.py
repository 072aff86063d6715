"""A job: rows that travel together through a plan of graph calls. Values only; the scheduler moves them.

A request becomes one job, or several when it has more rows than a graph call may take. Everything a request
can ask for (a drawing, a score, an encoding) is the same thing here: a sequence of graph calls whose
inputs are tensors of the job and whose outputs become tensors of the job.
"""

__all__ = ["Batch", "Call", "Emission", "Feed", "Graph", "Job", "JobState"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import numpy as np

from pentimento.service.engine.rows import Array, Arrays, Rows, stack


class Graph(Protocol):
    """A loaded graph. Jobs are batched by its identity, so a reloaded bundle never mixes with the old one."""

    @property
    def label(self) -> str:
        """`bundle/graph`, for logs and metrics."""
        ...

    @property
    def max_rows(self) -> int:
        """Rows that one call takes at most."""
        ...

    @property
    def quick_rows(self) -> int:
        """Rows up to which a call is short enough to be made on an event loop; 0: never."""
        ...

    def run(self, feeds: Arrays) -> dict[str, Array]:
        """Calls the graph once; every array has the batch on its first axis."""
        ...


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a graph input comes from: a tensor of the job, or one call's slice (axis 1) of it."""

    tensor: str
    index: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Call:
    """One graph call of a plan."""

    graph: Graph
    t: int = 0  # what the graph's input `t` holds for these rows
    takes_t: bool = False
    feeds: Mapping[str, Feed] = field(default_factory=dict)  # by graph input, `t` apart
    keeps: Mapping[str, str] = field(default_factory=dict)  # graph output -> tensor of the job
    emits: tuple[str, ...] = ()  # tensors that leave for the client after this call
    step: int = 0  # the shown step that leaves, 1-based, when `emits` is not empty


class JobState(Enum):
    """The states of a job; only the scheduler changes them."""

    WAITING = "waiting"
    RUNNING = "running"  # in a batch, on a lane
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(slots=True, eq=False, kw_only=True)
class Job:
    """Rows that are computed together: their plan, their tensors, and how far they are."""

    id: int
    rows: int
    plan: Sequence[Call]
    tensors: dict[str, Rows]
    deadline: float  # on the engine's clock, in seconds
    room: int  # frames that the reader can still take; at 0 the job pauses: the backpressure
    whole: bool = False  # the reader wants everything at the end, and nothing before
    state: JobState = JobState.WAITING
    position: int = 0  # index of the next call in the plan
    turn: int = 0  # grows with the time at which it began to wait for the next call
    shown: int = 0  # the last step that was shown
    held: list["Emission"] = field(default_factory=list)  # of a whole job, until its end
    admitted_at: float = 0.0
    started_at: float | None = None

    @property
    def next_call(self) -> Call:
        """The call to make next."""
        return self.plan[self.position]

    @property
    def paused(self) -> bool:
        """Whether it waits for its reader to take frames (backpressure)."""
        return self.room == 0 and not self.whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Emission:
    """Tensors of a job on their way to the client."""

    step: int
    tensors: Arrays
    elapsed_us: int  # from admission


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Jobs whose next call is the same graph, and which make it together, each at its own `t`."""

    graph: Graph
    jobs: tuple[Job, ...]

    @property
    def rows(self) -> int:
        """Rows of all jobs."""
        return sum(job.rows for job in self.jobs)

    @property
    def distinct_t(self) -> int:
        """Different time steps in this batch: more than one is iteration-level batching at work."""
        return len({job.next_call.t for job in self.jobs})

    def stack(self) -> dict[str, Array]:
        """The graph's inputs by name: rows of all jobs below each other, and `t` where the graph takes it.

        A tensor that had to be put together stays so: it is not copied again while the same jobs go on.
        """
        calls = [job.next_call for job in self.jobs]
        feeds: dict[str, Array] = {}
        for name in calls[0].feeds:
            sources = [call.feeds[name] for call in calls]
            parts = [_resolve(job, source) for job, source in zip(self.jobs, sources, strict=True)]
            stacked = feeds[name] = stack(parts)
            if stacked.base is None and stacked is not parts[0].array:  # no view, so it was put together
                start = 0
                for job, source in zip(self.jobs, sources, strict=True):
                    if source.index is None:
                        job.tensors[source.tensor] = Rows(stacked, start, start + job.rows)
                    start += job.rows
        if calls[0].takes_t:
            feeds["t"] = np.repeat(
                np.array([call.t for call in calls], dtype=np.int64), [job.rows for job in self.jobs]
            )
        return feeds


def _resolve(job: Job, feed: Feed) -> Rows:
    rows = job.tensors[feed.tensor]
    return rows if feed.index is None else Rows.of(rows.values[:, feed.index])
