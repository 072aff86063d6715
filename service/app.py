"""One process that serves, from start to shutdown: bundles, engine, HTTP and gRPC on one event loop."""

__all__ = ["Server", "StartError", "make_runtime"]

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

import uvicorn
from fastapi import FastAPI

from pentimento.bundle.store import BundleError
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.served import Reload
from pentimento.service.catalog.trials import Trials, Verdict
from pentimento.service.door.descriptors import watch_descriptors
from pentimento.service.door.door import Door
from pentimento.service.door.receiving import Receiving
from pentimento.service.door.tls import Tls
from pentimento.service.engine.calibration import Calibrator
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.lane.lane import CallFacts
from pentimento.service.engine.memory import give_back_memory, keep_giving_back
from pentimento.service.engine.runtime import Runtime
from pentimento.service.engine.sharing import Sharing, make_lane
from pentimento.service.group import Group
from pentimento.service.grpc.api import create_server
from pentimento.service.grpc.sending import Sending
from pentimento.service.http.api import create_app
from pentimento.service.http.connection import limited_connections
from pentimento.service.http.connection_limits import ConnectionLimits
from pentimento.service.http.cors import Cors
from pentimento.service.http.handshake import Handshakes
from pentimento.service.http.listener import BACKLOG, listen
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from pentimento.service.telemetry.metrics import Metrics
from pentimento.service.telemetry.ready import Ready, process_age_s
from pentimento.service.telemetry.worker_counts import WorkerCounts

_log = logging.getLogger(__name__)

