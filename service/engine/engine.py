"""The engine: admits jobs, gives each to the lanes with the least to do, and passes on what they compute.

Everything here belongs to one event loop. What runs next is decided by the lanes' scheduler.
"""

__all__ = ["Engine", "Submission", "Ticket"]

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pentimento.service.engine.job import Call, Graph, Job
from pentimento.service.engine.lane.lane import Handed, Lanes
from pentimento.service.engine.rows import Array, Rows
from pentimento.service.engine.stream import FrameStream
from pentimento.service.errors import Code, PentimentoError


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
        lanes: Who calls the graphs, each with a scheduler of its own.
        max_rows_in_flight: Rows admitted and not over, beyond which `submit` refuses.
        stream_frames: Frames that may wait in one stream.
    """

    def __init__(self, *lanes: Lanes, max_rows_in_flight: int, stream_frames: int) -> None:
        self._lanes = lanes
        self._max_rows = max_rows_in_flight
        self._stream_frames = stream_frames
        self._admitted: dict[int, _Admitted] = {}
        self._load: dict[Lanes, int] = dict.fromkeys(lanes, 0)  # calls for a row that are admitted
        self._rows = 0
        self._ids = itertools.count(1)
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
        return sum(lanes.count for lanes in self._lanes)

    @property
    def accepting(self) -> bool:
        """Whether `submit` admits jobs."""
        return not self._draining and not self._closed and any(lanes.accepting for lanes in self._lanes)

    def start(self) -> None:
        """Starts the lanes; called on the event loop that all streams belong to."""
        for lanes in self._lanes:
            lanes.start(self._hand_over, lambda error, lanes=lanes: self._lose(lanes, error))  # type: ignore[misc]

    async def ready(self) -> None:
        """Waits until the lanes have everything they need. Raises RuntimeError if they never will."""
        await asyncio.gather(*(lanes.ready() for lanes in self._lanes))

    def keep(self, graphs: Sequence[Graph]) -> None:
        """Says which graphs jobs will call from now on; jobs that run may call others until they end."""
        for lanes in self._lanes:
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
        if self._rows + rows > self._max_rows:
            raise PentimentoError(
                Code.OVERLOADED,
                f"{self._rows} rows are in flight and {rows} more would pass the limit of {self._max_rows}",
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
        lanes = min((lanes for lanes in self._lanes if lanes.accepting), key=self._load.__getitem__)
        stream = FrameStream(
            batch=max(1, self._stream_frames // 2),
            on_room=lambda frames: lanes.grant(job.id, frames),
            on_collect=lambda: lanes.hold(job.id),
            on_close=lambda: self._cancel(job.id),
        )
        ticket = Ticket(job=job, stream=stream)
        self._admitted[job.id] = _Admitted(ticket, lanes)
        self._rows += job.rows
        self._load[lanes] += _work(job)
        self._idle.clear()
        lanes.add([job])
        return ticket

    def _cancel(self, job_id: int) -> None:
        admitted = self._admitted.get(job_id)
        if admitted is not None:
            admitted.lanes.cancel(job_id)
            self._forget(job_id)

    def _hand_over(self, handed: Sequence[Handed]) -> None:
        for job_id, event, started_at in handed:
            admitted = self._admitted.get(job_id)
            if admitted is None:
                continue  # cancelled meanwhile
            admitted.ticket.job.started_at = started_at
            admitted.ticket.stream.put(event)
            if event is None or isinstance(event, PentimentoError):
                self._forget(job_id)

    def _lose(self, lanes: Lanes, error: PentimentoError) -> None:
        """Ends every job that some lanes had."""
        for job_id, admitted in list(self._admitted.items()):
            if admitted.lanes is lanes:
                admitted.ticket.stream.put(error)
                self._forget(job_id)

    def _forget(self, job_id: int) -> None:
        admitted = self._admitted.pop(job_id)
        self._rows -= admitted.ticket.job.rows
        self._load[admitted.lanes] -= _work(admitted.ticket.job)
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
        for lanes in self._lanes:
            self._lose(
                lanes,
                PentimentoError(Code.UNAVAILABLE, "the server shut down before the drawing was complete"),
            )
        await asyncio.gather(*(lanes.close() for lanes in self._lanes))


def _work(job: Job) -> int:
    """A job's cost, to share load evenly: its rows times its graph calls."""
    return job.rows * len(job.plan)
