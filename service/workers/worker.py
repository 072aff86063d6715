"""The program of a worker: a process of a server that has a front end, a lane, or both.

python -m pentimento.service.workers.worker SOCKET
"""

__all__ = ["main"]

import asyncio
import hashlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import cast

import uvicorn

from pentimento.service.app import Server, StartError
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.trials import Verdict
from pentimento.service.engine.runtime import Runtime
from pentimento.service.engine.sharing import Sharing
from pentimento.service.group import Board, Group
from pentimento.service.settings import available_cpus
from pentimento.service.telemetry.log_writer import flush_log
from pentimento.service.telemetry.request_log import configure_logging
from pentimento.service.workers.alone import codec_threads, settle
from pentimento.service.workers.channel import (
    Begin,
    Channel,
    Drain,
    Failed,
    Listen,
    NewPeer,
    Opened,
    Started,
)
from pentimento.service.workers.device import LaneOnly

_BEAT_S = 0.05


class _Worker:
    """What a worker does as its parent says."""

    def __init__(self, sock: socket.socket) -> None:
        self._begun: asyncio.Future[tuple[Begin, Board]] = asyncio.get_running_loop().create_future()
        self._peers: asyncio.Queue[tuple[int, socket.socket]] = asyncio.Queue()
        self._listen, self._stop = asyncio.Event(), asyncio.Event()
        self._channel = Channel(sock, self._take, self._answer, self._stop.set)
        self._server: Server | LaneOnly | None = None

    async def run(self) -> int:
        """Serves until the parent says that it should drain, or is gone. Returns the exit code."""
        begin, board = await self._begun
        settings = begin.settings
        configure_logging(settings.log_level, settings.log_format, worker=begin.number)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)  # of an operator, to this one alone
        codec_threads(loop)
        group = Group(
            number=begin.number,
            board=board,
            has_lane=begin.lane,
            reload=lambda: self._channel.call("reload", 600.0),
            expose=self._expose,
            default=begin.default,
        )
        kind = Server if begin.front else LaneOnly
        server = kind(settings, group, begin.tried)
        try:
            async with server:
                self._server, sharing = server, server.sharing
                assert sharing is not None
                tasks = [asyncio.create_task(each) for each in (self._meet(sharing), self._beat(sharing))]
                await sharing.await_lane()
                settle()
                self._channel.send(
                    Started(
                        ready=server.ready if isinstance(server, Server) else None,
                        served=_digest(server.catalog),
                        default=server.catalog.default,
                        useful=_useful(server.runtime, server.catalog),
                    )
                )
                await _first(self._listen, self._stop)
                if not self._stop.is_set():
                    await server.open()
                    group.slot.write("serves", 1)
                    self._channel.send(Opened())
                    await self._stop.wait()
                for task in tasks[:1]:
                    task.cancel()
            tasks[1].cancel()
        except StartError as error:
            self._channel.send(Failed(str(error), error.code))
            return error.code
        return 0

    async def _meet(self, sharing: Sharing) -> None:
        while True:
            number, sock = await self._peers.get()
            await sharing.join(number, sock)

    async def _beat(self, sharing: Sharing) -> None:
        while True:
            sharing.beat()
            await asyncio.sleep(_BEAT_S)

    async def _expose(self) -> bytes:
        text = await self._channel.call("expose", 10.0)
        assert isinstance(text, bytes)
        return text

    def _take(self, message: object, handle: int | None) -> None:
        match message:
            case Begin():
                assert handle is not None
                self._begun.set_result((message, Board(handle, message.workers)))
            case NewPeer():
                assert handle is not None
                self._peers.put_nowait((message.number, socket.socket(fileno=handle)))
            case Listen():
                self._listen.set()
            case Drain():
                self._stop.set()

    async def _answer(self, name: str, argument: object) -> object:
        """Does what the parent asks for: `reload`, with what came of trials, or `count`."""
        assert self._server is not None
        if name == "count":
            return self._server.metrics.count()
        self._server.trials.learn(cast("Mapping[str, Verdict]", argument))
        reload = await self._server.reload_here()
        return reload, _digest(self._server.catalog)


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def _digest(catalog: Catalog) -> str:
    """A hash that differs where another content is served."""
    hashed = hashlib.sha256(repr(catalog.default).encode())
    for info in catalog.infos():
        hashed.update(info.manifest.model_dump_json().encode())
    return hashed.hexdigest()


def _useful(runtime: Runtime, catalog: Catalog) -> int:
    cpus, graph = available_cpus(), catalog.showing_graph
    return cpus if graph is None else runtime.choose_lanes(graph, cpus)


def main() -> None:
    """Runs a worker on the socket whose file descriptor is the first argument."""
    # The parent decides what these mean: a terminal sends them to all its processes.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sock = socket.socket(fileno=int(sys.argv[1]))

    async def run() -> int:
        return await _Worker(sock).run()

    factory = uvicorn.Config("", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        code = runner.run(run())
    flush_log()
    os._exit(code)  # a graph call that never returns would hold up the interpreter's end


if __name__ == "__main__":
    main()