_TELL_S = 1.0  # that an end waits for those who watch the health: one who does not read is told nothing
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
        group: Of a server that is one of several workers; its ports are those of the others, too.
        tried: What came of trials of graphs, of one of several workers.

    Raises:
        StartError: On entering, when it cannot start.
    """

    def __init__(
        self, settings: Settings, group: Group | None = None, tried: Mapping[str, Verdict] | None = None
    ) -> None:
        self.settings, self.group = settings, group
        self._tried = tried
        self.metrics = Metrics()
        if group is None:
            WorkerCounts(self.metrics.registry, lambda: 1, lambda: 1)
        self.sharing: Sharing | None = None  # of one of several workers
        self._handshakes: Handshakes | None = None  # of a server that speaks TLS
        self._is_open = False

    async def __aenter__(self) -> Self:
        settings = self.settings
        # Settings first: what is wrong with them is said whether or not the ports can be had.
        try:
            door, self._tls, self._cors = Door.of(settings), Tls.of(settings), Cors.of(settings)
            self._receiving = Receiving.of(settings, self.group)
            self._sending = Sending.of(settings, self.group)
            self.runtime = make_runtime(settings, computes=self.group is None or self.group.has_lane)
            # Before the bundles are loaded: a port in use is known at once, and early clients wait a moment.
            listener = listen(
                settings.host, settings.http_port, settings.max_stall_s, shared=self.group is not None
            )
        except (RuntimeError, OSError) as error:
            raise StartError(str(error)) from None
        try:
            self.trials = Trials(self.runtime, settings, self._tried)
            self.catalog = Catalog.load(
                settings.bundles,
                self.runtime,
                default=settings.default_model,
                trials=self.trials,
                present=None if self.group is None else self.group.default,
            )
            self.engine = self._make_engine()
            group = self.group
            self.operations = Operations(
                self.catalog,
                self.engine,
                settings,
                self.metrics,
                reload=group.reload if group else None,
            )
            app = create_app(
                self.operations,
                self.metrics,
                settings,
                door=door,
                expose=group.expose if group else None,
                workers=(lambda: (group.board.serving, group.board.wanted)) if group else None,
                # A front end without a lane has its drawings from the worker that owns the GPU.
                exact=self.runtime.device == "cpu" and (group is None or group.has_lane),
            )
            self._grpc, self.grpc_port = await create_server(
                self.operations,
                settings,
                metrics=self.metrics,
                door=door,
                receiving=self._receiving,
                sending=self._sending,
                tls=self._tls,
                shared=group is not None,
            )
        except (BundleError, RuntimeError, OSError) as error:
            listener.close()
            raise StartError(str(error), code=2 if isinstance(error, BundleError) else 1) from None
        self.metrics.watch_rows(lambda: self.engine.rows_in_flight)
        self.metrics.watch_values(lambda: self.engine.values_in_flight)
        self.metrics.watch_received(lambda: self._receiving.held)
        self.metrics.watch_sending(lambda: self._sending.held)
        self.catalog.watch(self.metrics.keep_models)
        self.engine.start()
        self.catalog.watch(lambda _: self._keep_graphs())
        self._keep_graphs()
        give_back_memory()  # of the files, which the sessions have copied
        self._app, self._listener = app, listener
        self.http_port = int(listener.getsockname()[1])
        if self.group is None:
            await self.open()
        return self

    async def open(self) -> None:
        """Begins to answer; a worker is told when."""
        self._is_open = True
        self._listener.listen(BACKLOG)
        await self._start_http(self._app, self._listener)
        await self._grpc.start()
        self._grpc.set_serving(True)
        self._watches = [
            asyncio.create_task(watch_descriptors()),
            asyncio.create_task(self._receiving.watch()),
            asyncio.create_task(keep_giving_back()),
        ]

    async def reload_here(self) -> Reload:
        """Has this process alone read the bundle folder again."""
        return await self.operations.reload_here()

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
            device=self.runtime.device,
            workers="1 worker",
            refused=tuple((each.name, each.reason) for each in self.catalog.refused),
        )

    def _make_engine(self) -> Engine:
        settings = self.settings
        rows, values = settings.max_rows_in_flight, settings.max_values_in_flight
        frames = settings.stream_frames
        if self.group is None:
            lane = make_lane(self.runtime.device, self._observe)
            return Engine(lane, max_rows_in_flight=rows, max_values_in_flight=values, stream_frames=frames)
        self.sharing = Sharing(self.group, self.runtime.device, self._observe)
        return self.sharing.make_engine(
            max_rows_in_flight=rows, max_values_in_flight=values, stream_frames=frames
        )

    def _keep_graphs(self) -> None:
        if self.sharing is not None:
            self.sharing.keep(self.catalog.graphs())

    def _observe(self, call: CallFacts) -> None:
        self.metrics.batch(**call._asdict())

    async def _start_http(self, app: FastAPI, listener: socket.socket) -> None:
        limits, tls = ConnectionLimits.of(self.settings), self._tls
        connection = limited_connections(limits, self._receiving, self._cors)
        config = uvicorn.Config(
            app,
            http=connection,
            proxy_headers=False,  # whom to believe is decided for both transports alike
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            backlog=BACKLOG,
        )
        self._http = _HttpServer(config)
        if tls is not None:
            state = self._http.server_state
            self._handshakes = Handshakes(
                listener, tls.context, limits, state, lambda: connection(config, state, {})
            )
        sockets = [listener] if tls is None else []
        self._http_task = asyncio.create_task(self._http.serve(sockets=sockets))
        while not self._http.started:
            if self._http_task.done():
                await self._http_task
                raise StartError("the HTTP server ended at once")
            await asyncio.sleep(0.005)  # uvicorn offers nothing to wait for

    async def _stop(self) -> None:
        """Drains and shuts down: running drawings finish within the grace period, then the connections close.

        Both listeners stay open while draining: a client that comes now gets a clear UNAVAILABLE.
        """
        if not self._is_open:  # a worker that was told to end before it was told to begin
            await self.engine.close()
            self.trials.close()
            return
        for watch in self._watches:
            watch.cancel()
        loop = asyncio.get_running_loop()
        end = loop.time() + self.settings.drain_grace_s
        self._grpc.set_serving(False)
        if not await self.engine.drain(self.settings.drain_grace_s):
            _log.warning("drawings were cut after the grace period of %s s", self.settings.drain_grace_s)
        if self.sharing is not None:
            await self.sharing.idle(max(0.0, end - loop.time()))
        await self._grpc.told(_TELL_S)  # or who watches would see a lost connection, and not why
        await self.engine.close()
        grace = max(end - loop.time(), _FLUSH_S)
        # uvicorn waits for the answers under way; without a limit one stalled reader would keep it for ever.
        self._http.config.timeout_graceful_shutdown = max(1, round(grace))
        self._http.should_exit = True
        if self._handshakes is not None:
            self._handshakes.close()
        await asyncio.gather(self._http_task, self._grpc.stop(grace))
        self.trials.close()  # of a reload that nobody waits for any more


def make_runtime(settings: Settings, *, computes: bool) -> Runtime:
    """The runtime of a process; of one that only reads the bundles, it measures nothing and needs no device.

    Raises:
        RuntimeError: One sentence: CUDA was asked for but is not there, or two ONNX Runtimes are installed.
    """
    return Runtime(
        provider=settings.provider if computes else "cpu",
        max_batch_rows=settings.max_batch_rows,
        calibrator=Calibrator(settings.cache) if settings.calibrate and computes else None,
        cuda_graphs=settings.cuda_graphs and computes,
    )
