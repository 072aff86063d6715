"""Messages between the parent and a worker: pickles over a socket, some with a file descriptor."""

__all__ = [
    "Begin",
    "Call",
    "Channel",
    "Drain",
    "Failed",
    "Listen",
    "NewPeer",
    "Opened",
    "Result",
    "Started",
]

import asyncio
import contextlib
import itertools
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from pentimento.service.catalog.trials import Verdict
from pentimento.service.engine.lane.wire import Decoder, encode
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.settings import Settings
from pentimento.service.telemetry.ready import Ready

_log = logging.getLogger(__name__)

_READ = 1 << 18  # bytes at a time
_HANDLES = 8  # that one reading may bring


class Begin(NamedTuple):
    """To a worker, first: what it is. A board comes with it."""

    settings: Settings
    number: int
    workers: int  # as many as the board has slots
    front: bool  # it has a front end: HTTP and gRPC
    lane: bool  # it has a lane of its own
    tried: Mapping[str, Verdict] = {}  # what came of trials of graphs
    default: str | None = None  # the bundle that the others take for requests that name none


class NewPeer(NamedTuple):
    """To a worker: another has started, and a socket that leads there comes with this."""

    number: int


class Listen(NamedTuple):
    """To a worker that has started: it may take clients."""


class Drain(NamedTuple):
    """To a worker: finish what runs, and end."""


class Started(NamedTuple):
    """From a worker: everything is loaded."""

    ready: Ready | None  # of one that has a front end
    served: str  # differs if what it serves differs
    default: str | None  # the bundle that it takes for requests that name none
    useful: int  # how many workers add to what is computed, as was measured


class Opened(NamedTuple):
    """From a worker: it takes clients."""


class Failed(NamedTuple):
    """From a worker: it cannot start."""

    sentence: str
    code: int


class Call(NamedTuple):
    """Asks the other end for something, by the name of a method."""

    id: int
    name: str
    argument: object


class Result(NamedTuple):
    """What came of a call."""

    id: int
    value: object
    error: PentimentoError | None


class Channel:
    """One end.

    Args:
        sock: A connected stream socket of Unix.
        take: Takes each message but calls and results, and the file descriptor that came with it.
        answer: What the other end may call, by name and with an argument.
        on_end: Called once when the other end is gone.
    """

    def __init__(
        self,
        sock: socket.socket,
        take: Callable[[object, int | None], None],
        answer: Callable[[str, object], Awaitable[object]],
        on_end: Callable[[], None],
    ) -> None:
        self._sock, self._take, self._answer, self._on_end = sock, take, answer, on_end
        sock.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._decoder = Decoder()
        self._handles: list[int] = []
        self._unsent: list[tuple[bytes, int | None]] = []
        self._writing = False
        self._ids = itertools.count()
        self._asked: dict[int, asyncio.Future[object]] = {}
        self.over = False  # the other end is gone
        self._loop.add_reader(sock, self._read)

    def send(self, message: NamedTuple, handle: int | None = None) -> None:
        """Queues a message, maybe with a file descriptor, which stays open here until it is sent."""
        if not self.over:
            self._unsent.append((encode(message), None if handle is None else os.dup(handle)))
            self._write()

    async def call(self, name: str, timeout_s: float, argument: object = None) -> object:
        """Has the other end do something, with an argument, and returns what comes of it.

        Raises:
            PentimentoError: As the other end raised it; UNAVAILABLE: it is gone or takes too long.
        """
        number = next(self._ids)
        future = self._asked[number] = self._loop.create_future()
        self.send(Call(number, name, argument))
        if self.over:
            self._end()
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            text = f"another process of this server did not answer within {timeout_s:g} s"
            raise PentimentoError(Code.UNAVAILABLE, text) from None
        finally:
            self._asked.pop(number, None)

    def close(self) -> None:
        """Ends the connection."""
        self._end()

    def _read(self) -> None:
        try:
            data, handles, _, _ = socket.recv_fds(self._sock, _READ, _HANDLES)
        except BlockingIOError:
            return
        except OSError:
            data, handles = b"", []
        self._handles += handles
        if not data:
            self._end()
            return
        for message in self._decoder.feed(data):
            if isinstance(message, Call):
                self._loop.create_task(self._do(message))
            elif isinstance(message, Result):
                future = self._asked.get(message.id)
                if future is not None and not future.done():
                    if message.error is not None:
                        future.set_exception(message.error)
                    else:
                        future.set_result(message.value)
            else:
                # Descriptors come with the first byte of their message, in order.
                takes = isinstance(message, (Begin, NewPeer))
                self._take(message, self._handles.pop(0) if takes else None)

    async def _do(self, call: Call) -> None:
        try:
            result = Result(call.id, await self._answer(call.name, call.argument), None)
        except PentimentoError as error:
            result = Result(call.id, None, error)
        except Exception:  # or who asked would wait for an answer that never comes
            _log.exception("%s failed, for another process of this server", call.name)
            text = "another process of this server failed; its log has the reason"
            result = Result(call.id, None, PentimentoError(Code.INTERNAL, text))
        self.send(result)

    def _write(self) -> None:
        while self._unsent and not self.over:
            data, handle = self._unsent[0]
            try:
                if handle is None:
                    sent = self._sock.send(data)
                else:
                    sent = socket.send_fds(self._sock, [data], [handle])
                    os.close(handle)
            except BlockingIOError:
                break
            except OSError:
                self._end()
                return
            if sent < len(data):
                self._unsent[0] = (data[sent:], None)
            else:
                self._unsent.pop(0)
        wants = bool(self._unsent) and not self.over
        if wants != self._writing:
            self._writing = wants
            if wants:
                self._loop.add_writer(self._sock, self._write)
            else:
                self._loop.remove_writer(self._sock)

    def _end(self) -> None:
        for future in self._asked.values():
            if not future.done():
                text = "another process of this server has ended"
                future.set_exception(PentimentoError(Code.UNAVAILABLE, text, retry_after_s=1.0))
        if self.over:
            return
        self.over = True
        self._loop.remove_reader(self._sock)
        if self._writing:
            self._loop.remove_writer(self._sock)
        for _, handle in self._unsent:
            if handle is not None:
                with contextlib.suppress(OSError):
                    os.close(handle)
        self._unsent.clear()
        self._sock.close()
        self._on_end()
