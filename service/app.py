"""The whole server, from start to shutdown: bundles, engine, HTTP and gRPC on one event loop."""

__all__ = ["Server", "StartError", "run", "serve"]

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from pentimento.bundle.store import BundleError
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.door.door import Door
from pentimento.service.door.tls import Tls
from pentimento.service.engine.calibration import Calibrator
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.lane.lane import CallFacts
from pentimento.service.engine.runtime import Runtime
from pentimento.service.grpc.api import create_server
from pentimento.service.hangup import Hangups
from pentimento.service.http.api import create_app
from pentimento.service.http.connection import limited_connections
from pentimento.service.http.connection_limits import ConnectionLimits
from pentimento.service.http.cors import Cors
from pentimento.service.http.listener import BACKLOG, listen
from pentimento.service.lanes import LaneSet
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from pentimento.service.telemetry.metrics import Metrics
from pentimento.service.telemetry.ready import Ready, process_age_s
from pentimento.service.telemetry.request_log import configure_logging

_log = logging.getLogger(__name__)

_COLLECT_AFTER = (10_000, 20, 20)  # objects and rounds between collections; by default every 700 objects
_FLUSH_S = 2.0  # what finished drawings get at least to leave, after the engine has ended


class StartError(Exception):
    """The server cannot start; the message is one sentence.

    Attributes:
        code: The exit code: 1 for what failed, 2 for a folder that was named and is not there.
    """

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


