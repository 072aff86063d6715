"""Joins an answer's head and the first of its body into one write: one system call, one packet.

uvicorn writes them one after the other, and uvloop hands each write to the system at once.
"""

__all__ = ["JoinedWrites"]

import asyncio
from typing import Any

_HEAD = b"HTTP/1.1 "


class JoinedWrites:
    """A connection's transport that keeps an answer's head until what follows in the same round of the loop.

    Everything but `write`, `write_eof` and `close` is the transport's own.

    Args:
        transport: Of one HTTP connection.
        loop: The event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Writes; but an answer's head is kept until more comes, or the round of the event loop is over."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def write_eof(self) -> None:
        """Writes what is kept, and ends the writing side of the connection."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Closes when everything is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head and not self._transport.is_closing():
            self._transport.write(self._head)
        self._head = b""
