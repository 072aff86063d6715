"""A bare HTTP/1.1 client on a socket, which can stop, stall and hang up anywhere."""

__all__ = ["Cut", "HttpConnection"]

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Self


class Cut(Exception):
    """The server closed the connection before the answer was complete."""


class HttpConnection:
    """One connection; `async with` opens it and breaks it off.

    Args:
        port: Of the server.
        host: Address of the server.
        small_buffer: Whether the kernel holds a few kilobytes for the reader instead of some megabytes.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1", small_buffer: bool = False) -> None:
        self._place = (host, port)
        self._small = small_buffer

    async def __aenter__(self) -> Self:
        plug = socket.socket()
        plug.setblocking(False)
        if self._small:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            await asyncio.get_running_loop().sock_connect(plug, self._place)
        except BaseException:
            plug.close()
            raise
        limit = 4096 if self._small else 1 << 20
        self._reader, self._writer = await asyncio.open_connection(sock=plug, limit=limit)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()

    async def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        """Sends a request with its body."""
        lines = {"Host": "localhost", "Content-Length": str(len(body))} | dict(headers or {})
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    async def head(self) -> tuple[int, dict[str, str]]:
        """Reads status and headers; their names are in lower case."""
        status = await self._line()
        headers: dict[str, str] = {}
        while line := await self._line():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        self._headers = headers
        return int(status.split()[1]), headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body, chunk by chunk."""
        try:
            if self._headers.get("transfer-encoding") == "chunked":
                while size := int(await self._line(), 16):
                    yield (await self._reader.readexactly(size + 2))[:-2]
                await self._line()
            else:
                yield await self._reader.readexactly(int(self._headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Cut(repr(error)) from None

    async def body(self) -> bytes:
        """Reads the whole body."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def rest(self) -> bytes:
        """Reads whatever comes until the server closes the connection."""
        try:
            return await self._reader.read()
        except ConnectionError:
            return b""

    async def trickle(self) -> None:
        """Reads a byte every twentieth of a second, until there is none."""
        while await self._reader.read(1):
            await asyncio.sleep(0.05)

    @property
    def closed(self) -> bool:
        """Whether the server has closed the connection, as far as is known without reading."""
        return self._reader.at_eof() or self._writer.is_closing()

    def end_of_sending(self) -> None:
        """Closes the sending side, so that the server reads an end."""
        self._writer.write_eof()

    def hang_up(self) -> None:
        """Breaks the connection off at once."""
        self._writer.transport.abort()

    async def _line(self) -> str:
        try:
            line = await self._reader.readuntil(b"\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Cut(repr(error)) from None
        return line[:-2].decode("latin-1")
