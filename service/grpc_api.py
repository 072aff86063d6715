"""The gRPC transport: `pentimento.v1.CanvasService`, health and reflection. Translates, and nothing else.

A handler that is cancelled lets CancelledError through: one that swallowed it would leak the call's memory
(grpc/grpc#43360).
"""

__all__ = ["GRPC_STATUS", "MAX_SEND_BYTES", "SERVICE_NAME", "CanvasService", "GrpcServer", "create_server"]

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service import wire
from service.errors import Code, PentimentoError, invalid
from service.grpc_status import GRPC_STATUS, CallObserver, Context, generic_handler
from service.operations import Drawing, Operations
from service.pb import canvas_service_pb2 as pb
from service.settings import Settings
from service.wire_models import model_message, refusal_message

_SERVICE = pb.DESCRIPTOR.services_by_name["CanvasService"]

SERVICE_NAME = _SERVICE.full_name

MAX_SEND_BYTES = 64 << 20
"""Bytes of an answer; the proto tells clients of it. What is larger must be streamed."""

_STALL_S = 1.0  # from a drawing's deadline, which frees its rows, to the end of a call that nobody reads
_IMAGE_OVERHEAD_BYTES = 64  # of an image in a message: its length, its scores, its share of the frame


class CanvasService:
    """The RPCs; each method has the name that it has in the proto."""

    def __init__(
        self, operations: Operations, settings: Settings, observer: CallObserver | None = None
    ) -> None:
        self._operations = operations
        self._max_timeout_ms = settings.max_timeout_ms
        self._default_timeout_ms = settings.default_timeout_ms
        self._observer = observer

    async def StreamCanvas(self, request: pb.StreamCanvasRequest, context: Context) -> None:
        """A header, a frame a step, a summary.

        Writes instead of yielding: gRPC leaves a cancelled generator to the garbage collector, while here the
        cancellation is raised where the drawing is open, and closes it.
        """
        started = time.monotonic()
        encoding = wire.image_encoding(request.encoding)
        async with self._drawing(request.drawing, context) as drawing:
            image = self._operations.model(drawing.header.model).manifest.image
            _check_size(drawing, wire.encoded_size(image, encoding), frames=1)
            header = wire.header_message(drawing.header, image, encoding)
            await context.write(pb.StreamCanvasResponse(header=header))
            frame_count = 0
            async for frame in drawing:
                message = await asyncio.to_thread(wire.frame_message, frame, encoding)
                await context.write(pb.StreamCanvasResponse(frame=message))
                frame_count += 1
                if frame_count == 1 and self._observer is not None:
                    self._observer.first_canvas("grpc", time.monotonic() - started)
            summary = pb.DrawingSummary(frame_count=frame_count, timing=wire.timing_message(drawing.timing))
            await context.write(pb.StreamCanvasResponse(summary=summary))

    async def Generate(self, request: pb.GenerateRequest, context: Context) -> pb.GenerateResponse:
        """The whole drawing, or its last frame, in one message."""
        encoding = wire.image_encoding(request.encoding)
        async with self._drawing(request.drawing, context) as drawing:
            header = drawing.header
            image = self._operations.model(header.model).manifest.image
            kept = 1 if request.final_frame_only else header.steps
            _check_size(drawing, wire.encoded_size(image, encoding), frames=kept)
            frames = [
                await asyncio.to_thread(wire.frame_message, frame, encoding)
                async for frame in drawing
                if frame.step > header.steps - kept
            ]
            return pb.GenerateResponse(
                header=wire.header_message(header, image, encoding),
                frames=frames,
                timing=wire.timing_message(drawing.timing),
            )

    async def Score(self, request: pb.ScoreRequest, context: Context) -> pb.ScoreResponse:
        """A scorer's opinion of pictures."""
        wanted = wire.score_request(
            request, deadline_s=context.time_remaining(), max_timeout_ms=self._max_timeout_ms
        )
        return wire.score_message(await self._operations.score(wanted))

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:
        """All served models, and the refused folders."""
        models, refusals = self._operations.models()
        return pb.ListModelsResponse(
            models=[model_message(info) for info in models],
            refusals=[refusal_message(refusal) for refusal in refusals],
        )

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.GetModelResponse:
        """One model with its manifest."""
        if not request.name:
            raise invalid("name", "is needed: the name of a served model")
        info = self._operations.model(request.name)
        manifest = info.manifest.model_dump_json(exclude_none=True)
        return pb.GetModelResponse(model=model_message(info), manifest_json=manifest)

    @asynccontextmanager
    async def _drawing(self, spec: pb.DrawingSpec, context: Context) -> AsyncIterator[Drawing]:
        """An admitted drawing, closed on leaving; its deadline holds for a client that does not read, too."""
        request = wire.generate_request(
            spec, deadline_s=context.time_remaining(), max_timeout_ms=self._max_timeout_ms
        )
        timeout_ms = self._default_timeout_ms if request.timeout_ms is None else request.timeout_ms
        try:
            async with self._operations.generate(request) as drawing:
                async with asyncio.timeout(timeout_ms / 1000 + _STALL_S):
                    yield drawing
        except TimeoutError:
            message = "the deadline passed while the client was not reading"
            raise PentimentoError(Code.DEADLINE_EXCEEDED, message) from None


