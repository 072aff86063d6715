"""A connection that reads one request at a time, whatever its client sends ahead of the answers.

By itself uvicorn takes apart all that comes, and keeps the objects of each request that waits: a hundred
times the bytes that its client sent. And when the connection ends, it tells the request that came last, not
the one that is being answered.
"""

__all__ = ["OneAtATime"]

import asyncio
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from pentimento.service.door.receiving import Parcel, Receiving
from pentimento.service.http.exchange import PARCEL

_SLICE = 1024  # bytes of heads that are parsed at a time: of what waits, some 50 requests are taken apart
_AHEAD = 16 << 10  # bytes that may wait unparsed before the client has to stop


class _Flow(FlowControl):
    """uvicorn's, which resumes for many reasons, and here does not while too much waits already."""

    is_held = False

    def hold(self) -> None:
        """Stops reading until `release`."""
        self.is_held = True
        self.pause_reading()

    def release(self) -> None:
        """Goes on reading."""
        self.is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class OneAtATime(HttpToolsProtocol):
    """Parses a request when the one before it is answered; until then its bytes wait as they came.

    While little waits, the connection is still read, so that a client who leaves is noticed; beyond 16 KiB it
    is not.
    """

    receiving: Receiving  # set by `limited_connections`

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # uvicorn's
        super().__init__(*args, **options)
        self.reads = True  # whether a request is awaited, or has begun and is not there yet
        self._running: RequestResponseCycle | None = None  # the request that is being answered
        self._parcel = self.receiving.open()  # of the request that was parsed last
        self._ahead = bytearray()  # what waits
        self._waiting = self.receiving.open()  # which counts it
        self._body_left = 0  # bytes of the body that is being parsed, where its length was announced

    def cut(self, reason: str, outcome: str) -> None:
        """Closes the connection at once and drops what is unsent; arguments as for `Connection.cut`."""
        raise NotImplementedError

    def feed(self, part: bytes) -> int:
        """Parses a part of what the client sent; returns the bytes that it took, 0 if it reads no more."""
        raise NotImplementedError

    def parse(self, data: bytes) -> None:
        """Parses what the client sent, as far as it is its turn, and keeps the rest."""
        self._unset_keepalive_if_required()
        begin = 0
        while begin < len(data):
            if self._is_busy:
                self._keep(data[begin:])
                return
            taken = self.feed(data[begin : begin + max(_SLICE, self._body_left)])
            if not taken:
                return
            begin += taken

    def let_go(self) -> None:
        """Drops what waits, and tells the request that is being answered that its client is gone."""
        for cycle, _ in self.pipeline:
            _parcel_of(cycle).close()
        self.pipeline.clear()
        self._ahead.clear()
        self._waiting.close()
        self._parcel.close()
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()

    # Called by the transport:

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Puts our flow control in the place of uvicorn's."""
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._waiting = self._open_parcel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of all requests of this connection."""
        self.let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses what the client sent, or keeps it until its turn comes."""
        if self._ahead or self._is_busy:
            self._keep(data)
        else:
            self.parse(data)

    # Called by the parser:

    def on_message_begin(self) -> None:
        """Begins a request, and puts the parcel for its body into its scope."""
        super().on_message_begin()
        self.reads, self._body_left = True, 0
        self._parcel = self._open_parcel()
        cast("dict[str, Any]", self.scope)[PARCEL] = self._parcel

    def on_headers_complete(self) -> None:
        """Notes how long the body will be, and lets uvicorn call the application."""
        for name, value in self.headers:
            if name == b"content-length" and value.isdigit():
                self._body_left = min(int(value[:18]), 1 << 30)
        super().on_headers_complete()
        self._parcel.wake = self.cycle.message_event.set

    def on_body(self, body: bytes) -> None:
        """Passes on a part of the body, if it is within the budget; else the application refuses it."""
        self._body_left = max(0, self._body_left - len(body))
        super().on_body(body if self._parcel.take(len(body)) else b"")

    def on_message_complete(self) -> None:
        """Notes that the request is there completely."""
        self.reads = False
        self._parcel.complete()
        super().on_message_complete()

    # Called by uvicorn:

    def on_response_complete(self) -> None:
        """Goes on with what waits."""
        super().on_response_complete()
        if self._ahead:
            self.loop.call_soon(self._go_on)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _open_parcel(self) -> Parcel:
        """One that counts for the address; whose a request is besides, the door says."""
        return self.receiving.open(self.client[0] if self.client else "")

    @property
    def _is_busy(self) -> bool:
        """Whether a request that is there completely has no answer yet."""
        return bool(self.pipeline) or (
            not self.reads and self.cycle is not None and not self.cycle.response_complete
        )

    def _keep(self, data: bytes) -> None:
        if not self._waiting.take(len(data)):
            self.cut("what it sent ahead of its answers is beyond what may be received", "overloaded")
            return
        self._ahead += data
        if len(self._ahead) > _AHEAD:
            cast("_Flow", self.flow).hold()

    def _go_on(self) -> None:
        if not self._ahead or self._is_busy or self.transport.is_closing():
            return
        data = bytes(self._ahead)
        self._ahead.clear()
        self._waiting.close()
        self._waiting = self._open_parcel()
        self.parse(data)
        if len(self._ahead) <= _AHEAD and not self.transport.is_closing():
            cast("_Flow", self.flow).release()


def _parcel_of(cycle: RequestResponseCycle) -> Parcel:
    parcel: Parcel = cast("dict[str, Any]", cycle.scope)[PARCEL]
    return parcel
