"""A lane as a process of its own: its scheduler, its graphs, its interpreter.

Threads of one process share Python's lock. With graphs as small as these, a lane waited for it as long as it
computed, and the event loop with its clients waited for the lanes. A process waits for nobody: while it
computes, what is asked of it gathers in its socket, and it looks there between two calls.

If it ends unexpectedly, its drawings end with INTERNAL, and another takes its place.
"""

__all__ = ["LaneProcess"]

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, cast

from pentimento.bundle.manifest import GraphSpec
from pentimento.service.engine.calibration import RowLimits
from pentimento.service.engine.job import Call, Graph, Job
from pentimento.service.engine.lane.lane import Handed, Observe
from pentimento.service.engine.lane.link import LaneLink
from pentimento.service.engine.lane.wire import (
    Cancel,
    DropGraphs,
    DropPlan,
    Grant,
    Hold,
    NewJob,
    NewPlan,
    PlaceGraph,
    PlannedCall,
    Ready,
    Report,
)
from pentimento.service.errors import Code, PentimentoError

_log = logging.getLogger(__name__)

_PLANS = 256  # known to the process at a time
_RESTARTS_S = (0.0, 0.5, 2.0, 10.0, 30.0)  # before another takes the place of one that ended, each longer
_STEADY_S = 60.0  # a process that lived as long was no failure to start


class PortableGraph(Graph, Protocol):
    """A graph that another process can load."""

    spec: GraphSpec
    file: bytes
    limits: RowLimits


class LaneProcess:
    """One lane in a process of its own; methods as described in `Lanes`.

    Args:
        name: For the log.
        observe: Told about every graph call, on the event loop.
        log: Level and form of the process's own log, as `configure_logging` takes them.
    """

    def __init__(
        self, name: str, observe: Observe | None = None, *, log: tuple[str, str] = ("info", "text")
    ) -> None:
        self.name = name
        self._observe = observe
        self._log = log
        self._graphs: dict[Graph, int] = {}  # that the process has, and their keys
        self._plans: dict[int, tuple[int, Sequence[Call]]] = {}  # that it has, with their keys, by identity
        self._keys = itertools.count()
        self._link: LaneLink | None = None
        self._awaited: asyncio.Future[None] | None = None
        self._deaths = 0
        self._closed = False

    def start(
        self, hand_over: Callable[[Sequence[Handed]], None], lost: Callable[[PentimentoError], None]
    ) -> None:
        """Starts the process; from now on it takes jobs."""
        self._hand_over, self._lost = hand_over, lost
        self._loop = asyncio.get_running_loop()
        self._open()

    @property
    def count(self) -> int:
        """1: the process is one lane."""
        return 1

    async def ready(self) -> None:
        """Waits until the process has loaded every graph that was sent to it.

        Raises:
            RuntimeError: The process ended before.
        """
        self._awaited = self._loop.create_future()
        self._send(Ready())
        await self._awaited

    @property
    def accepting(self) -> bool:
        """Whether the process runs, so that jobs can be added."""
        return self._link is not None and not self._closed

    def keep(self, graphs: Sequence[Graph]) -> None:
        """Sends graphs that the process lacks, and drops the others with the plans that call them."""
        kept = set(graphs)
        gone = set(self._graphs) - kept
        for identity, (key, plan) in list(self._plans.items()):
            if any(call.graph in gone for call in plan):
                del self._plans[identity]
                self._send(DropPlan(key))
        if gone:
            self._send(DropGraphs(tuple(self._graphs.pop(graph) for graph in gone)))
        for graph in graphs:
            self._key_of(graph)

    def add(self, jobs: Sequence[Job]) -> None:
        """Sends admitted jobs to the process; their tensors move there."""
        for job in jobs:
            self._send(
                NewJob(
                    id=job.id,
                    rows=job.rows,
                    plan=self._key_of_plan(job.plan),
                    tensors={name: rows.values for name, rows in job.tensors.items()},
                    deadline=job.deadline,
                    room=job.room,
                    admitted_at=job.admitted_at,
                )
            )
            job.tensors = {}  # they are the process's now

    def grant(self, job_id: int, frames: int) -> None:
        """Gives a job room for more frames, as its reader has taken some."""
        self._send(Grant(job_id, frames))

    def hold(self, job_id: int) -> None:
        """Keeps a job's frames until its end, as its reader wants them all at once."""
        self._send(Hold(job_id))

    def cancel(self, job_id: int) -> None:
        """Drops a job whose reader is gone."""
        self._send(Cancel(job_id))

    async def close(self) -> None:
        """Ends the process after its current call."""
        self._closed = True
        if self._link is not None:
            await self._link.close()

    def _open(self) -> None:
        """Starts a process and sends it the graphs that the one before had."""
        if self._closed:
            return
        graphs = list(self._graphs)
        self._graphs, self._plans = {}, {}
        self._link = LaneLink(self._log, self._take, self._on_end)
        for graph in graphs:
            self._key_of(graph)

    def _send(self, message: NamedTuple) -> None:
        if self._link is not None:
            self._link.send(message)

    def _key_of(self, graph: Graph) -> int:
        key = self._graphs.get(graph)
        if key is None:
            key = self._graphs[graph] = next(self._keys)
            loaded = cast("PortableGraph", graph)
            self._send(PlaceGraph(key, loaded.label, loaded.spec, loaded.file, loaded.limits))
        return key

    def _key_of_plan(self, plan: Sequence[Call]) -> int:
        # Plans are kept by identity: most are the same for many requests, and long.
        known = self._plans.pop(id(plan), None)
        if known is None:
            known = (next(self._keys), plan)
            calls = [
                PlannedCall(self._key_of(c.graph), c.t, c.takes_t, c.feeds, c.keeps, c.emits, c.step)
                for c in plan
            ]
            self._send(NewPlan(known[0], calls))
        self._plans[id(plan)] = known
        if len(self._plans) > _PLANS:
            oldest, _ = self._plans.pop(next(iter(self._plans)))
            self._send(DropPlan(oldest))
        return known[0]

    def _take(self, message: object) -> None:
        if isinstance(message, Report):
            if self._observe is not None:
                for call in message.call_facts():
                    self._observe(call)
            self._hand_over(message.handed())
        elif self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    def _on_end(self, lived_s: float) -> None:
        """Handles an unexpected end: its jobs fail with INTERNAL, and another process starts soon."""
        if self._closed:
            return
        self._link = None
        error = f"the process of {self.name} ended unexpectedly"
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(RuntimeError(error))
            return
        self._deaths = 1 if lived_s > _STEADY_S else self._deaths + 1
        pause = _RESTARTS_S[min(self._deaths, len(_RESTARTS_S)) - 1]
        _log.error("%s; its drawings failed, and another takes its place in %g s", error, pause)
        self._lost(PentimentoError(Code.INTERNAL, "the process that drew this ended unexpectedly"))
        self._loop.call_later(pause, self._open)
