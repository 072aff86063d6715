"""An HTTP connection that bounds what a client can make the server hold, and for how long.

By itself uvicorn reads headers of any length, and waits for ever for a request and for a slow reader. What is
added here costs nothing until a connection is slow; requests go on to uvicorn as before. What a client sends
ahead of the answers is in `pipelining`.
"""

__all__ = ["SURPLUS", "SURPLUS_S", "LimitedConnection", "limited_connections"]

import asyncio
import logging
import socket
import struct
from http import HTTPStatus
from typing import Any, NoReturn, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from pentimento.service.door.receiving import Receiving
from pentimento.service.errors import STALLED
from pentimento.service.http.connection_limits import ConnectionLimits
from pentimento.service.http.cors import Cors
from pentimento.service.http.exchange import CONNECTION
from pentimento.service.http.joined_writes import JoinedWrites
from pentimento.service.http.old_clients import speaks_chunks, until_close
from pentimento.service.http.pipelining import OneAtATime
from pentimento.service.http.refusals import Refusal

_log = logging.getLogger("pentimento.http")

SURPLUS = 128
"""Connections beyond the limit that are told so."""

SURPLUS_S = 1.0
"""Seconds for which they are waited for."""

_LINGER_S, _LINGER_BYTES = 1.0, 1 << 20  # in which a client that is refused can stop sending
_FREE_CHUNKS, _CHUNK_BYTES = 1024, 64  # each chunk costs a call of Python, whatever it holds
_BYTES_ACKED = 120  # where Linux has it in its tcp_info, in 8 bytes


