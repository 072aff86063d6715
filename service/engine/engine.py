"""The engine: admits jobs, gives each to the lanes with the least to do, and passes on what they compute.

Everything here belongs to one event loop. What runs next is decided by the lanes' scheduler.
"""

__all__ = ["Engine", "Submission", "Ticket"]

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pentimento.service.engine.job import Call, Graph, Job
from pentimento.service.engine.lane.lane import Handed, HandOver, Lanes
from pentimento.service.engine.lane.peer import PeerLane
from pentimento.service.engine.rows import Array, Rows
from pentimento.service.engine.stream import FrameStream
from pentimento.service.errors import Code, PentimentoError

_FEW_ROWS = 8  # in the nearest lane: with fewer, the way to another takes longer than it saves
_MANY_ROWS = 8  # of a job: the way to another lane is short beside computing them
_LATE_S = 1.0  # beyond its deadline, and between two looks, after which a job is ended whatever its lane says


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A job to admit: its number of rows, its plan, and the tensors that it starts from, (rows, ...) each."""

    rows: int
    plan: Sequence[Call]
    tensors: dict[str, Array]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """An admitted job: its stream, and the job to read times from."""

    job: Job
    stream: FrameStream


@dataclass(slots=True)
class _Admitted:
    """A job that is not over: its ticket, and the lanes that run it."""

    ticket: Ticket
    lanes: Lanes


class Engine:
    """Admits jobs up to a limit of rows, runs them on lanes, and streams what they emit.

    Args:
        lanes: Who calls the graphs, each with a scheduler of its own; the first is the nearest.
        max_rows_in_flight: Rows admitted and not over, beyond which `submit` refuses.
        stream_frames: Frames that may wait in one stream.
        ids: Numbers for jobs, where others have jobs on the same lanes.
        rows_elsewhere: Reads the rows that other processes have admitted under the same limit.
        others: Takes what the lanes hand over of jobs that are not from here.
        on_rows: Told the rows in flight when they change.
    """

    def __init__(
        self,
        *lanes: Lanes,
        max_rows_in_flight: int,
        stream_frames: int,
        ids: Iterator[int] | None = None,
        rows_elsewhere: Callable[[], int] = lambda: 0,
        others: HandOver = lambda _: None,
        on_rows: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._lanes = list(lanes)
        self._max_rows = max_rows_in_flight
        self._stream_frames = stream_frames
        self._admitted: dict[int, _Admitted] = {}
        self._rows = 0
        self._ids = itertools.count(1) if ids is None else ids
        self._rows_elsewhere, self._others, self._on_rows = rows_elsewhere, others, on_rows
        self._watch: asyncio.Task[None] | None = None
        self._draining = False
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def rows_in_flight(self) -> int:
        """Rows admitted and not over."""
        return self._rows

    @property
    def lanes(self) -> int:
        """Number of lanes: graph calls that are made side by side."""
        return sum(lanes.count for lanes in self._lanes if lanes.accepting)

    @property
    def accepting(self) -> bool:
        """Whether `submit` admits jobs."""
        return not self._draining and not self._closed and any(lanes.accepting for lanes in self._lanes)

    def start(self) -> None:
        """Starts the lanes; called on the event loop that all streams belong to."""
        self._watch = asyncio.create_task(self._end_late())
        for lanes in self._lanes:
            lanes.start(self._hand_over, partial(self._lose, lanes))

    def add_peer(self, peer: PeerLane) -> None:
        """Takes the lane of another process, too; what it cannot run, the first lane here does."""
        self._lanes.append(peer)
        own = next((lanes for lanes in self._lanes if not isinstance(lanes, PeerLane)), None)
        returned = None if own is None else partial(self._take_back, own)
        peer.start(self._hand_over, partial(self._lose, peer), returned)

    def remove_peer(self, peer: PeerLane) -> None:
        """Forgets a lane that has ended."""
        self._lanes.remove(peer)

    def keep(self, graphs: Sequence[Graph]) -> None:
        """Says which graphs new jobs will call, so that others are not held."""
        for lanes in self._lanes:
            if isinstance(lanes, PeerLane):
                lanes.keep(graphs)

    def submit(self, submissions: Sequence[Submission], *, timeout_s: float) -> list[Ticket]:
        """Admits all the parts of a request, or none.

        Args:
            submissions: The parts; each at most as large as its graphs' row limit.
            timeout_s: Seconds from now after which the jobs expire.

        Raises:
            PentimentoError: OVERLOADED with a hint when to come back, or UNAVAILABLE while draining.
        """
        self.check_room(sum(submission.rows for submission in submissions))
        now = time.monotonic()
        return [self._admit(submission, now, timeout_s) for submission in submissions]

    def check_room(self, rows: int) -> None:
        """Refuses now what `submit` would refuse; a `submit` that follows later may still fail.

        Raises:
            PentimentoError: as `submit`.
        """
        if self._draining or self._closed:
            raise PentimentoError(Code.UNAVAILABLE, "the server is shutting down", retry_after_s=1.0)
        if not self.accepting:
            raise PentimentoError(Code.UNAVAILABLE, "nothing can be drawn at the moment", retry_after_s=1.0)
        in_flight = self._rows + self._rows_elsewhere()
        if in_flight + rows > self._max_rows:
            raise PentimentoError(
                Code.OVERLOADED,
                f"{in_flight} rows are in flight and {rows} more would pass the limit of {self._max_rows}",
                retry_after_s=1.0,
            )

    def _admit(self, submission: Submission, now: float, timeout_s: float) -> Ticket:
        job = Job(
            id=next(self._ids),
            rows=submission.rows,
            plan=submission.plan,
            tensors={name: Rows.of(values) for name, values in submission.tensors.items()},
            deadline=now + timeout_s,
            room=self._stream_frames,
            admitted_at=now,
        )
        stream = FrameStream(
            batch=max(1, self._stream_frames // 2),
            on_room=partial(self._grant, job.id),
            on_collect=partial(self._hold, job.id),
            on_close=partial(self._cancel, job.id),
        )
        ticket = Ticket(job=job, stream=stream)
        lanes = self._choose(submission)
        self._admitted[job.id] = _Admitted(ticket, lanes)
        self._rows += job.rows
        self._on_rows(self._rows)
        self._idle.clear()
        lanes.add([job])
        return ticket

    def _choose(self, submission: Submission) -> Lanes:
        """The nearest lane, unless it has much more to do than another."""
        if len(self._lanes) == 1:
            return self._lanes[0]
        best = None
        for lanes in self._lanes:
            if not lanes.accepting:
                continue
            if best is None:
                best = lanes
            elif _is_better(lanes, best, submission.rows):
                if lanes.has({call.graph for call in submission.plan}, submission.rows):
                    best = lanes
        if best is None:
            raise PentimentoError(Code.UNAVAILABLE, "nothing can be drawn at the moment", retry_after_s=1.0)
        return best

    def _grant(self, job_id: int, frames: int) -> None:
        if (admitted := self._admitted.get(job_id)) is not None:
            admitted.lanes.grant(job_id, frames)

    def _hold(self, job_id: int) -> None:
        if (admitted := self._admitted.get(job_id)) is not None:
            admitted.lanes.hold(job_id)

    def _cancel(self, job_id: int) -> None:
        admitted = self._admitted.get(job_id)
        if admitted is not None:
            admitted.lanes.cancel(job_id)
            self._forget(job_id)

    def _hand_over(self, handed: Sequence[Handed]) -> None:
        others = []
        for each in handed:
            job_id, event, started_at = each
            admitted = self._admitted.get(job_id)
            if admitted is None:
                others.append(each)  # of another process, or cancelled meanwhile
                continue
            admitted.ticket.job.started_at = started_at
            admitted.ticket.stream.put(event)
            if event is None or isinstance(event, PentimentoError):
                self._forget(job_id)
        if others:
            self._others(others)

    def _take_back(self, own: Lanes, job: Job) -> None:
        """Runs a job here that another process could not run."""
        admitted = self._admitted.get(job.id)
        if admitted is not None:
            admitted.lanes = own
            own.add([job])

    def _lose(self, lanes: Lanes, error: PentimentoError) -> None:
        """Ends every job that some lanes had."""
        for job_id, admitted in list(self._admitted.items()):
            if admitted.lanes is lanes:
                admitted.ticket.stream.put(error)
                self._forget(job_id)

    async def _end_late(self) -> None:
        """Ends jobs whose lane has not: a deadline holds even if a graph call never returns."""
        while True:
            await asyncio.sleep(_LATE_S)
            late = time.monotonic() - _LATE_S
            for job_id, admitted in list(self._admitted.items()):
                job = admitted.ticket.job
                if job.deadline < late:
                    message = f"the deadline passed while {_where(job)}"
                    admitted.ticket.stream.put(PentimentoError(Code.DEADLINE_EXCEEDED, message))
                    self._cancel(job_id)

    def _forget(self, job_id: int) -> None:
        admitted = self._admitted.pop(job_id)
        self._rows -= admitted.ticket.job.rows
        self._on_rows(self._rows)
        if not self._admitted:
            self._idle.set()

    async def drain(self, grace_s: float) -> bool:
        """Refuses new jobs and waits at most `grace_s` seconds for the running ones. True if all finished."""
        self._draining = True
        try:
            await asyncio.wait_for(self._idle.wait(), grace_s)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Fails all jobs that are left with UNAVAILABLE, and ends the lanes after their current call."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        for lanes in self._lanes:
            self._lose(
                lanes,
                PentimentoError(Code.UNAVAILABLE, "the server shut down before the drawing was complete"),
            )
        await asyncio.gather(*(lanes.close() for lanes in self._lanes))


def _is_better(other: Lanes, best: Lanes, rows: int) -> bool:
    """Whether rows are better off on another lane; it is farther, so a few must find much less there."""
    theirs, ours = other.rows, best.rows
    return ours >= _FEW_ROWS and theirs + rows <= ours and (rows >= _MANY_ROWS or theirs < ours / 2)


def _where(job: Job) -> str:
    return "a graph was called" if job.started_at is not None else "it waited for its first graph call"
