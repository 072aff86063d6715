"""The RPCs of `pentimento.v1.CanvasService`: each translates, and nothing else.

A handler that is cancelled lets CancelledError through: one that swallowed it would leak the call's memory
(grpc/grpc#43360).
"""

__all__ = ["CanvasService"]

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

from pentimento.bundle.manifest import Manifest
from pentimento.service.door.access import AdminToken
from pentimento.service.errors import invalid
from pentimento.service.grpc import wire, wire_requests
from pentimento.service.grpc.call import Call
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.sending import NoRoom
from pentimento.service.grpc.sizes import check_bytes, check_reading, check_size, encoder_values, pixel_values
from pentimento.service.grpc.status import CallObserver
from pentimento.service.grpc.wire_models import model_message, refusal_message, reload_message
from pentimento.service.messages import EncodeRequest, Frame, GenerateRequest, Header, LikelihoodRequest
from pentimento.service.operations.codec import AT_ONCE
from pentimento.service.operations.operations import Drawing, Operations, Weigh
from pentimento.service.operations.whole_answers import made
from pentimento.service.settings import Settings
from pentimento.service.telemetry.request_log import Asked

_LATE_S = 1.0  # from a drawing's deadline, which frees its rows, to the end of a call that nobody reads

_Message = TypeVar("_Message", contravariant=True)
_StreamResponse = TypeVar(
    "_StreamResponse", pb.StreamCanvasResponse, pb.AutoencodeResponse, pb.CompleteResponse
)
_Request = TypeVar("_Request", covariant=True, bound=Asked)
_Reading = TypeVar("_Reading", EncodeRequest, LikelihoodRequest)
_Waiting = TypeVar("_Waiting", GenerateRequest, EncodeRequest, LikelihoodRequest)


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
        self._usual_timeout_ms = min(settings.default_timeout_ms, settings.max_timeout_ms)
        self._observer = observer

    async def StreamCanvas(self, request: pb.StreamCanvasRequest, call: Call) -> pb.StreamCanvasResponse:
        """Streams a drawing from noise: a header, a frame a step, a summary."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.generate_request, request.drawing, call)
        admitted = await self._operations.generate(wanted, _frame_fits(encoding))
        async with self._open(admitted, call) as drawing:
            return await self._send(drawing, encoding, pb.StreamCanvasResponse, call)

    async def Autoencode(self, request: pb.AutoencodeRequest, call: Call) -> pb.AutoencodeResponse:
        """Streams a picture drawn again: a header, what the encoder put out, a frame a step, a summary."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.autoencode_request, request, call)
        admitted = await self._operations.autoencode(wanted, _encoding_fits(encoding))
        async with self._open(admitted, call) as drawing:
            return await self._send(drawing, encoding, pb.AutoencodeResponse, call)

    async def Complete(self, request: pb.CompleteRequest, call: Call) -> pb.CompleteResponse:
        """Streams the completion of a picture: a header, a frame a step, a summary."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.complete_request, request, call)
        admitted = await self._operations.complete(wanted, _frame_fits(encoding))
        async with self._open(admitted, call) as drawing:
            return await self._send(drawing, encoding, pb.CompleteResponse, call)

    async def Generate(self, request: pb.GenerateRequest, call: Call) -> pb.GenerateResponse:
        """Answers with the whole drawing, or its last frame, in one message."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.generate_request, request.drawing, call)
        last_only = request.final_frame_only

        def weigh(header: Header, manifest: Manifest) -> int | None:
            count = 1 if last_only else header.steps
            call.outgoing.reserve(check_size(header, manifest, encoding, frames=count))
            return None if last_only else header.steps

        admitted = await self._when_there_is_room(wanted, weigh, call)
        async with self._open(admitted, call) as drawing:
            header, image = drawing.header, drawing.manifest.image
            if last_only:
                frames = [frame async for frame in drawing if frame.step == header.steps]
                drawing.check_deadline()
            else:
                frames = await drawing.frames()
            values = sum(frame.weight for frame in frames)
            check = drawing.check_deadline
            return pb.GenerateResponse(
                header=wire.header_message(header, image, encoding),
                frames=await made(values, drawing.left_s, _messages, frames, encoding, check),
                timing=wire.timing_message(drawing.timing),
            )

    async def Score(self, request: pb.ScoreRequest, call: Call) -> pb.ScoreResponse:
        """Answers with a scorer's verdict on pictures."""
        wanted = self._read(wire_requests.score_request, request, call)
        result = await self._operations.score(wanted)
        call.model = result.model
        return wire.score_message(result)

    async def Encode(self, request: pb.EncodeRequest, call: Call) -> pb.EncodeResponse:
        """Answers with what an encoder makes of pictures."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.encode_request, request, call)
        wanted = await self._make_room(wanted, encoding, encoder_values, call)
        result = await self._operations.encode(wanted)
        call.model = result.model
        return await made(result.weight, None, wire.encode_message, result, encoding)

    async def EstimateLikelihood(
        self, request: pb.EstimateLikelihoodRequest, call: Call
    ) -> pb.EstimateLikelihoodResponse:
        """Answers with the log-likelihood of pictures, or a lower bound of it."""
        encoding = wire.image_encoding(request.encoding)
        wanted = self._read(wire_requests.likelihood_request, request, call)
        values = pixel_values if wanted.pixels else lambda _: 0
        wanted = await self._make_room(wanted, encoding, values, call)
        result = await self._operations.likelihood(wanted)
        call.model = result.model
        return await made(result.weight, None, wire.likelihood_message, result, encoding)

    async def ListModels(self, request: pb.ListModelsRequest, call: Call) -> pb.ListModelsResponse:
        """Answers with all served models, and the refused folders."""
        models, refusals = self._operations.models()
        return pb.ListModelsResponse(
            models=[model_message(info) for info in models],
            refusals=[refusal_message(refusal) for refusal in refusals],
        )

    async def GetModel(self, request: pb.GetModelRequest, call: Call) -> pb.GetModelResponse:
        """Answers with one model and its manifest."""
        if not request.name:
            raise invalid("name", "is needed: the name of a served model")
        info = self._operations.model(request.name)
        manifest = info.manifest.model_dump_json(exclude_none=True)
        return pb.GetModelResponse(model=model_message(info), manifest_json=manifest)

    async def ReloadModels(self, request: pb.ReloadModelsRequest, call: Call) -> pb.ReloadModelsResponse:
        """Reads the bundle folder again, and answers with what that changed; needs the admin token."""
        self._admin.check(call.authorization)
        return reload_message(await self._operations.reload())

    async def _when_there_is_room(self, wanted: GenerateRequest, weigh: Weigh, call: Call) -> Drawing:
        """Admits a drawing for whose answer `weigh` reserves room: before that, nothing is made for it."""
        began = time.monotonic()
        try:
            return await self._operations.generate(wanted, weigh)
        except NoRoom as full:
            await call.make_room(full.size)
        return await self._operations.generate(self._later(wanted, began), weigh)

    async def _make_room(
        self,
        wanted: _Reading,
        encoding: pb.ImageEncoding,
        values: Callable[[Manifest], int],
        call: Call,
    ) -> _Reading:
        """Refuses a reading whose answer is too large, and makes room for any other's before it is made."""
        began = time.monotonic()
        infos, _ = self._operations.models()
        await call.make_room(check_reading(infos, wanted.model, len(wanted.images), encoding, values))
        return self._later(wanted, began)

    def _later(self, wanted: _Waiting, began: float) -> _Waiting:
        """The same request with less time, if it has waited since `began`."""
        waited_ms = math.floor(1000 * (time.monotonic() - began))
        given = self._usual_timeout_ms if wanted.timeout_ms is None else wanted.timeout_ms
        return replace(wanted, timeout_ms=max(1, given - waited_ms)) if waited_ms and given > 0 else wanted

    def _read(self, reader: _Reader[_Message, _Request], message: _Message, call: Call) -> _Request:
        wanted = reader(message, deadline_s=call.time_remaining(), max_timeout_ms=self._max_timeout_ms)
        call.asks(wanted)
        usual_ms = self._usual_timeout_ms
        call.must_end_within((usual_ms if wanted.timeout_ms is None else wanted.timeout_ms) / 1000 + _LATE_S)
        return wanted

    @asynccontextmanager
    async def _open(self, admitted: Drawing, call: Call) -> AsyncIterator[Drawing]:
        """Enters an admitted drawing and closes it on leaving; its deadline holds for a slow reader, too."""
        call.draws(admitted.header)
        call.must_end_within(admitted.left_s + _LATE_S)
        async with admitted as drawing:
            yield drawing

    async def _send(
        self,
        drawing: Drawing,
        encoding: pb.ImageEncoding,
        response: type[_StreamResponse],
        call: Call,
    ) -> _StreamResponse:
        """Sends all messages of a stream but the last, and returns that.

        Writes instead of yielding: gRPC leaves a cancelled generator to the garbage collector, while here the
        cancellation is raised where the drawing is open, and closes it.
        """
        image = drawing.manifest.image
        if drawing.given is None:
            header = wire.header_message(drawing.header, image, encoding)
        else:  # a picture to encode: worth a thread
            header = await asyncio.to_thread(
                wire.header_message, drawing.header, image, encoding, drawing.given
            )
        await call.write(response(header=header))
        frame_count = 0
        async for frame in drawing:
            if frame_count == 0 and drawing.encoding is not None:
                output = await asyncio.to_thread(wire.encoder_output_message, drawing.encoding)
                await call.write(pb.AutoencodeResponse(encoder_output=output))
            message = await _frame_message(frame, encoding)
            await call.write(response(frame=message))
            frame_count += 1
            if frame_count == 1 and self._observer is not None:
                self._observer.first_canvas("grpc", call.seconds)
        summary = pb.DrawingSummary(frame_count=frame_count, timing=wire.timing_message(drawing.timing))
        return response(summary=summary)