class LimitedConnection(OneAtATime):
    """One HTTP connection; its class attributes are set by `limited_connections`."""

    limits: ConnectionLimits
    cors: Cors | None  # None: pages of other origins may read nothing
    handshake: object = None  # what stood for this connection among `connections`, where TLS came first

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # uvicorn's
        super().__init__(*args, **options)
        self.cut_as: str | None = None  # outcome of the request that was cut off; None: not cut
        self._refusal: Refusal | None = None
        self._is_over = False  # what comes is not read any more
        self._has_head = False  # of the request that is parsed
        self._in_chunks = False  # its body
        self._parts = self._body_bytes = 0  # of it, so far
        self._given = 0  # bytes since the client was last looked at
        self._taken = 0.0  # of what was sent, when it was last looked at
        self._unread = 0  # bytes since the last that were of use
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        """Whether an answer waits for its client to read more."""
        return self.flow.write_paused

    def cut(self, reason: str, outcome: str = STALLED) -> None:
        """Closes the connection at once and drops what is unsent; arguments as for `Connection.cut`."""
        if self.cut_as is None:
            self.cut_as = outcome
            _log.info("a connection of %s is cut: %s", self._client_name, reason)
            self.let_go()  # before they write to a connection that is closed
            self.transport.abort()

    # Called by the transport:

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts to time the first request; beyond `max_connections`, refuses or cuts the connection."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self.connections.discard(cast("Any", self.handshake))
        surplus = len(self.connections) - self.limits.max_connections
        if surplus > SURPLUS:
            self.cut(
                f"there are {self.limits.max_connections} others, and many that are told so", "cancelled"
            )
        elif surplus > 0:
            detail = f"max_connections is {self.limits.max_connections}, and there are as many; try again"
            self._refusal = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", detail)
        self._watch_reading(SURPLUS_S if surplus > 0 else self.limits.max_stall_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timers; a timeout of the kernel counts as a stall."""
        if self.cut_as is None and isinstance(
            exc, TimeoutError
        ):  # by the kernel: see `service.http.listener`
            self.cut_as = STALLED
        for timer in (self._reading, self._writing):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what the client sent; of one that was refused, nothing more."""
        self._given += len(data)
        if not self._is_over:
            super().data_received(data)
        elif self._given > _LINGER_BYTES:
            self.transport.abort()

    def parse(self, data: bytes) -> None:
        """Parses as far as it is its turn, and times a request that is not there completely."""
        super().parse(data)
        if self._is_over or self.cut_as is not None:
            return
        if not self.reads:
            if self._reading is not None:
                self._reading.cancel()
                self._reading = None
        elif self._reading is None:
            self._watch_reading(self.limits.max_stall_s)

    def feed(self, part: bytes) -> int:
        """Parses a part of what the client sent, and refuses requests that are no HTTP or pass a limit."""
        self._unread += len(part)
        try:
            self.parser.feed_data(part)
            if self._unread > self.limits.max_header_bytes:
                self._stop(Refusal.of_length(self.limits.max_header_bytes))
        except httptools.HttpParserUpgrade as pause:
            return int(pause.args[0])  # answered as if it had not asked for another protocol
        except (httptools.HttpParserError, Refusal):
            self._refuse(
                self._refusal or Refusal(HTTPStatus.BAD_REQUEST, "INVALID_ARGUMENT", "this is no HTTP/1.1")
            )
            return 0
        return len(part)

    def pause_writing(self) -> None:
        """Starts to time the client, as it reads less than is written."""
        super().pause_writing()
        if self._writing is None:
            self._taken = self._count_taken()
            self._writing = self.loop.call_later(self.limits.max_stall_s, self._look_at_writing)

    def resume_writing(self) -> None:
        """Stops to time the client, as it has read most of what was written."""
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    # Called by the parser:

    def on_message_begin(self) -> None:
        """Begins a request, and puts this connection into its scope."""
        super().on_message_begin()
        self._has_head = False
        self._parts = self._body_bytes = 0
        cast("dict[str, Any]", self.scope)[CONNECTION] = self

    def on_header(self, name: bytes, value: bytes) -> None:
        """Adds a header while they may be more; what follows a body in chunks counts as none."""
        if self._has_head:
            return
        super().on_header(name, value)
        if len(self.headers) > self.limits.max_headers:
            number = len(self.headers)
            self._stop(Refusal.of_headers(f"headers may be at most {self.limits.max_headers}, got {number}"))

    def on_headers_complete(self) -> None:
        """Checks the size of the headers and what they announce, then lets uvicorn call the application."""
        if self._refusal is not None:
            self._stop(self._refusal)
        self._has_head = True
        self._in_chunks = any(name == b"transfer-encoding" for name, _ in self.headers)
        if self.parser.should_upgrade() and (self._in_chunks or _announces_body(self.headers)):
            # The parser takes what follows for another protocol: a body would be run as the next request.
            detail = "a request with a body may not ask for another protocol (Upgrade); send it without"
            self._stop(Refusal(HTTPStatus.BAD_REQUEST, "INVALID_ARGUMENT", detail, "headers"))
        if self._unread > self.limits.max_header_bytes:  # with what came after the headers
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self.limits.max_header_bytes:
                self._stop(Refusal.of_length(self.limits.max_header_bytes))
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Passes on a part of the body, unless it comes in many chunks of next to nothing."""
        self._unread = 0
        self._parts += 1
        self._body_bytes += len(body)
        if self._in_chunks and self._parts > _FREE_CHUNKS and self._body_bytes < _CHUNK_BYTES * self._parts:
            detail = (
                f"beyond {_FREE_CHUNKS} chunks a body must have {_CHUNK_BYTES} bytes a chunk on average, got "
                f"{self._body_bytes} in {self._parts}"
            )
            self._stop(Refusal(HTTPStatus.BAD_REQUEST, "INVALID_ARGUMENT", detail, "body"))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Notes that the request is there completely."""
        self._unread = 0
        super().on_message_complete()

    # Timers for slow clients:

    def _watch_reading(self, seconds: float) -> None:
        self._given = 0
        self._reading = self.loop.call_later(seconds, self._look_at_reading)

    def _look_at_reading(self) -> None:
        # What a server does not read for its own reasons is not the client's fault.
        if self.flow.read_paused or self._given >= self.limits.min_bytes:
            self._watch_reading(self.limits.max_stall_s)
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cut(f"of its request came {self._given} bytes in {self.limits.max_stall_s:g} s")
        elif self._refusal is None and self._unread == 0:
            self.transport.close()  # there was no request yet
        else:
            detail = f"{self._given} bytes of the request came in {self.limits.max_stall_s:g} s; max_stall_s"
            self._refuse(self._refusal or Refusal.of_stall(detail))

    def _look_at_writing(self) -> None:
        taken = self._count_taken()
        if taken - self._taken < self.limits.min_bytes:
            self.cut(f"it took {taken - self._taken:.0f} bytes in {self.limits.max_stall_s:g} s")
            return
        self._taken = taken
        self._writing = self.loop.call_later(self.limits.max_stall_s, self._look_at_writing)

    def _count_taken(self) -> float:
        """Bytes that the client has taken so far, to compare with another count while writing is paused.

        What this process still holds shrinks by megabytes at a time, when the kernel has sent as many.
        """
        plug = self.transport.get_extra_info("socket")
        if hasattr(socket, "TCP_INFO") and plug is not None:
            info: bytes = plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED + 8)
            if len(info) == _BYTES_ACKED + 8:
                (acked,) = struct.unpack_from("=Q", info, _BYTES_ACKED)
                return float(acked)
        return -float(self.transport.get_write_buffer_size())

    def _stop(self, refusal: Refusal) -> NoReturn:
        """Stops reading: raises the refusal, and keeps it, as the parser replaces it with its own error."""
        self._refusal = refusal
        raise refusal

    def _refuse(self, refusal: Refusal) -> None:
        """Answers with the refusal and ends the connection: where its next request begins is not known."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cut(str(refusal), "cancelled")  # its answer is under way
            return
        self._refusal, self._is_over = None, True  # the refusal's traceback leads back here
        self.transport.write(refusal.answer(self._client_name, self._cors_headers()))
        # A client that still sends would lose the answer if the connection were closed now.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self._reading is not None:
            self._reading.cancel()
        self._reading = self.loop.call_later(_LINGER_S, self.transport.close)

    def _cors_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers by which a page of another origin can read a refusal, too."""
        if self.cors is None:
            return []
        origins = [value.decode("latin-1") for name, value in self.headers or () if name == b"origin"]
        return self.cors.headers(origins[0] if origins else None)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        plain = app if speaks_chunks(cycle.scope) else until_close(app, cycle)
        super()._start_asgi_task(cycle, plain)

    @property
    def _client_name(self) -> str:
        return self.client[0] if self.client else "-"


def _announces_body(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-length" and value.strip() != b"0" for name, value in headers)


def limited_connections(
    limits: ConnectionLimits, receiving: Receiving, cors: Cors | None = None
) -> type[LimitedConnection]:
    """Makes the protocol class with these limits, for uvicorn's option `http`."""
    return type("Connection", (LimitedConnection,), {"limits": limits, "receiving": receiving, "cors": cors})
