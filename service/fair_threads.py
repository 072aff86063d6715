"""Threads for work that would hold up the event loop, fair among the clients for whom it is done.

The rule is the scheduler's: who has waited longest for a turn goes first, and after it joins the end. So a
client who sends a hundred large pictures keeps another waiting for one of them, and not for all.
"""

__all__ = ["ASKER", "FairThreads"]

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

from pentimento.service.errors import Code, PentimentoError

T = TypeVar("T")

ASKER: ContextVar[str] = ContextVar("asker", default="")
"""The client for whom the current task works; the door sets it."""


class _Work(NamedTuple):
    """Something to do, and where its result goes."""

    future: Future[Any]
    do: Callable[..., Any]
    args: tuple[object, ...]


class FairThreads:
    """A few threads, for any number of event loops.

    Args:
        count: Of threads.
        name: Theirs begin with it.
    """

    def __init__(self, count: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[_Work]] = {}  # by client; whose turn is next comes first

    async def run(
        self, work: Callable[..., T], *args: object, left_s: float | None = None, doing: str = ""
    ) -> T:
        """Does something in a thread, when it is its client's turn.

        Args:
            work: A function that blocks for a fraction of a second at most: it is not interrupted.
            args: Its arguments.
            left_s: Seconds after which nobody waits for it any more; what has not begun then never does.
            doing: What that is, for the message: "the deadline passed while ...".

        Raises:
            PentimentoError: DEADLINE_EXCEEDED: not in time; or whatever `work` raises.
        """
        if left_s is None or left_s > 0:
            client, waiting = ASKER.get(), _Work(Future(), work, args)
            self._begin(client, waiting)
            future = asyncio.wrap_future(waiting.future)
            try:
                await asyncio.wait((future,), timeout=left_s)
                if future.done():
                    result: T = future.result()
                    return result
            finally:
                if waiting.future.cancel():
                    self._drop(client, waiting)
                future.cancel()
                del future, waiting  # or an error's traceback would lead back to the error
        raise PentimentoError(Code.DEADLINE_EXCEEDED, f"the deadline passed while {doing}")

    def _begin(self, client: str, work: _Work) -> None:
        with self._lock:
            self._waiting.setdefault(client, deque()).append(work)
        self._pool.submit(self._take_turn)  # one for each, which does whosever turn it is

    def _drop(self, client: str, work: _Work) -> None:
        """Lets go of what was cancelled before its turn: its arguments may be large."""
        with self._lock:
            queue = self._waiting.get(client)
            if queue is not None and work in queue:
                queue.remove(work)
                if not queue:
                    del self._waiting[client]

    def _take_turn(self) -> None:
        with self._lock:
            client = next(iter(self._waiting), None)
            if client is None:  # it was cancelled
                return
            queue = self._waiting.pop(client)
            work = queue.popleft()
            if queue:
                self._waiting[client] = queue  # at the end
        if not work.future.set_running_or_notify_cancel():
            return
        try:
            result = work.do(*work.args)
        except BaseException as error:
            work.future.set_exception(error)
            del work  # or the error's traceback would lead back to the error
        else:
            work.future.set_result(result)
