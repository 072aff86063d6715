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
from pentimento.service.engine.room import Held, Place, Room
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
    """A job that is not over: its ticket, the lanes that run it, and whose room it takes."""

    ticket: Ticket
    lanes: Lanes
    place: Place


class Engine:
    """Admits jobs up to a limit of rows, runs them on lanes, and streams what they emit.

    Args:
        lanes: Who calls the graphs, each with a scheduler of its own; the first is the nearest.
        max_rows_in_flight: Rows admitted and not over, beyond which `reserve` refuses.
        stream_frames: Frames that may wait in one stream.
        max_values_in_flight: Numbers that admitted requests hold, beyond which `reserve` refuses.
        ids: Numbers for jobs, where others have jobs on the same lanes.
        held_elsewhere: Reads what other processes have admitted under the same limits.
        others: Takes what the lanes hand over of jobs that are not from here.
        on_held: Told what is in flight when that changes.
    """

    def __init__(
        self,
        *lanes: Lanes,
        max_rows_in_flight: int,
        stream_frames: int,
        max_values_in_flight: int = 1 << 27,
        ids: Iterator[int] | None = None,
        held_elsewhere: Callable[[], Held] = lambda: Held(0, 0),
        others: HandOver = lambda _: None,
        on_held: Callable[[Held], None] = lambda _: None,
    ) -> None:
        self._lanes = list(lanes)
        self._on_held = on_held
        self._room = Room(
            max_rows=max_rows_in_flight,
            max_values=max_values_in_flight,
            elsewhere=held_elsewhere,
            on_change=self._note_held,
        )
        self._stream_frames = stream_frames
        self._admitted: dict[int, _Admitted] = {}
        self._ids = itertools.count(1) if ids is None else ids
        self._others = others
        self._watch: asyncio.Task[None] | None = None
        self._draining = False
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def rows_in_flight(self) -> int:
        """Rows admitted and not over."""
        return self._room.held.rows

    @property
    def values_in_flight(self) -> int:
        """Numbers that the requests hold which are admitted and not over."""
        return self._room.held.values

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

    def reserve(self, rows: int, values: int = 0, *, timeout_s: float) -> Place:
        """Admits a request before anything is made for it, or refuses it.

        Args:
            rows: That it will have at a time, at least 1.
            values: Numbers that it will hold at a time.
            timeout_s: Seconds from now after which it expires, whatever is done for it then.

        Returns:
            What it holds, for `start_jobs`; to be left by `with` when no more jobs come.

        Raises:
            PentimentoError: OVERLOADED with a hint when to come back, or UNAVAILABLE while draining.
        """
        if self._draining or self._closed:
            raise PentimentoError(Code.UNAVAILABLE, "the server is shutting down", retry_after_s=1.0)
        if not self.accepting:
            raise PentimentoError(Code.UNAVAILABLE, "nothing can be drawn at the moment", retry_after_s=1.0)
        return self._room.take(rows, values, time.monotonic() + timeout_s)

    def start_jobs(self, submissions: Sequence[Submission], place: Place) -> list[Ticket]:
        """Begins with all the parts of an admitted request, or with none; also while draining.

        Args:
            submissions: The parts; each at most as large as its graphs' row limit.
            place: What the request holds, of which these rows are a part.

        Raises:
            PentimentoError: UNAVAILABLE: the engine has been closed, or nothing runs any more.
        """
        if self._closed:
            raise PentimentoError(Code.UNAVAILABLE, "the server is shutting down", retry_after_s=1.0)
        now = time.monotonic()
        tickets: list[Ticket] = []
        try:
            for submission in submissions:
                tickets.append(self._start_job(submission, now, place))
        except BaseException:
            for ticket in tickets:
                ticket.stream.close()
            raise
        self._on_held(self._room.held)  # whose number is the same, but the lanes' are others
        return tickets

    def submit(self, submissions: Sequence[Submission], *, timeout_s: float) -> list[Ticket]:
        """Admits all the parts of a request for which nothing is left to prepare, or none.

        Raises:
            PentimentoError: As `reserve`.
        """
        with self.reserve(sum(each.rows for each in submissions), timeout_s=timeout_s) as place:
            return self.start_jobs(submissions, place)

    def _start_job(self, submission: Submission, now: float, place: Place) -> Ticket:
        job = Job(
            id=next(self._ids),
            rows=submission.rows,
            plan=submission.plan,
            tensors={name: Rows.of(values) for name, values in submission.tensors.items()},
            deadline=place.deadline,
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
        self._admitted[job.id] = _Admitted(ticket, lanes, place)
        place.begin(job.rows)
        lanes.add([job])
        return ticket

    def _note_held(self, held: Held) -> None:
        if held.rows:
            self._idle.clear()
        else:
            self._idle.set()
        self._on_held(held)

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
            self._end_those_before(time.monotonic() - _LATE_S)

    def _end_those_before(self, late: float) -> None:  # whose names, unlike a loop's, go with its return
        for job_id, admitted in list(self._admitted.items()):
            job = admitted.ticket.job
            if job.deadline < late:
                message = f"the deadline passed while {_where(job)}"
                admitted.ticket.stream.put(PentimentoError(Code.DEADLINE_EXCEEDED, message))
                self._cancel(job_id)

    def _forget(self, job_id: int) -> None:
        admitted = self._admitted.pop(job_id)
        admitted.place.end(admitted.ticket.job.rows)

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
