"""An answer's head and the first of its body in one write: one call of the system, one packet, one awakening.

uvicorn writes them one after the other, and uvloop hands each write to the system at once.
"""

__all__ = ["JoinedWrites"]

import asyncio
from typing import Any

_HEAD = b"HTTP/1.1 "


class JoinedWrites:
    """A connection's transport, whose writes of heads wait for what follows in the same round of the loop.

    Everything but `write` and `close` is the transport's own.

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
        """Writes, or keeps what is a head until more comes, or the round is over."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def write_eof(self) -> None:
        """Nothing more will be written."""
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
