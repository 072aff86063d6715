"""A connection between two processes of a server, over which each may have jobs run on the other's lane."""

__all__ = ["LaneLink"]

import asyncio
import socket
from collections.abc import Callable
from typing import NamedTuple, cast

from pentimento.service.engine.lane.wire import Decoder, encode


class LaneLink(asyncio.Protocol):
    """One end of a connection; what is sent in a round of the event loop leaves in one system call.

    Args:
        on_message: Called with each message from the other end.
        on_end: Called once when the connection is over.
    """

    def __init__(self, on_message: Callable[[object], None], on_end: Callable[[], None]) -> None:
        self._on_message, self._on_end = on_message, on_end
        self._decoder = Decoder()
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []  # since the event loop's last round
        self._transport: asyncio.WriteTransport | None = None
        self._over = False

    async def open(self, sock: socket.socket) -> None:
        """Takes over a connected stream socket."""
        await self._loop.create_unix_connection(lambda: self, sock=sock)

    def send(self, message: NamedTuple) -> None:
        """Queues a message; messages arrive in order, and none once the connection is over."""
        if self._over:
            return
        if not self._unsent and self._transport is not None:
            self._loop.call_soon(self.flush)
        self._unsent.append(encode(message))

    def flush(self) -> None:
        """Writes at once what was sent: the event loop may be about to compute for some milliseconds."""
        if self._transport is not None and self._unsent:
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()

    def close(self) -> None:
        """Ends the connection; what is unsent is dropped."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Writes what was sent before the connection was there."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Passes on each message that is complete."""
        for message in self._decoder.feed(data):
            self._on_message(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Reports the end."""
        self._over = True
        self._on_end()
