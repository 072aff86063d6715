"""A lane is a worker: it takes batches from a scheduler and calls their graphs, one batch at a time.

    batch = scheduler.next_batch(); deliveries = scheduler.advance(*make(batch)); the engine hands them over

A lane is on the event loop (`inline`), or a thread (`threads`), or another process has it (`peer`).
"""

__all__ = ["CallFacts", "HandOver", "Handed", "Lanes", "Lost", "Observe", "Results", "make"]

import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

from pentimento.service.engine.job import Batch, Emission, Graph, Job
from pentimento.service.engine.rows import Arrays
from pentimento.service.engine.scheduler import Delivery
from pentimento.service.errors import Code, PentimentoError

_log = logging.getLogger(__name__)


class CallFacts(NamedTuple):
    """One graph call, as metrics count it: `bundle/graph`, rows, different time steps, duration."""

    graph: str
    rows: int
    distinct_t: int
    seconds: float


Observe = Callable[[CallFacts], None]


class Handed(NamedTuple):
    """A frame or the end on its way to a job's stream, and when the job's first call began."""

    job_id: int
    event: Emission | PentimentoError | None
    started_at: float | None

    @classmethod
    def of(cls, delivery: Delivery) -> "Handed":
        """Takes what goes to the stream from a scheduler's delivery."""
        return cls(delivery.job.id, delivery.event, delivery.job.started_at)


HandOver = Callable[[Sequence[Handed]], None]
Lost = Callable[[PentimentoError], None]
Results = list[tuple[Batch, Arrays | PentimentoError]]


class Lanes(Protocol):
    """A group of lanes that share a scheduler. Methods and callbacks run on the event loop."""

    def start(self, hand_over: HandOver, lost: Lost) -> None:
        """Starts the lanes; from now on they take jobs.

        Args:
            hand_over: Takes what goes to the streams.
            lost: Told that every job here is lost, and why.
        """
        ...

    @property
    def count(self) -> int:
        """Number of lanes: graph calls that are made side by side."""
        ...

    @property
    def accepting(self) -> bool:
        """Whether jobs can be added."""
        ...

    def has(self, graphs: Collection[Graph], rows: int) -> bool:
        """Whether jobs of so many rows that call these graphs can be added."""
        ...

    @property
    def rows(self) -> int:
        """Rows of jobs here that are not over, whoever asked for them; another process's as it last said."""
        ...

    def add(self, jobs: Sequence[Job]) -> None:
        """Queues admitted jobs."""
        ...

    def grant(self, job_id: int, frames: int) -> None:
        """Gives a job room for more frames, as its reader has taken some."""
        ...

    def hold(self, job_id: int) -> None:
        """Keeps a job's frames until its end, as its reader wants them all at once."""
        ...

    def cancel(self, job_id: int) -> None:
        """Drops a job whose reader is gone."""
        ...

    async def close(self) -> None:
        """Ends the lanes after their current call; jobs that are not done are dropped."""
        ...


def make(batch: Batch, observe: Observe | None) -> Results:
    """Calls a batch's graph; if that fails, once for each job alone, so that only the guilty one fails."""
    try:
        started = time.monotonic()
        outputs = batch.graph.run(batch.stack())
        if observe is not None:
            seconds = time.monotonic() - started
            observe(CallFacts(batch.graph.label, batch.rows, batch.distinct_t, seconds))
        return [(batch, outputs)]
    except Exception:
        if len(batch.jobs) > 1:
            return [make(Batch(graph=batch.graph, jobs=(job,)), observe)[0] for job in batch.jobs]
        _log.exception("graph %s failed", batch.graph.label)
        message = f"graph {batch.graph.label} failed on this input"
        return [(batch, PentimentoError(Code.INFERENCE_FAILED, message))]
