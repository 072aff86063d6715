"""TLS handshakes of HTTP, as connections that are counted and timed like all others.

An event loop that has the certificate itself says nothing of a connection before its handshake is over, so
any number of clients could begin one and leave it there. Hence connections are accepted here.
"""

__all__ = ["Handshakes"]

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

from uvicorn.server import ServerState

from pentimento.service.http.connection import SURPLUS, SURPLUS_S, LimitedConnection
from pentimento.service.http.connection_limits import ConnectionLimits

_AT_ONCE = 64  # connections that are accepted before others are looked after
_PAUSE_S = 0.1  # after which it is tried again, when the system has no file for a connection


class _Handshake:
    """Stands for a connection among uvicorn's until its handshake is over."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None

    def shutdown(self) -> None:
        """Called by uvicorn when the server ends: who has no connection yet has asked for nothing."""
        if self.task is not None:
            self.task.cancel()


class Handshakes:
    """Accepts connections, and hands each over when its handshake is done. Belongs to one event loop.

    Args:
        listener: Of HTTP; it does not block.
        context: With the server's certificate.
        limits: Of all connections together; `max_stall_s` is what a handshake may take.
        state: Of uvicorn, which has the connections.
        make: Makes the protocol of a connection.
    """

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        limits: ConnectionLimits,
        state: ServerState,
        make: Callable[[], LimitedConnection],
    ) -> None:
        self._listener, self._context, self._limits = listener, context, limits
        self._connections = cast("set[Any]", state.connections)
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        """Accepts no more; handshakes under way are ended by uvicorn's shutdown."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                plug, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no file is left, which is said by `descriptors`
                self._loop.remove_reader(self._listener)
                self._pause = self._loop.call_later(_PAUSE_S, self._go_on)
                return
            surplus = len(self._connections) + 1 - self._limits.max_connections
            if surplus > SURPLUS:
                plug.close()
                continue
            plug.setblocking(False)
            handshake = _Handshake()
            self._connections.add(handshake)
            patience_s = self._limits.max_stall_s if surplus <= 0 else SURPLUS_S
            handshake.task = self._loop.create_task(self._shake(handshake, plug, patience_s))

    def _go_on(self) -> None:
        self._loop.add_reader(self._listener, self._accept)

    async def _shake(self, handshake: _Handshake, plug: socket.socket, patience_s: float) -> None:
        def made() -> LimitedConnection:
            connection = self._make()
            connection.handshake = handshake
            return connection

        try:
            # Who speaks no TLS, leaves or takes too long has been told so by TLS, as far as that is possible.
            with contextlib.suppress(OSError):
                await self._loop.connect_accepted_socket(
                    made, plug, ssl=self._context, ssl_handshake_timeout=patience_s
                )
        finally:
            self._connections.discard(handshake)
