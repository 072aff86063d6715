"""Lanes as threads of this process. ONNX Runtime releases the GIL while it computes: they run side by side.

`_wake` guards the scheduler between them and the event loop.
"""

__all__ = ["LaneThreads"]

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence

from pentimento.service.engine.job import Batch, Graph, Job
from pentimento.service.engine.lane.lane import Handed, HandOver, Lost, Observe, make
from pentimento.service.engine.scheduler import Delivery, Scheduler
from pentimento.service.errors import Code, PentimentoError

_log = logging.getLogger(__name__)


class LaneThreads:
    """Lanes that are threads and share a scheduler; methods as described in `Lanes`.

    Args:
        count: Number of threads.
        observe: Told about every graph call, on the lanes' threads.
    """

    def __init__(self, count: int, observe: Observe | None = None) -> None:
        self.count = count
        self._observe = observe
        self._scheduler = Scheduler()
        self._wake = threading.Condition()
        self._waiting = 0  # lanes without work
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(self, hand_over: HandOver, lost: Lost) -> None:
        """Starts the threads; from now on they take jobs."""
        self._loop = asyncio.get_running_loop()
        self._hand_over, self._lost = hand_over, lost
        for lane in range(self.count):
            thread = threading.Thread(target=self._lane, name=f"lane-{lane}", daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def accepting(self) -> bool:
        """Whether the threads run, so that jobs can be added."""
        return bool(self._threads) and not self._closed

    def has(self, graphs: Collection[Graph], rows: int) -> bool:
        """Always: they are called as the jobs have them."""
        return True

    @property
    def rows(self) -> int:
        """Rows of jobs here that are not over."""
        return self._scheduler.rows

    def add(self, jobs: Sequence[Job]) -> None:
        """Queues admitted jobs."""
        with self._wake:
            for job in jobs:
                self._scheduler.add(job)
            self._wake.notify(len(jobs))

    def grant(self, job_id: int, frames: int) -> None:
        """Gives a job room for more frames, as its reader has taken some."""
        with self._wake:
            if self._scheduler.grant(job_id, frames):
                self._wake.notify()

    def hold(self, job_id: int) -> None:
        """Keeps a job's frames until its end, as its reader wants them all at once."""
        with self._wake:
            if self._scheduler.hold(job_id):
                self._wake.notify()

    def cancel(self, job_id: int) -> None:
        """Drops a job whose reader is gone."""
        with self._wake:
            self._scheduler.cancel(job_id)

    async def close(self) -> None:
        """Ends the threads after their current call."""
        self._stop()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _lane(self) -> None:
        try:
            while self._turn():
                pass
        except Exception:
            # A defect of ours, not of a graph: no client may wait for ever on a lane that is gone.
            _log.critical("a lane ended by an error; no further work is taken", exc_info=True)
            self._stop()
            error = PentimentoError(Code.INTERNAL, "the engine stopped by an internal error")
            self._on_loop(self._lost, error)

    def _turn(self) -> bool:
        """Waits for a batch, runs it and hands its results over. False once closed."""
        batch = self._next_batch()
        if batch is None:
            return False
        results = make(batch, self._observe)
        deliveries: list[Delivery] = []
        with self._wake:
            now = time.monotonic()
            self._scheduler.done(batch)
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
                batch = self._scheduler.next_batch(self._waiting + 1, now)
                if batch is not None:
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

    def _deliver(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            self._on_loop(self._hand_over, [Handed.of(delivery) for delivery in deliveries])

    def _on_loop(self, call: Callable[..., None], argument: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, argument)
        except RuntimeError:  # the loop is closed: nobody is left to read
            _log.debug("results came after the event loop closed")

    def _stop(self) -> None:
        with self._wake:
            self._closed = True
            self._wake.notify_all()
