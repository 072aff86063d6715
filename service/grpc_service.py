"""The RPCs of `pentimento.v1.CanvasService`: each translates, and nothing else.

A handler that is cancelled lets CancelledError through: one that swallowed it would leak the call's memory
(grpc/grpc#43360).
"""

__all__ = ["MAX_SEND_BYTES", "CanvasService"]

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeAlias, TypeVar

from bundle.manifest import Manifest
from service import wire, wire_requests
from service.access import AdminToken
from service.codec import AT_ONCE
from service.errors import Code, PentimentoError, invalid
from service.grpc_status import CallObserver, Context, authorization
from service.messages import Frame
from service.operations import Drawing, Operations
from service.pb import canvas_service_pb2 as pb
from service.settings import Settings
from service.wire_models import model_message, refusal_message, reload_message

MAX_SEND_BYTES = 64 << 20
"""Bytes of an answer; the proto tells clients of it. What is larger must be streamed."""

_STALL_S = 1.0  # from a drawing's deadline, which frees its rows, to the end of a call that nobody reads
_IMAGE_OVERHEAD_BYTES = 64  # of an image in a message: its length, its scores, its share of the frame

_StreamResponse: TypeAlias = pb.StreamCanvasResponse | pb.AutoencodeResponse | pb.CompleteResponse

_Message = TypeVar("_Message", contravariant=True)
_Request = TypeVar("_Request", covariant=True)


class _Reader(Protocol[_Message, _Request]):
    """A function of `wire_requests`."""

    def __call__(
        self, message: _Message, /, *, deadline_s: float | None, max_timeout_ms: int
    ) -> _Request: ...


class CanvasService:
    """The RPCs; each method has the name that it has in the proto."""

    def __init__(
        self, operations: Operations, settings: Settings, observer: CallObserver | None = None
    ) -> None:
        self._operations = operations
        self._admin = AdminToken.of(settings)
        self._max_timeout_ms = settings.max_timeout_ms
        self._default_timeout_ms = settings.default_timeout_ms
        self._observer = observer

    async def StreamCanvas(self, request: pb.StreamCanvasRequest, context: Context) -> None:
        """A header, a frame a step, a summary."""
        started, encoding = time.monotonic(), wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.generate_request, request.drawing, context)
        async with self._open(await self._operations.generate(wanted), wanted.timeout_ms) as drawing:
            await self._send(drawing, encoding, pb.StreamCanvasResponse, context, started)

    async def Autoencode(self, request: pb.AutoencodeRequest, context: Context) -> None:
        """A header, what the encoder put out, a frame a step, a summary."""
        started, encoding = time.monotonic(), wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.autoencode_request, request, context)
        async with self._open(await self._operations.autoencode(wanted), wanted.timeout_ms) as drawing:
            n = drawing.header.n
            _check_bytes("sample_count", n, 4 * n * _encoder_values(drawing.manifest), "fewer samples")
            await self._send(drawing, encoding, pb.AutoencodeResponse, context, started)

    async def Complete(self, request: pb.CompleteRequest, context: Context) -> None:
        """A header, a frame a step, a summary."""
        started, encoding = time.monotonic(), wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.complete_request, request, context)
        async with self._open(await self._operations.complete(wanted), wanted.timeout_ms) as drawing:
            await self._send(drawing, encoding, pb.CompleteResponse, context, started)

    async def Generate(self, request: pb.GenerateRequest, context: Context) -> pb.GenerateResponse:
        """The whole drawing, or its last frame, in one message."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.generate_request, request.drawing, context)
        async with self._open(await self._operations.generate(wanted), wanted.timeout_ms) as drawing:
            header, image = drawing.header, drawing.manifest.image
            kept = 1 if request.final_frame_only else header.steps
            _check_size(drawing, wire.encoded_size(image, encoding), frames=kept)
            if request.final_frame_only:
                frames = [frame async for frame in drawing if frame.step == header.steps]
            else:
                frames = await drawing.frames()
            return pb.GenerateResponse(
                header=wire.header_message(header, image, encoding),
                frames=await _encoded(frames, encoding),
                timing=wire.timing_message(drawing.timing),
            )

    async def Score(self, request: pb.ScoreRequest, context: Context) -> pb.ScoreResponse:
        """A scorer's opinion of pictures."""
        wanted = self._read(wire_requests.score_request, request, context)
        return wire.score_message(await self._operations.score(wanted))

    async def Encode(self, request: pb.EncodeRequest, context: Context) -> pb.EncodeResponse:
        """What an encoder makes of pictures."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.encode_request, request, context)
        self._check_reading(wanted.model, len(wanted.images), encoding, _encoder_values)
        result = await self._operations.encode(wanted)
        return await asyncio.to_thread(wire.encode_message, result, encoding)

    async def EstimateLikelihood(
        self, request: pb.EstimateLikelihoodRequest, context: Context
    ) -> pb.EstimateLikelihoodResponse:
        """How likely a model finds pictures."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.likelihood_request, request, context)
        values = _pixel_values if wanted.pixels else _no_values
        self._check_reading(wanted.model, len(wanted.images), encoding, values)
        result = await self._operations.likelihood(wanted)
        return await asyncio.to_thread(wire.likelihood_message, result, encoding)

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

    async def ReloadModels(
        self, request: pb.ReloadModelsRequest, context: Context
    ) -> pb.ReloadModelsResponse:
        """Reads the bundle folder again, for who has the admin token."""
        self._admin.check(authorization(context))
        return reload_message(await self._operations.reload())

    def _read(self, reader: _Reader[_Message, _Request], message: _Message, context: Context) -> _Request:
        return reader(message, deadline_s=context.time_remaining(), max_timeout_ms=self._max_timeout_ms)

    @asynccontextmanager
    async def _open(self, admitted: Drawing, timeout_ms: int | None) -> AsyncIterator[Drawing]:
        """An admitted drawing, closed on leaving; its deadline holds for a client that does not read, too."""
        timeout_s = (self._default_timeout_ms if timeout_ms is None else timeout_ms) / 1000
        try:
            async with admitted as drawing, asyncio.timeout(timeout_s + _STALL_S):
                yield drawing
        except TimeoutError:
            message = "the deadline passed while the client was not reading"
            raise PentimentoError(Code.DEADLINE_EXCEEDED, message) from None

    async def _send(
        self,
        drawing: Drawing,
        encoding: pb.ImageEncoding,
        response: type[_StreamResponse],
        context: Context,
        started: float,
    ) -> None:
        """All messages of a stream.

        Writes instead of yielding: gRPC leaves a cancelled generator to the garbage collector, while here the
        cancellation is raised where the drawing is open, and closes it.
        """
        image = drawing.manifest.image
        field = "sample_count" if response is pb.AutoencodeResponse else "image_count"
        _check_size(drawing, wire.encoded_size(image, encoding), field=field)
        if drawing.given is None:
            header = wire.header_message(drawing.header, image, encoding)
        else:  # a picture to encode: worth a thread
            header = await asyncio.to_thread(
                wire.header_message, drawing.header, image, encoding, drawing.given
            )
        await context.write(response(header=header))
        frame_count = 0
        async for frame in drawing:
            if frame_count == 0 and drawing.encoding is not None:
                output = await asyncio.to_thread(wire.encoder_output_message, drawing.encoding)
                await context.write(pb.AutoencodeResponse(encoder_output=output))
            (message,) = await _encoded([frame], encoding)
            await context.write(response(frame=message))
            frame_count += 1
            if frame_count == 1 and self._observer is not None:
                self._observer.first_canvas("grpc", time.monotonic() - started)
        summary = pb.DrawingSummary(frame_count=frame_count, timing=wire.timing_message(drawing.timing))
        await context.write(response(summary=summary))

    def _check_reading(
        self, model: str | None, n: int, encoding: pb.ImageEncoding, values: Callable[[Manifest], int]
    ) -> None:
        """Refuses pictures whose answer could pass the limit, before they are read.

        Args:
            model: As in the request.
            n: Pictures.
            encoding: How they travel back.
            values: How many values the answer holds for each besides.
        """
        infos, _ = self._operations.models()
        for info in infos:
            if info.manifest.name == model or (model is None and info.is_default):
                each = wire.encoded_size(info.manifest.image, encoding) + 4 * values(info.manifest)
                _check_bytes("images", n, n * (each + _IMAGE_OVERHEAD_BYTES), "fewer images")