class GrpcServer:
    """A bound server; `start` makes it answer. Belongs to the event loop that it was made on.

    Args:
        operations: What can be asked for.
        settings: Where to listen, and the limits.
        metrics: Told of every call to CanvasService.

    Raises:
        OSError: The address cannot be had; one sentence.
    """

    def __init__(
        self, operations: Operations, settings: Settings, metrics: CallObserver | None = None
    ) -> None:
        self._server = grpc.aio.server(options=_options(settings.max_body_bytes))
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        service = CanvasService(operations, settings, metrics)
        handler = generic_handler(_SERVICE, service, on_call=self._count, observer=metrics)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]  # the stubs lack it
        self._server.add_generic_rpc_handlers((handler,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        try:
            self.port = self._server.add_insecure_port(f"{host}:{settings.grpc_port}")
        except RuntimeError:  # gRPC logs the reason and raises no other type
            raise OSError(
                f"gRPC cannot listen on {host}:{settings.grpc_port}: another program has the port, or the "
                "address is not one of this machine"
            ) from None

    async def start(self) -> None:
        """Begins to answer; health says NOT_SERVING until `set_serving`."""
        await self.set_serving(False)
        await self._server.start()

    async def set_serving(self, serving: bool) -> None:
        """What the health service says of the whole server and of CanvasService."""
        kinds = health_pb2.HealthCheckResponse
        status = kinds.SERVING if serving else kinds.NOT_SERVING
        for name in (health.OVERALL_HEALTH, SERVICE_NAME):
            await self._health.set(name, status)

    async def stop(self, grace: float | None = None) -> None:
        """Refuses new calls, and ends when the running drawings have, at the latest after `grace` seconds.

        gRPC's own grace period would be held up by health watchers, which never end by themselves.
        """
        await self._health.enter_graceful_shutdown()
        if grace:
            stopping = asyncio.ensure_future(self._server.stop(grace))
            try:
                await asyncio.wait_for(self._idle.wait(), grace)
            except TimeoutError:
                pass  # the rest is cut below
            await self._server.stop(None)
            await stopping
        else:
            await self._server.stop(None)

    async def wait_for_termination(self) -> None:
        """Returns when the server has stopped."""
        await self._server.wait_for_termination()

    def _count(self, context: Context) -> None:
        self._running += 1
        self._idle.clear()
        # Unlike a `finally` in the handler, this runs when the status has been sent.
        context.add_done_callback(self._uncount)  # type: ignore[arg-type]  # the stubs want a subclass

    def _uncount(self, _: Context) -> None:
        self._running -= 1
        if self._running == 0:
            self._idle.set()


async def create_server(
    operations: Operations, settings: Settings, *, metrics: CallObserver | None = None
) -> tuple[GrpcServer, int]:
    """Binds a server.

    Returns:
        The server, not yet started, and its port, which differs from the setting when that is 0.

    Raises:
        OSError: The address cannot be had; one sentence.
    """
    server = GrpcServer(operations, settings, metrics)
    return server, server.port


def _options(max_receive_bytes: int) -> Sequence[tuple[str, int]]:
    return (
        ("grpc.max_receive_message_length", max_receive_bytes),
        ("grpc.max_send_message_length", MAX_SEND_BYTES),
        ("grpc.so_reuseport", 0),  # or a second server would silently share the port
        # A client that vanished without a word is noticed within 40 s, and its drawings are cancelled.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 3),
    )


def _check_size(drawing: Drawing, image_bytes: int, *, frames: int) -> None:
    """Refuses a message that could pass the limit, before a step is drawn for it."""
    size = drawing.header.n * (image_bytes + _IMAGE_OVERHEAD_BYTES) * frames
    if size > MAX_SEND_BYTES:
        raise invalid(
            "image_count",
            f"{drawing.header.n} makes a message of up to {size} bytes; the limit is {MAX_SEND_BYTES}: ask "
            "for fewer images, the final frame only, a smaller encoding, or a stream",
        )