class _HttpServer(uvicorn.Server):
    """uvicorn without its signal handling: what a signal means is decided here, for both transports."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """A server that runs within `async with`; leaving it drains and stops.

    Args:
        settings: Everything that can be set.

    Raises:
        StartError: On entering, when it cannot start.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()

    async def __aenter__(self) -> Self:
        settings = self.settings
        # Settings first: what is wrong with them is said whether or not the ports can be had.
        try:
            door, self._tls, self._cors = Door.of(settings), Tls.of(settings), Cors.of(settings)
            self._runtime = Runtime(
                provider=settings.provider,
                max_batch_rows=settings.max_batch_rows,
                calibrator=Calibrator(settings.cache) if settings.calibrate else None,
                cuda_graphs=settings.cuda_graphs,
            )
            # Before the bundles are loaded: a port in use is known at once, and early clients wait a moment.
            listener = listen(settings.host, settings.http_port, settings.max_stall_s)
        except (RuntimeError, OSError) as error:
            raise StartError(str(error)) from None
        try:
            self.catalog = Catalog.load(settings.bundles, self._runtime, default=settings.default_model)
            self._lanes = LaneSet(settings, self._runtime, self.catalog.showing_graph, self._observe)
            self.engine = Engine(
                *self._lanes.lanes,
                max_rows_in_flight=settings.max_rows_in_flight,
                stream_frames=settings.stream_frames,
            )
            self.operations = Operations(self.catalog, self.engine, settings, self.metrics)
            app = create_app(self.operations, self.metrics, settings, door=door)
            self._grpc, self.grpc_port = await create_server(
                self.operations, settings, metrics=self.metrics, door=door, tls=self._tls
            )
        except (BundleError, RuntimeError, OSError) as error:
            listener.close()
            raise StartError(str(error), code=2 if isinstance(error, BundleError) else 1) from None
        self.metrics.watch_rows(lambda: self.engine.rows_in_flight)
        self.catalog.watch(self.metrics.keep_models)
        self.engine.start()
        self.catalog.watch(lambda _: self._keep_graphs())
        self._keep_graphs()
        await self._await_lanes(listener)
        self.http_port = int(listener.getsockname()[1])
        await self._start_http(app, listener)
        await self._grpc.start()
        await self._grpc.set_serving(True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def ready(self) -> Ready:
        """What is served and where."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        infos = self.catalog.infos()
        return Ready(
            start_s=process_age_s(),
            http=f"http{'s' if self._tls is not None else ''}://{host}:{self.http_port}",
            grpc=f"{host}:{self.grpc_port}",
            models=len(infos),
            default_model=next((info.manifest.name for info in infos if info.is_default), None),
            device=self._runtime.device,
            lanes=self._lanes.text,
            refused=tuple((each.name, each.reason) for each in self.catalog.refused),
        )

    def _observe(self, call: CallFacts) -> None:
        self.metrics.batch(**call._asdict())

    def _keep_graphs(self) -> None:
        """Tells the lanes which graphs are served now, and frees the copies here that they do not need."""
        graphs = self.catalog.graphs()
        self.engine.keep(graphs)
        self._lanes.unload(graphs)

    async def _await_lanes(self, listener: socket.socket) -> None:
        try:
            await self.engine.ready()
        except RuntimeError as error:
            listener.close()
            await self.engine.close()
            raise StartError(str(error)) from None

    async def _start_http(self, app: FastAPI, listener: socket.socket) -> None:
        tls = self._tls
        config = uvicorn.Config(
            app,
            http=limited_connections(ConnectionLimits.of(self.settings), self._cors),
            ssl_context_factory=None if tls is None else lambda *_: tls.context,
            proxy_headers=False,  # whom to believe is decided for both transports alike
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            backlog=BACKLOG,
        )
        self._http = _HttpServer(config)
        self._http_task = asyncio.create_task(self._http.serve(sockets=[listener]))
        while not self._http.started:
            if self._http_task.done():
                await self._http_task
                raise StartError("the HTTP server ended at once")
            await asyncio.sleep(0.005)  # uvicorn offers nothing to wait for

    async def _stop(self) -> None:
        """Drains and shuts down: running drawings finish within the grace period, then the connections close.

        Both listeners stay open while draining: a client that comes now gets a clear UNAVAILABLE.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self.settings.drain_grace_s
        await self._grpc.set_serving(False)
        if not await self.engine.drain(self.settings.drain_grace_s):
            _log.warning("drawings were cut after the grace period of %s s", self.settings.drain_grace_s)
        await self.engine.close()
        grace = max(end - loop.time(), _FLUSH_S)
        # uvicorn waits for the answers under way; without a limit one stalled reader would keep it for ever.
        self._http.config.timeout_graceful_shutdown = max(1, round(grace))
        self._http.should_exit = True
        await asyncio.gather(self._http_task, self._grpc.stop(grace))


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then drains; a second signal ends the process at once.

    SIGHUP reloads the bundles, unless it says that the terminal is gone: then it is one of these signals.

    Raises:
        StartError: The server cannot start.
    """
    loop = asyncio.get_running_loop()
    # Threads that encode frames and decode uploads; few, as the lanes have the CPUs.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=4, thread_name_prefix="codec"))
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            loop.remove_signal_handler(number)
            signal.raise_signal(number)
            os._exit(128 + number)  # still here: as process 1 of a container, whom no default action ends
        _log.info("%s: no new work is admitted, running drawings finish", number.name)
        stop.set()

    hangups = Hangups(lambda: on_signal(signal.SIGHUP))
    async with Server(settings) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        # What is there now stays; requests are taken apart without a collector, but for what went wrong.
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)
        server.ready.say(settings.log_format)
        answering = asyncio.create_task(hangups.answer(server.operations.reload))
        await stop.wait()
    answering.cancel()


def run(settings: Settings) -> int:
    """Runs a server to its end.

    Returns:
        The exit code: 0 after a drain, another when it could not start; the reason is then on stderr.
    """
    configure_logging(settings.log_level, settings.log_format)
    if os.getpid() == 1:  # of a container: a signal without a handler would be ignored while bundles load
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    factory = uvicorn.Config("", log_config=None).get_loop_factory()
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(serve(settings))
    except StartError as error:
        if settings.log_format == "json":
            _log.critical("pentimento cannot start: %s", error)
        else:
            print(f"pentimento cannot start: {error}", file=sys.stderr)
        return error.code
    return 0
