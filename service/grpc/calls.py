"""Keeps track of gRPC calls that are not over, to wait for them at a stop, and to cut off absent readers."""

__all__ = ["Calls"]

import asyncio
import contextlib
import logging
import time
from collections import Counter
from typing import NoReturn

from pentimento.service.grpc.call import Context, Pace
from pentimento.service.grpc.connections import end_connections
from pentimento.service.grpc.sending import Outgoing, Sending

_log = logging.getLogger(__name__)

_MOST_UNTAKEN = 4  # of a connection, beside calls of it that go on
_BYTES_PER_S = 32 << 10  # at which answers must be taken when most of the budget is: a telephone is faster


class Calls:
    """All calls from their beginning until their status has been sent.

    A client that takes nothing takes no status either, and gRPC holds for it what it was sent last: its
    interface has no way to end a call from here. Ending the connection does.

    Args:
        port: That the server listens on.
        pace: How fast a client must take the rest of a call when its handler is done.
        sending: The budget for answers; when most of it is taken, a client must be faster.
    """

    def __init__(self, port: int, pace: Pace, sending: Sending) -> None:
        self._port, self._pace, self._sending = port, pace, sending
        self._running: dict[Context, Outgoing] = {}
        self._rest: dict[Context, tuple[float, int]] = {}  # of those whose handler is done: since when, bytes
        self._leaving: set[Context] = set()  # those that a stop waits for
        self._left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, context: Context, outgoing: Outgoing) -> None:
        """Keeps track of a call, and of what is on its way to its client, until its status has been sent."""
        self._running[context] = outgoing
        # Unlike a `finally` in the handler, this runs when the status has been sent.
        context.add_done_callback(self._end)  # type: ignore[arg-type]  # the stubs want a subclass

    def hand_over(self, context: Context, size: int) -> None:
        """Notes that a handler is done, and that its client must take what is left, about `size` bytes."""
        self._rest[context] = time.monotonic(), size

    def _end(self, context: Context) -> None:
        if (outgoing := self._running.pop(context, None)) is not None:
            outgoing.close()
        self._rest.pop(context, None)
        self._leaving.discard(context)
        if not self._leaving:
            self._left.set()

    async def leave(self, grace: float) -> None:
        """Waits for the calls that run now, for at most `grace` seconds."""
        self._leaving, self._left = set(self._running), asyncio.Event()
        if self._leaving:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), grace)

    async def watch(self) -> NoReturn:
        """Ends, for ever, the connections of clients that do not take the rest of a call in time.

        Whatever else runs on the connection is waited for, unless there are several such calls.
        """
        while True:
            await asyncio.sleep(self._pace.max_stall_s / 4)
            untaken = Counter(context.peer() for context in self._late(time.monotonic()))
            if not untaken:
                continue
            running = Counter(context.peer() for context in self._running)
            for peer, count in untaken.items():
                if count == running[peer] or count >= _MOST_UNTAKEN:
                    _log.info("the connection of %s is cut: it did not take the end of %d calls", peer, count)
                    end_connections(self._port, peer)

    def _late(self, now: float) -> list[Context]:
        """Calls whose rest should have been taken by now."""
        speed = self._pace.min_bytes_per_s
        if self._sending.is_tight:
            speed = max(speed, _BYTES_PER_S)
        most_s = self._pace.max_stall_s
        return [each for each, (since, size) in self._rest.items() if since + most_s + size / speed < now]