def _frame_fits(encoding: pb.ImageEncoding, field: str = "image_count") -> Weigh:
    """Refuses a stream of which one frame could be larger than a message may be."""

    def weigh(header: Header, manifest: Manifest) -> None:
        check_size(header, manifest, encoding, field=field)

    return weigh


def _encoding_fits(encoding: pb.ImageEncoding) -> Weigh:
    """Refuses likewise, and where what the encoder puts out could be."""
    frame_fits = _frame_fits(encoding, "sample_count")

    def weigh(header: Header, manifest: Manifest) -> None:
        size = 4 * header.n * encoder_values(manifest)
        check_bytes("sample_count", header.n, size, "fewer samples")
        frame_fits(header, manifest)

    return weigh


def _messages(
    frames: Sequence[Frame], encoding: pb.ImageEncoding, check: Callable[[], None]
) -> list[pb.Frame]:
    """Frames as messages; `check` is called before each, and stops that by raising."""
    messages = []
    for frame in frames:
        check()
        messages.append(wire.frame_message(frame, encoding))
    return messages


async def _frame_message(frame: Frame, encoding: pb.ImageEncoding) -> pb.Frame:
    """A frame of a stream as a message: it is short, and waits for no whole answer."""
    if frame.weight <= AT_ONCE:
        return wire.frame_message(frame, encoding)
    return await asyncio.to_thread(wire.frame_message, frame, encoding)
