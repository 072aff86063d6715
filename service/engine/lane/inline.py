"""A lane on the event loop: between two rounds of it one batch is computed, without a way to anywhere else.

With graphs as small as these, the way to a thread or another process and back took as long as a call. Clients
that ask during a call wait for its end, which is why only short calls are made here. A call that may take
longer than `QUICK_S`, as its graph was measured, is made in a thread, where ONNX Runtime lets go of Python's
lock: so a heavy bundle never makes the event loop deaf. There is one such call at a time, and meanwhile short
ones go on here. Neither kind waits for turns of the other: when a long call is over, the next begins in the
same round of the loop, and where both want one CPU, the system shares it out.
"""

__all__ = ["LaneInline"]

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from weakref import WeakKeyDictionary

from pentimento.service.engine.calibration import QUICK_S
from pentimento.service.engine.job import Batch, Graph, Job
from pentimento.service.engine.lane.lane import Handed, HandOver, Lost, Observe, Results, make
from pentimento.service.engine.scheduler import Delivery, Favour, Scheduler
from pentimento.service.errors import Code, PentimentoError

_log = logging.getLogger(__name__)

_CLOSE_S = 5.0
_AGAIN_S = 10.0  # before a graph that took too long on the event loop is tried there again


class LaneInline:
    """One lane on the event loop and a thread for long calls; methods as described in `Lanes`.

    Args:
        observe: Told about every graph call, on the event loop or the lane's thread.
        on_call: Told, on the event loop, that the thread begins (True) or has ended (False) a call.
    """

    def __init__(
        self, observe: Observe | None = None, on_call: Callable[[bool], None] = lambda _: None
    ) -> None:
        self._observe, self._on_call = observe, on_call
        self._scheduler = Scheduler()
        self._away: Graph | None = None  # the graph that is called in a thread
        self._long_favour = Favour()
        self._slow: WeakKeyDictionary[Graph, float] = WeakKeyDictionary()  # until when they are held to be
        self._planned = False
        self._timer: asyncio.TimerHandle | None = None  # for the next deadline
        self._open = False

    def start(self, hand_over: HandOver, lost: Lost) -> None:
        """From now on the lane takes jobs."""
        self._hand_over, self._lost = hand_over, lost
        self._loop = asyncio.get_running_loop()
        self._open = True

    @property
    def count(self) -> int:
        """1: one batch at a time, and maybe a long one in the thread."""
        return 1

    @property
    def accepting(self) -> bool:
        """Whether the lane has started and not ended."""
        return self._open

    def has(self, graphs: Collection[Graph], rows: int) -> bool:
        """Always: they are called as the jobs have them."""
        return True

    @property
    def rows(self) -> int:
        """Rows of jobs here that are not over."""
        return self._scheduler.rows

    def add(self, jobs: Sequence[Job]) -> None:
        """Queues admitted jobs."""
        for job in jobs:
            self._scheduler.add(job)
        self._plan()

    def grant(self, job_id: int, frames: int) -> None:
        """Gives a job room for more frames, as its reader has taken some."""
        if self._scheduler.grant(job_id, frames):
            self._plan()

    def hold(self, job_id: int) -> None:
        """Keeps a job's frames until its end, as its reader wants them all at once."""
        if self._scheduler.hold(job_id):
            self._plan()

    def cancel(self, job_id: int) -> None:
        """Drops a job whose reader is gone."""
        self._scheduler.cancel(job_id)

    async def close(self) -> None:
        """Ends the lane; a call in a thread is waited for, unless it takes very long."""
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        end = time.monotonic() + _CLOSE_S
        while self._away is not None and time.monotonic() < end:
            await asyncio.sleep(0.01)

    def _plan(self) -> None:
        if not self._planned and self._open:
            self._planned = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Sends a long call to the thread if it is free, and makes a short one; then the loop has a round."""
        self._planned = False
        if not self._open:
            return
        try:
            now = time.monotonic()
            self._deliver(self._scheduler.expire(now))
            if self._away is None:
                self._send_away(self._scheduler.next_batch(1, now, self._is_long, self._long_favour))
            batch = self._scheduler.next_batch(1, now, self._is_short)
            if batch is None:
                self._await_deadline(now)
                return
            started = time.thread_time()
            results = make(batch, self._observe)
            if time.thread_time() - started > 2 * QUICK_S:  # depends on its input, or was measured wrongly
                self._slow[batch.graph] = now + _AGAIN_S
            self._advance(batch, results)
            self._plan()
        except Exception:
            self._give_up()

    def _send_away(self, batch: Batch | None) -> None:
        if batch is None:
            return
        self._away = batch.graph
        self._on_call(True)
        # One for each call, which takes much longer; a daemon, as nobody waits at the end for one that hangs.
        threading.Thread(target=self._call, args=(batch,), name="lane", daemon=True).start()

    def _call(self, batch: Batch) -> None:
        results = make(batch, self._observe)
        try:
            self._loop.call_soon_threadsafe(self._come_back, batch, results)
        except RuntimeError:  # the loop is closed: nobody is left to read
            _log.debug("results came after the event loop closed")

    def _come_back(self, batch: Batch, results: Results) -> None:
        self._away = None
        self._on_call(False)
        if not self._open:
            return
        try:
            self._advance(batch, results)
            self._plan()
        except Exception:
            self._give_up()

    def _advance(self, batch: Batch, results: Results) -> None:
        deliveries: list[Delivery] = []
        now = time.monotonic()
        self._scheduler.done(batch)
        for part, outputs in results:
            deliveries += self._scheduler.advance(part, outputs, now)
        self._deliver(deliveries)

    def _deliver(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            self._hand_over([Handed.of(delivery) for delivery in deliveries])

    def _is_long(self, graph: Graph, waiting_rows: int) -> bool:
        """Whether a call of those rows of it that wait may take long."""
        quick = graph.quick_rows
        if self._slow and self._slow.get(graph, 0.0) > time.monotonic():
            quick = 0
        return min(waiting_rows, graph.max_rows) > quick

    def _is_short(self, graph: Graph, waiting_rows: int) -> bool:
        """Whether they may be called here; what waits for the thread's own graph goes on with it."""
        return graph is not self._away and not self._is_long(graph, waiting_rows)

    def _await_deadline(self, now: float) -> None:
        """Looks again when the next deadline passes: nothing else may happen until then."""
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._scheduler.next_deadline
        self._timer = None
        if deadline is not None:
            self._timer = self._loop.call_later(max(0.0, deadline - now) + 0.001, self._plan)

    def _give_up(self) -> None:
        # A defect of ours, not of a graph: no client may wait for ever on a lane that is gone.
        _log.critical("a lane ended by an error; no further work is taken", exc_info=True)
        self._open = False
        error = PentimentoError(Code.INTERNAL, "the engine stopped by an internal error")
        self._lost(error)