async def _encoded(frames: Sequence[Frame], encoding: pb.ImageEncoding) -> list[pb.Frame]:
    """Frames as messages, made off the event loop unless that takes longer than making them."""

    def encode() -> list[pb.Frame]:
        return [wire.frame_message(frame, encoding) for frame in frames]

    large = sum(frame.canvas.size for frame in frames) > AT_ONCE
    return await asyncio.to_thread(encode) if large else encode()


def _encoder_values(manifest: Manifest) -> int:
    """Values that the encoder puts out for an image; 0 without one, which the core refuses."""
    spec = manifest.graphs.get("encode")
    return 0 if spec is None else sum(math.prod(tensor.shape) for tensor in spec.outputs)


def _pixel_values(manifest: Manifest) -> int:
    return math.prod(manifest.image.shape)


def _no_values(_: Manifest) -> int:
    return 0


def _check_size(drawing: Drawing, image_bytes: int, *, frames: int = 1, field: str = "image_count") -> None:
    """Refuses a message of some frames that could pass the limit, before a step is drawn for it."""
    n = drawing.header.n
    ways = "fewer images, a smaller encoding, the final frame only, or a stream"
    if frames == 1:
        ways = "fewer images or a smaller encoding"
    _check_bytes(field, n, n * (image_bytes + _IMAGE_OVERHEAD_BYTES) * frames, ways)


def _check_bytes(field: str, n: int, size: int, ways: str) -> None:
    if size > MAX_SEND_BYTES:
        message = f"{n} makes a message of up to {size} bytes; the limit is {MAX_SEND_BYTES}: ask for {ways}"
        raise invalid(field, message)
