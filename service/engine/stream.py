"""Carries the emissions of one job from the engine to whoever reads them, with backpressure.

A stream lives on the event loop and needs no lock. It never grows beyond the frames that the job had room
for, because reading grants room for as many more, and a job without room does not run. A reader that wants
everything at the end says so, gets all of it at once, and is woken once.
"""

__all__ = ["FrameStream"]

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

from pentimento.service.engine.job import Emission
from pentimento.service.errors import PentimentoError


class FrameStream:
    """Async iterator of a job's emissions; ends, or raises the job's error, exactly once.

    Args:
        batch: Frames to be read before room for as many more is granted.
        on_room: Told how many more frames the reader can take.
        on_collect: Told that the reader wants everything at the end.
        on_close: Told that the reader is gone.
    """

    def __init__(
        self,
        *,
        batch: int = 1,
        on_room: Callable[[int], None],
        on_collect: Callable[[], None],
        on_close: Callable[[], None],
    ) -> None:
        self._batch = batch
        self._read = 0  # and not granted anew
        self._on_room = on_room
        self._on_collect = on_collect
        self._on_close = on_close
        self._events: deque[Emission | PentimentoError | None] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._wakes_at_end_only = False
        self._over = False

    def put(self, event: Emission | PentimentoError | None) -> None:
        """Adds an emission, or the end: an error, or None. What comes after close is dropped."""
        if self._over:
            return
        self._events.append(event)
        if not (self._wakes_at_end_only and isinstance(event, Emission)):
            self._wake()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Emission:
        while not self._events:
            if self._over:
                raise StopAsyncIteration
            await self._wait()
        event = self._events.popleft()
        if isinstance(event, Emission):
            self._read += 1
            if self._read == self._batch:
                self._read = 0
                self._on_room(self._batch)
            return event
        self._over = True
        if event is None:
            raise StopAsyncIteration
        try:
            raise event
        finally:
            del event  # its traceback holds this frame: a circle, which would hold the job and its graphs

    async def collect(self) -> list[Emission]:
        """Waits for the end and returns all emissions that are left; none if the stream was closed.

        Raises:
            PentimentoError: The job failed.
        """
        self._on_collect()
        self._wakes_at_end_only = True
        while not self._over and (not self._events or isinstance(self._events[-1], Emission)):
            await self._wait()
        if self._over:
            return []
        self._over = True
        *emissions, end = self._events
        self._events.clear()
        if end is not None:
            assert isinstance(end, PentimentoError)
            try:
                raise end
            finally:
                del end  # as above
        return [emission for emission in emissions if isinstance(emission, Emission)]

    def close(self) -> None:
        """Cancels the job unless it is over. Harmless twice."""
        if not self._over:
            self._over = True
            self._events.clear()
            self._on_close()
            self._wake()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
