"""A real gRPC server on a real socket with the real engine, for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.runtime import Runtime
from pentimento.service.grpc.api import GrpcServer, create_server
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings

CHANNEL_OPTIONS = (("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", -1))


@dataclass(frozen=True, kw_only=True)
class Serving:
    server: GrpcServer
    engine: Engine
    operations: Operations
    settings: Settings
    channel: grpc.aio.Channel

    @property
    def stub(self) -> pb_grpc.CanvasServiceStub:
        return pb_grpc.CanvasServiceStub(self.channel)


@asynccontextmanager
async def serve_grpc(bundles: Path, *, metrics=None, lanes=2, **options) -> AsyncIterator[Serving]:
    options = {"default_model": "toy-steps"} | options
    settings = Settings(bundles=bundles, host="127.0.0.1", grpc_port=0, **options)
    catalog = Catalog.load(bundles, Runtime(provider="cpu"), default=settings.default_model)
    engine = Engine(
        LaneThreads(lanes),
        max_rows_in_flight=settings.max_rows_in_flight,
        stream_frames=settings.stream_frames,
    )
    engine.start()
    operations = Operations(catalog, engine, settings)
    server, port = await create_server(operations, settings, metrics=metrics)
    await server.start()
    server.set_serving(True)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS) as channel:
        try:
            yield Serving(
                server=server, engine=engine, operations=operations, settings=settings, channel=channel
            )
        finally:
            await server.stop()
            await engine.close()
