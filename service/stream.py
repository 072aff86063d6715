"""The only way back: emissions of one job, from the engine to whoever reads them.

A stream lives on the event loop and needs no lock: the engine hands its deliveries over with one
`call_soon_threadsafe` a batch. It never grows beyond the frames that the job had room for, because each read
grants room for one more and a job without room does not run.
"""

__all__ = ["FrameStream"]

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

from service.errors import PentimentoError
from service.job import Emission


class FrameStream:
    """Async iterator of a job's emissions; ends, or raises the job's error, exactly once."""

    def __init__(self, *, on_read: Callable[[], None], on_close: Callable[[], None]) -> None:
        self._on_read = on_read
        self._on_close = on_close
        self._events: deque[Emission | PentimentoError | None] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._over = False

    def put(self, event: Emission | PentimentoError | None) -> None:
        """Adds an emission, or the end: an error, or None. What comes after close is dropped."""
        if self._over:
            return
        self._events.append(event)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Emission:
        while not self._events:
            if self._over:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        event = self._events.popleft()
        if isinstance(event, Emission):
            self._on_read()
            return event
        self._over = True
        if event is None:
            raise StopAsyncIteration
        raise event

    def close(self) -> None:
        """Cancels the job unless it is over. Harmless twice."""
        if not self._over:
            self._over = True
            self._events.clear()
            self._on_close()
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
