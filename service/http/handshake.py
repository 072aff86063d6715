"""TLS handshakes of HTTP, as connections that are counted and timed like all others.

An event loop that has the certificate itself says nothing of a connection before its handshake is over, so
any number of clients could begin one and leave it there.
"""

__all__ = ["handshakes"]

import asyncio
import contextlib
import ssl
from typing import Any, cast

from uvicorn.server import ServerState

from pentimento.service.http.connection import SURPLUS, SURPLUS_S, LimitedConnection
from pentimento.service.http.connection_limits import ConnectionLimits


class _Handshake(asyncio.Protocol):
    """A connection until its handshake is over; then `connection` goes on with what is within.

    Its class attributes are set by `handshakes`.
    """

    connection: type[LimitedConnection]
    limits: ConnectionLimits
    context: ssl.SSLContext

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # uvicorn's
        self._options = args, options
        self._state: ServerState = options["server_state"]
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._early: list[bytes] = []  # what the client said before we knew that the handshake was over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins the handshake, unless there are so many connections that nobody can be told so."""
        self._transport = cast("asyncio.Transport", transport)
        # Counted where uvicorn counts, which `LimitedConnection` compares with the limit.
        if len(self._state.connections) >= self.limits.max_connections + SURPLUS:
            self._transport.abort()
            return
        self._state.connections.add(cast("Any", self))
        self._transport.pause_reading()  # what comes now is for TLS
        is_surplus = len(self._state.connections) > self.limits.max_connections
        patience_s = SURPLUS_S if is_surplus else self.limits.max_stall_s
        self._task = self._loop.create_task(self._shake(patience_s))

    def data_received(self, data: bytes) -> None:
        """Keeps what comes with the last of the handshake."""
        self._early.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._state.connections.discard(cast("Any", self))
        if self._task is not None:
            self._task.cancel()

    def shutdown(self) -> None:
        """Called by uvicorn when the server ends: who has no connection yet has asked for nothing."""
        assert self._transport is not None
        self._transport.abort()

    async def _shake(self, patience_s: float) -> None:
        assert self._transport is not None
        inner: asyncio.Transport | None = None
        try:
            # Who speaks no TLS, leaves or takes too long has been told so by TLS, as far as that is possible.
            with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
                inner = await self._loop.start_tls(
                    self._transport,
                    self,
                    self.context,
                    server_side=True,
                    ssl_handshake_timeout=patience_s,
                )
        finally:
            self._state.connections.discard(cast("Any", self))
            if inner is None:
                self._transport.abort()
        if inner is None or inner.is_closing():
            return
        arguments, options = self._options
        connection = self.connection(*arguments, **options)
        inner.set_protocol(connection)
        connection.connection_made(inner)
        for data in self._early:
            if not inner.is_closing():
                connection.data_received(data)


def handshakes(connection: type[LimitedConnection], context: ssl.SSLContext) -> type[asyncio.Protocol]:
    """Makes the protocol class that speaks TLS first, for uvicorn's option `http`.

    Args:
        connection: What goes on within.
        context: Of the server, with its certificate.
    """
    attributes = {"connection": connection, "limits": connection.limits, "context": context}
    return type("Handshake", (_Handshake,), attributes)
