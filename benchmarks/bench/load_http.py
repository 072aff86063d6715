"""Clients over HTTP/1.1 with keep-alive: as cheap as can be, as they share the CPUs with what they measure.

The parser is httptools' (C), with no interest in headers and content: an answer is a status, the time of its
first chunk, and its end. Only a connection's first answer is checked.
"""

__all__ = ["http_client"]

import asyncio
import time
from typing import cast

from httptools import HttpParserError, HttpResponseParser

from benchmarks.bench.window import Tally, Window


class _Answer:
    """What the parser tells of one answer: the time of its first chunk, the number of chunks, its end."""

    __slots__ = ("done", "first", "parts")

    def __init__(self) -> None:
        self.first, self.parts, self.done = 0.0, 0, False

    def on_chunk_complete(self) -> None:
        if not self.parts:
            self.first = time.perf_counter()
        self.parts += 1

    def on_message_complete(self) -> None:
        self.done = True


class _WholeAnswer(_Answer):
    """The same, and keeps the content, which is to be checked."""

    __slots__ = ("body",)

    def __init__(self) -> None:
        super().__init__()
        self.body = bytearray()

    def on_body(self, data: bytes) -> None:
        self.body += data


class _Connection(asyncio.Protocol):
    def __init__(self, window: Window, tally: Tally, request: bytes, done: asyncio.Future[None]) -> None:
        self._window, self._tally, self._request, self.done = window, tally, request, done
        self._began, self._fault = 0.0, ""
        self._answer: _Answer = _WholeAnswer()
        self._parser = HttpResponseParser(self._answer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclasses
        self._send()

    def _send(self) -> None:
        self._began = self._window.begin()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(f"not HTTP: {error}")
            return
        if self._answer.done:
            self._answered()

    def _answered(self) -> None:
        answer, status = self._answer, self._parser.get_status_code()
        if status != 200:
            self._fail(f"status {status}")
            return
        if isinstance(answer, _WholeAnswer):
            fault = self._tally.group.ask.fault(bytes(answer.body), answer.parts)
            if fault is not None:
                self._fail(fault)
                return
            self._answer = _Answer()
            self._parser = HttpResponseParser(self._answer)
        self._window.end(self._tally, self._began, answer.first or time.perf_counter())
        if self._window.over:
            self._transport.close()
        else:
            answer = self._answer
            answer.first, answer.parts, answer.done = 0.0, 0, False
            self._send()

    def _fail(self, reason: str) -> None:
        self._fault = reason
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._fault or not self._window.over:
            self._window.fail(self._tally, self._began, self._fault or f"connection lost: {error}")
        if not self.done.done():
            self.done.set_result(None)


async def http_client(window: Window, tally: Tally, *, port: int, path: str) -> None:
    """Sends a group's request over one connection to 127.0.0.1, again and again, until the window is over."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    request = tally.group.ask.http(path)
    transport, _ = await loop.create_connection(
        lambda: _Connection(window, tally, request, done), "127.0.0.1", port
    )
    try:
        await done
    finally:
        transport.close()
