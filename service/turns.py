"""Something that is done once at a time whoever asks for it, and again for who asks meanwhile."""

__all__ = ["Turns"]

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Callers while it is done wait for the next time, and share that with all others who wait.

    That time begins after they called, so it sees what they had done before; and any number of calls costs
    two times.

    Args:
        do: What is done.
    """

    def __init__(self, do: Callable[[], Awaitable[T]]) -> None:
        self._do = do
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[T] | None = None  # has not begun
        self._running: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Has it done and returns what came of it; a caller that leaves does not stop it."""
        if self._next is None:
            self._next = asyncio.create_task(self._run())
        return await asyncio.shield(self._next)

    async def _run(self) -> T:
        async with self._lock:
            self._running, self._next = self._next, None
            try:
                return await self._do()
            finally:
                self._running = None
