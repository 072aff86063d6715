"""A lane that another process has: jobs are sent there, and what they put out comes back.

A worker's own lane is nearer. Another's is for the parts of a large request, while it has less to do; and on
a GPU, which one process owns, for everything.
"""

__all__ = ["PeerLane"]

import itertools
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, cast

from pentimento.service.engine.calibration import RowLimits
from pentimento.service.engine.job import Call, Graph, Job
from pentimento.service.engine.lane.lane import Handed, HandOver, Lost
from pentimento.service.engine.lane.link import LaneLink
from pentimento.service.engine.lane.wire import (
    Cancel,
    DropPlan,
    Grant,
    GraphName,
    Hold,
    NewJob,
    NewPlan,
    PlannedCall,
    Report,
    Returned,
    Serves,
)
from pentimento.service.errors import Code, PentimentoError

_log = logging.getLogger(__name__)

# Known to the other process at a time: plans, and graph calls of all of them together, of which each takes
# about a kilobyte there.
_PLANS, _CALLS = 256, 16_384


class NamedGraph(Graph, Protocol):
    """A graph that another process has under the same name."""

    sha256: str


class PeerLane:
    """A lane at the other end of a link; methods as described in `Lanes`.

    Args:
        name: Of the other process, for the log.
        link: The connection to it; its messages for this side are to be given to `take`.
        read_rows: Reads how many rows the other's lane has in all, as it last said.
        on_serves: Told, with their row limits, which graphs the other has from now on.
    """

    def __init__(
        self,
        name: str,
        link: LaneLink,
        read_rows: Callable[[], int] = lambda: 0,
        on_serves: Callable[[Mapping[GraphName, RowLimits]], None] = lambda _: None,
    ) -> None:
        self.name = name
        self._link, self._read_rows, self._on_serves = link, read_rows, on_serves
        self._served: Mapping[GraphName, RowLimits] = {}
        self._plans: dict[int, tuple[int, Sequence[Call]]] = {}  # the other has, with their keys, by identity
        self._planned = 0  # graph calls of these plans
        self._keys = itertools.count()
        self._sent: dict[int, Job] = {}  # and not over
        self._sent_rows = 0
        self._open = False

    def start(self, hand_over: HandOver, lost: Lost, returned: Callable[[Job], None] | None = None) -> None:
        """From now on it takes jobs.

        Args:
            hand_over: Takes what goes to the streams.
            lost: Told that every job here is lost, and why.
            returned: Takes a job that the other could not run, unchanged; without it such a job fails.
        """
        self._hand_over, self._lost, self._returned = hand_over, lost, returned
        self._open = True

    @property
    def count(self) -> int:
        """1, as what the other process has besides a lane is its affair."""
        return 1

    @property
    def accepting(self) -> bool:
        """Whether the connection is there, and the other has told what it serves."""
        return self._open and bool(self._served)

    def has(self, graphs: Collection[Graph], rows: int) -> bool:
        """Whether the other has these graphs, too, and calls them with so many rows."""
        limits = [self._served.get(_name(graph)) for graph in graphs]
        return all(limit is not None and rows <= limit.most for limit in limits)

    @property
    def rows(self) -> int:
        """Rows of the other's lane: as it last said, but at least those that were sent from here."""
        return max(self._sent_rows, self._read_rows())

    def keep(self, graphs: Collection[Graph]) -> None:
        """Forgets, here and there, the plans that call other graphs than these: they are served no more."""
        kept = set(graphs)
        for identity, (_, plan) in list(self._plans.items()):
            if any(call.graph not in kept for call in plan):
                self._drop_plan(identity)

    def add(self, jobs: Sequence[Job]) -> None:
        """Sends admitted jobs; their tensors stay here, too, until they are over."""
        for job in jobs:
            self._sent[job.id] = job
            self._sent_rows += job.rows
            tensors = {name: rows.values for name, rows in job.tensors.items()}
            plan = self._key_of_plan(job.plan)
            self._link.send(NewJob(job.id, job.rows, plan, tensors, job.deadline, job.room, job.admitted_at))
        self._link.flush()

    def grant(self, job_id: int, frames: int) -> None:
        """Gives a job room for more frames, as its reader has taken some."""
        self._link.send(Grant(job_id, frames))

    def hold(self, job_id: int) -> None:
        """Keeps a job's frames until its end, as its reader wants them all at once."""
        if (job := self._sent.get(job_id)) is not None:
            job.whole = True  # should it come back
        self._link.send(Hold(job_id))

    def cancel(self, job_id: int) -> None:
        """Drops a job whose reader is gone."""
        if self._forget(job_id) is not None:
            self._link.send(Cancel(job_id))

    async def close(self) -> None:
        """Takes no more jobs; the connection is closed by who made it."""
        self._open = False

    def take(self, message: object) -> None:
        """Takes a message of the other process's lane."""
        match message:
            case Report():
                handed = message.handed()
                for job_id, event, _ in handed:
                    if event is None or isinstance(event, PentimentoError):
                        self._forget(job_id)
                self._hand_over(handed)
            case Serves():
                self._served = message.graphs
                self._on_serves(message.graphs)
            case Returned():
                self._give_back(message.job_id)

    def end(self) -> None:
        """The connection is over: what the other had is lost."""
        if self._open:
            self._open = False
            self._sent.clear()
            self._lost(PentimentoError(Code.INTERNAL, "the process that drew this ended unexpectedly"))

    def _give_back(self, job_id: int) -> None:
        job = self._forget(job_id)
        if job is None:
            return
        if self._returned is not None:
            self._returned(job)
            return
        text = "the model was replaced at this moment; ask again"
        error = PentimentoError(Code.UNAVAILABLE, text, retry_after_s=0.1)
        self._hand_over([Handed(job_id, error, None)])

    def _forget(self, job_id: int) -> Job | None:
        job = self._sent.pop(job_id, None)
        if job is not None:
            self._sent_rows -= job.rows
        return job

    def _key_of_plan(self, plan: Sequence[Call]) -> int:
        # Plans are kept by identity: most are the same for many requests, and long.
        known = self._plans.pop(id(plan), None)
        if known is None:
            known = (next(self._keys), plan)
            calls = [
                PlannedCall(_name(c.graph), c.t, c.takes_t, c.feeds, c.keeps, c.emits, c.step) for c in plan
            ]
            self._link.send(NewPlan(known[0], calls))
            self._planned += len(plan)
        self._plans[id(plan)] = known
        while len(self._plans) > 1 and (len(self._plans) > _PLANS or self._planned > _CALLS):
            self._drop_plan(next(iter(self._plans)))
        return known[0]

    def _drop_plan(self, identity: int) -> None:
        key, plan = self._plans.pop(identity)
        self._planned -= len(plan)
        self._link.send(DropPlan(key))


def _name(graph: Graph) -> GraphName:
    return (graph.label, cast("NamedGraph", graph).sha256)
