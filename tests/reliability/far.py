"""A way to a server as from far away: each byte comes as late as light makes it."""

__all__ = ["FarAway"]

import asyncio
import contextlib
from collections import deque
from types import TracebackType
from typing import Self


class FarAway:
    """Passes connections on to a port of 127.0.0.1, each byte so many seconds late.

    Attributes:
        port: Where it listens.

    Args:
        port: Of the server.
        way_s: Seconds of one way; there and back takes twice as long.
    """

    def __init__(self, port: int, way_s: float) -> None:
        self._server, self._way_s = port, way_s
        self._ways: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._server)
        for way in (self._carry(reader, there_writer), self._carry(there_reader, writer)):
            task = asyncio.create_task(way)
            self._ways.add(task)
            task.add_done_callback(self._ways.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries bytes one way: any number are on their way at a time."""
        loop = asyncio.get_running_loop()
        on_the_way: deque[tuple[float, bytes]] = deque()
        more = asyncio.Event()

        async def set_down() -> None:
            while True:
                await more.wait()
                more.clear()
                while on_the_way:
                    due, data = on_the_way[0]
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    on_the_way.popleft()
                    if not data:
                        return
                    writer.write(data)

        async def take_up() -> None:
            while True:
                data = await reader.read(65_536)
                on_the_way.append((loop.time() + self._way_s, data))
                more.set()
                if not data:
                    return

        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            await asyncio.gather(take_up(), set_down())
