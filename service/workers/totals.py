"""What all workers of a server counted, those that are gone among them, as one page of metrics."""

__all__ = ["Totals"]

import asyncio
from collections.abc import Iterable
from typing import cast

from prometheus_client import CollectorRegistry, ProcessCollector

from pentimento.service.group import Board
from pentimento.service.telemetry.log_drops import LogDrops
from pentimento.service.telemetry.sums import Counts, Sums, counts_of
from pentimento.service.telemetry.worker_counts import WorkerCounts
from pentimento.service.workers.child import Child

_COUNT_S = 1.0  # for a worker to say what it counted; else what it said last is taken


class Totals:
    """Adds up what the parent and its workers count.

    Args:
        board: Says how many workers serve, and how many should.
    """

    def __init__(self, board: Board) -> None:
        self._sums = Sums()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(LogDrops())
        self._workers = WorkerCounts(self._registry, lambda: board.serving, lambda: board.wanted)

    def fail(self) -> None:
        """Counts a worker that ended though it should not have, or that could not be started."""
        self._workers.end()

    def bury(self, child: Child) -> None:
        """Keeps what a worker counted that is gone."""
        self._sums.end(child.counts)
        child.counts = {}

    async def expose(self, children: Iterable[Child]) -> bytes:
        """The page, in Prometheus' text format, of these workers and all that were buried."""
        asked = [child for child in children if child.serves]
        answers = await asyncio.gather(
            *(child.channel.call("count", _COUNT_S) for child in asked), return_exceptions=True
        )
        for child, counts in zip(asked, answers, strict=True):
            if not isinstance(counts, BaseException):
                child.counts = cast("Counts", counts)
        return self._sums.expose([counts_of(self._registry), *(child.counts for child in asked)])
