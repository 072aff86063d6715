"""Starts the process of a lane, and exchanges messages with it over a socket."""

__all__ = ["LaneLink"]

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple, cast

from pentimento.service.engine.lane.wire import Decoder, encode

_CLOSE_S = 5.0  # for the process to end by itself, before it is killed

_MAIN = "pentimento.service.engine.lane.main"


class LaneLink(asyncio.Protocol):
    """A lane's process, and the connection to it.

    Args:
        log: Level and form of the log, for the process's command line.
        on_message: Called with each message from the process.
        on_end: Called when the connection ends, with the seconds since the start of the process.
    """

    def __init__(
        self, log: tuple[str, str], on_message: Callable[[object], None], on_end: Callable[[float], None]
    ) -> None:
        self._on_message, self._on_end = on_message, on_end
        self._decoder = Decoder()
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._unsent: list[bytes] = []  # since the event loop's last round
        self._transport: asyncio.WriteTransport | None = None
        ours, theirs = socket.socketpair()
        with theirs:
            # -P: a folder that the server is started in is nobody's to import from.
            command = [sys.executable, "-P", "-m", _MAIN, str(theirs.fileno()), *log]
            self.process = subprocess.Popen(  # ourselves
                command, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        self._opening = self._loop.create_task(self._connect(ours))

    async def _connect(self, ours: socket.socket) -> None:
        await self._loop.create_unix_connection(lambda: self, sock=ours)

    def send(self, message: NamedTuple) -> None:
        """Queues a message; messages arrive in order."""
        if not self._unsent and self._transport is not None:
            self._loop.call_soon(self._flush)
        self._unsent.append(encode(message))

    def _flush(self) -> None:
        """Writes all messages of one round of the event loop in one system call."""
        if self._transport is not None and self._unsent:
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()

    async def close(self) -> None:
        """Ends the process after its current call."""
        await self._opening
        if self._transport is not None:
            self._transport.abort()
        await asyncio.to_thread(self._bury)

    def _bury(self) -> None:
        try:
            self.process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Writes what was sent before the connection was there."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Passes on each message that is complete."""
        for message in self._decoder.feed(data):
            self._on_message(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for the process in a thread, and reports that it has ended."""
        self._loop.run_in_executor(None, self._bury)
        self._on_end(self._loop.time() - self._began)
