"""The engine: lanes (threads) that take batches from the scheduler, call graphs and hand results over.

    batch = scheduler.next_batch(); outputs = run(batch); deliveries = scheduler.advance(batch, outputs)

`submit`, `cancel` and the streams belong to one event loop; the lanes to their threads; `_wake` guards the
scheduler between them. ONNX Runtime releases the GIL while it computes, so lanes run side by side.
"""

__all__ = ["Engine", "EngineObserver", "Submission", "Ticket"]

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from service.errors import Code, PentimentoError
from service.job import Batch, Call, Job
from service.rows import Array, Arrays, Rows
from service.scheduler import Delivery, Scheduler
from service.stream import FrameStream

_log = logging.getLogger(__name__)


class EngineObserver(Protocol):
    """Who wants to know about every graph call; called on lane threads."""

    def batch(self, *, graph: str, rows: int, distinct_t: int, seconds: float) -> None:
        """One call of a graph is done."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """Rows to admit: a plan and the tensors that it starts from."""

    rows: int
    plan: Sequence[Call]
    tensors: dict[str, Array]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """An admitted job: its stream, and the job to read times from."""

    job: Job
    stream: FrameStream


class Engine:
    """Runs jobs until closed.

    Args:
        lanes: Threads that call graphs.
        max_rows_in_flight: Rows admitted and not over, beyond which `submit` refuses.
        stream_frames: Frames that may wait in one stream.
        observer: Told about every graph call.
    """

    def __init__(
        self,
        *,
        lanes: int,
        max_rows_in_flight: int,
        stream_frames: int,
        observer: EngineObserver | None = None,
    ) -> None:
        self.lanes = lanes
        self._max_rows = max_rows_in_flight
        self._stream_frames = stream_frames
        self._observer = observer
        self._scheduler = Scheduler()
        self._wake = threading.Condition()
        self._waiting = 0  # lanes without work
        self._streams: dict[int, FrameStream] = {}  # event loop only
        self._ids = itertools.count(1)
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining = False
        self._closed = False
        self._idle = asyncio.Event()

    @property
    def rows_in_flight(self) -> int:
        """Rows admitted and not over."""
        return self._scheduler.rows

    @property
    def accepting(self) -> bool:
        """Whether `submit` admits jobs."""
        return bool(self._threads) and not self._draining and not self._closed

    def start(self) -> None:
        """Starts the lanes; called on the event loop that all streams belong to."""
        self._loop = asyncio.get_running_loop()
        self._idle.set()
        for lane in range(self.lanes):
            thread = threading.Thread(target=self._lane, name=f"lane-{lane}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def submit(self, submissions: Sequence[Submission], *, timeout_s: float) -> list[Ticket]:
        """Admits all the parts of a request, or none.

        Args:
            submissions: The parts; each at most as large as its graphs' row limit.
            timeout_s: Seconds from now after which the jobs expire.

        Raises:
            PentimentoError: OVERLOADED with a hint when to come back, or UNAVAILABLE while draining.
        """
        now = time.monotonic()
        with self._wake:
            self.check_room(sum(submission.rows for submission in submissions))
            tickets = [self._admit(submission, now, timeout_s) for submission in submissions]
            self._wake.notify(len(tickets))
        self._idle.clear()
        return tickets

    def check_room(self, rows: int) -> None:
        """Refuses what `submit` would refuse; what it lets pass may still be too late.

        Raises:
            PentimentoError: as `submit`.
        """
        if not self.accepting:
            raise PentimentoError(Code.UNAVAILABLE, "the server is shutting down", retry_after_s=1.0)
        in_flight = self._scheduler.rows
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
            on_room=lambda frames: self._grant(job.id, frames), on_close=lambda: self._cancel(job.id)
        )
        self._streams[job.id] = stream
        self._scheduler.add(job)
        return Ticket(job=job, stream=stream)

    def _grant(self, job_id: int, frames: int) -> None:
        with self._wake:
            if self._scheduler.grant(job_id, frames):
                self._wake.notify()

    def _cancel(self, job_id: int) -> None:
        with self._wake:
            self._scheduler.cancel(job_id)
        self._forget(job_id)

    def _lane(self) -> None:
        try:
            while self._turn():
                pass
        except Exception:
            # A defect of ours, not of a graph: no client may wait for ever on a lane that is gone.
            _log.critical("a lane ended by an error; no further work is taken", exc_info=True)
            self._stop(PentimentoError(Code.INTERNAL, "the engine stopped by an internal error"))

    def _turn(self) -> bool:
        """Waits for a batch, runs it and hands its results over. False once closed."""
        batch = self._next_batch()
        if batch is None:
            return False
        results = self._run(batch)
        deliveries: list[Delivery] = []
        with self._wake:
            now = time.monotonic()
            for part, outputs in results:
                deliveries += self._scheduler.advance(part, outputs, now)
        self._deliver(deliveries)
        return True

    def _next_batch(self) -> Batch | None:
        """Blocks until there is work; None once closed."""
        while True:
            with self._wake:
                if self._closed:
                    return None
                now = time.monotonic()
                late = self._scheduler.expire(now)
                batch = self._scheduler.next_batch(self._waiting + 1)
                if batch is not None:
                    for job in batch.jobs:
                        job.started_at = job.started_at or now
                    if self._scheduler.runnable:
                        self._wake.notify()  # there is work for another lane as well
                elif not late:
                    deadline = self._scheduler.next_deadline
                    self._waiting += 1
                    self._wake.wait(None if deadline is None else max(0.0, deadline - now))
                    self._waiting -= 1
            self._deliver(late)
            if batch is not None:
                return batch

    def _run(self, batch: Batch) -> list[tuple[Batch, Arrays | PentimentoError]]:
        """Calls the graph; if that fails, calls it for each job alone, so that only the guilty one fails."""
        try:
            started = time.monotonic()
            outputs = batch.graph.run(batch.stack())
            if self._observer is not None:
                seconds = time.monotonic() - started
                self._observer.batch(
                    graph=batch.graph.label, rows=batch.rows, distinct_t=batch.distinct_t, seconds=seconds
                )
            return [(batch, outputs)]
        except Exception:
            if len(batch.jobs) > 1:
                return [self._run(Batch(graph=batch.graph, jobs=(job,)))[0] for job in batch.jobs]
            _log.exception("graph %s failed", batch.graph.label)
            message = f"graph {batch.graph.label} failed on this input"
            return [(batch, PentimentoError(Code.INFERENCE_FAILED, message))]

    def _deliver(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries and self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._hand_over, deliveries)
            except RuntimeError:  # the loop is closed: nobody is left to read
                _log.debug("%d deliveries came after the event loop closed", len(deliveries))

    def _hand_over(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            stream = self._streams.get(delivery.job.id)
            if stream is None:
                continue  # cancelled meanwhile
            stream.put(delivery.event)
            if delivery.event is None or isinstance(delivery.event, PentimentoError):
                self._forget(delivery.job.id)

    def _forget(self, job_id: int) -> None:
        self._streams.pop(job_id, None)
        if not self._streams:
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
        """Ends what is left with UNAVAILABLE, and the lanes after their current call."""
        self._stop(PentimentoError(Code.UNAVAILABLE, "the server shut down before the drawing was complete"))
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _stop(self, error: PentimentoError) -> None:
        with self._wake:
            self._closed = True
            deliveries = self._scheduler.fail_all(error)
            self._wake.notify_all()
        self._deliver(deliveries)
