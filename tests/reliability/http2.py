"""A bare HTTP/2 client on a socket, for calls of gRPC that no library would make: half a message, or none."""

__all__ = ["Http2Connection"]

import socket
import struct
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_ACK = _END_STREAM = 1
_END_HEADERS = 4
_MAX_CONCURRENT_STREAMS, _INITIAL_WINDOW = 3, 4
_FRAME_BYTES = 16_384


class Http2Connection:
    """One connection; `with` opens it and breaks it off. A thread reads what the server sends.

    Attributes:
        max_streams: What the server's settings allow at a time; None: they do not say.
        refused: Streams that the server reset before anybody answered.
        answered: Trailing headers of streams that the server has ended, as raw HPACK, by stream.
        data: Bytes of messages that came, by stream.

    Args:
        port: Of the server.
        address: Of this end: on Linux any of 127.0.0.0/8, and the server takes each for another client.
    """

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self._plug = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
        self._told = threading.Condition()
        self._window, self._windows, self._initial = 65_535, dict[int, int](), 65_535
        self._next = 1
        self.max_streams: int | None = None
        self.refused: set[int] = set()
        self.answered: dict[int, bytes] = {}
        self.data: dict[int, bytes] = {}
        self.closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._plug.sendall(_PREFACE + _frame(_SETTINGS))
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """Breaks the connection off."""
        try:
            self._plug.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._reader.join(10)
        self._plug.close()

    def begin(self, path: str, headers: Mapping[str, str] | None = None) -> int:
        """Begins a call and returns the number of its stream; nothing of its message is sent."""
        stream, self._next = self._next, self._next + 2
        lines = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": "x",
            "te": "trailers",
            "content-type": "application/grpc",
        } | dict(headers or {})
        block = b"".join(
            b"\0" + bytes([len(name)]) + name.encode() + _length(len(value)) + value.encode()
            for name, value in lines.items()
        )
        with self._told:
            self._windows[stream] = self._initial
        self._plug.sendall(_frame(_HEADERS, _END_HEADERS, stream, block))
        return stream

    def send(self, stream: int, data: bytes, *, patience_s: float = 5.0) -> int:
        """Sends bytes of a stream as far as the server lets it; returns how many."""
        sent = 0
        while sent < len(data):
            with self._told:

                def may() -> int:
                    return min(self._window, self._windows[stream])

                if not self._told.wait_for(
                    lambda: self.closed or self._over(stream) or may() > 0, patience_s
                ):
                    return sent
                if self.closed or self._over(stream):
                    return sent
                part = data[sent : sent + min(may(), _FRAME_BYTES)]
                self._window -= len(part)
                self._windows[stream] -= len(part)
            try:
                self._plug.sendall(_frame(_DATA, 0, stream, part))
            except OSError:
                return sent
            sent += len(part)
        return sent

    def finish(self, stream: int) -> None:
        """Says that nothing more of a stream comes."""
        self._plug.sendall(_frame(_DATA, _END_STREAM, stream))

    def reset(self, stream: int) -> None:
        """Leaves a call, as a client does that cancels it."""
        self._plug.sendall(_frame(_RESET, 0, stream, b"\0\0\0\x08"))

    def wait(self, stream: int, seconds: float) -> bytes | None:
        """Waits for the end of a stream, and returns its trailing headers; None: it has not ended."""
        with self._told:
            self._told.wait_for(lambda: self.closed or self._over(stream), seconds)
            return self.answered.get(stream)

    def over(self, *streams: int) -> bool:
        """Whether all these streams have ended, or the connection has."""
        with self._told:
            return self.closed or all(self._over(stream) for stream in streams)

    def _over(self, stream: int) -> bool:
        return stream in self.refused or stream in self.answered

    def _read(self) -> None:
        try:
            while True:
                head = self._exactly(9)
                kind, flags = head[3], head[4]
                stream = int.from_bytes(head[5:], "big") & 0x7FFF_FFFF
                self._take(kind, flags, stream, self._exactly(int.from_bytes(head[:3], "big")))
        except OSError:
            pass
        with self._told:
            self.closed = True
            self._told.notify_all()

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        with self._told:
            if kind == _SETTINGS and not flags & _ACK:
                for at in range(0, len(payload), 6):
                    name, value = struct.unpack_from(">HI", payload, at)
                    if name == _MAX_CONCURRENT_STREAMS:
                        self.max_streams = value
                    elif name == _INITIAL_WINDOW:
                        for each in self._windows:
                            self._windows[each] += value - self._initial
                        self._initial = value
                self._plug.sendall(_frame(_SETTINGS, _ACK))
            elif kind == _PING and not flags & _ACK:
                self._plug.sendall(_frame(_PING, _ACK, 0, payload))
            elif kind == _WINDOW:
                more = int.from_bytes(payload, "big")
                if stream:
                    self._windows[stream] = self._windows.get(stream, self._initial) + more
                else:
                    self._window += more
            elif kind == _DATA:
                self.data[stream] = self.data.get(stream, b"") + payload
            elif kind == _HEADERS and flags & _END_STREAM:
                self.answered[stream] = payload
            elif kind == _RESET and stream not in self.answered:
                self.refused.add(stream)
            elif kind == _GOAWAY:
                self.closed = True
            self._told.notify_all()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            if not (part := self._plug.recv(size - len(data))):
                raise OSError("the server has closed the connection")
            data += part
        return data


def _frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _length(size: int) -> bytes:
    """A length in HPACK, of 7 bits and then of as many bytes as it takes (RFC 7541, 5.1)."""
    if size < 127:
        return bytes([size])
    size -= 127
    more = b"\x7f"
    while size >= 128:
        more += bytes([size % 128 + 128])
        size //= 128
    return more + bytes([size])
