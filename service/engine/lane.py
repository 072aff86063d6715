"""What a lane does: it takes batches from a scheduler and calls graphs. Where lanes run is told elsewhere.

    batch = scheduler.next_batch(); deliveries = scheduler.advance(*make(batch)); the engine hands them over

Lanes are threads of this process (`lane_threads`), or processes of their own (`lane_process`).
"""

__all__ = ["CallFacts", "Handed", "Lanes", "Observe", "make"]

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from pentimento.service.engine.job import Batch, Emission, Graph, Job
from pentimento.service.engine.rows import Arrays
from pentimento.service.engine.scheduler import Delivery
from pentimento.service.errors import Code, PentimentoError

_log = logging.getLogger(__name__)


class CallFacts(NamedTuple):
    """What is told of one call of a graph."""

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
        """As the scheduler says it."""
        return cls(delivery.job.id, delivery.event, delivery.job.started_at)


class Lanes(Protocol):
    """Lanes that share a scheduler; the methods are for the event loop, and so are the two callbacks."""

    def start(
        self, hand_over: Callable[[Sequence[Handed]], None], lost: Callable[[PentimentoError], None]
    ) -> None:
        """Begins to take jobs.

        Args:
            hand_over: Takes what goes to the streams.
            lost: Told that every job here is lost, and why.
        """
        ...

    @property
    def count(self) -> int:
        """How many there are: calls that are made side by side."""
        ...

    async def ready(self) -> None:
        """Waits until jobs can run. Raises RuntimeError with a sentence if they never will."""
        ...

    @property
    def accepting(self) -> bool:
        """Whether jobs can be added."""
        ...

    def keep(self, graphs: Sequence[Graph]) -> None:
        """What jobs will call from now on; other graphs may be forgotten when nothing runs them any more."""
        ...

    def add(self, jobs: Sequence[Job]) -> None:
        """Takes in admitted jobs."""
        ...

    def grant(self, job_id: int, frames: int) -> None:
        """The job's reader has room for more frames."""
        ...

    def hold(self, job_id: int) -> None:
        """The job's reader wants everything at the end."""
        ...

    def cancel(self, job_id: int) -> None:
        """The job's reader is gone."""
        ...

    async def close(self) -> None:
        """Ends the lanes after their current call, and whatever they have not done."""
        ...


def make(batch: Batch, observe: Observe | None) -> list[tuple[Batch, Arrays | PentimentoError]]:
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
