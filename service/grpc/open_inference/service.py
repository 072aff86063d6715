"""The RPCs of `inference.GRPCInferenceService`: each translates, as those of `service.grpc.service` do."""

__all__ = ["InferenceService"]

import asyncio
import math
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TypeVar

from pentimento.bundle.manifest import Manifest
from pentimento.service.door.access import AdminToken
from pentimento.service.errors import Code, PentimentoError, Stalled
from pentimento.service.grpc.call import Call
from pentimento.service.grpc.open_inference.wire import ask_of, infer_message
from pentimento.service.grpc.pb import open_inference_pb2 as pb
from pentimento.service.grpc.sending import NoRoom
from pentimento.service.grpc.sizes import check_bytes
from pentimento.service.grpc.status import CallObserver
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    Frame,
    GenerateRequest,
    Header,
    LikelihoodRequest,
    OperationName,
    ScoreRequest,
)
from pentimento.service.open_inference import repository
from pentimento.service.open_inference.answers import (
    Answer,
    answer_values,
    drawing_facts,
    encode_answer,
    frame_tensors,
    likelihood_answer,
    score_answer,
)
from pentimento.service.open_inference.metadata import (
    EXTENSIONS,
    PLATFORM,
    SERVER,
    server_version,
    tensor_facts,
)
from pentimento.service.open_inference.names import Target, find_model
from pentimento.service.open_inference.requests import Ask, drawing_request, reading_request, wanted_outputs
from pentimento.service.operations.codec import AT_ONCE
from pentimento.service.operations.operations import Drawing, Operations, Weigh
from pentimento.service.operations.whole_answers import made
from pentimento.service.settings import Settings

_LATE_S = 1.0  # from a drawing's deadline, which frees its rows, to the end of a call that nobody reads
_OVERHEAD_BYTES = 4096  # of a message, beside its numbers
_NAMES = tuple[str, ...] | None

# What metrics count a request as, whoever asked how.
_COUNTS_AS: dict[OperationName, str] = {
    "generate": "Generate",
    "autoencode": "Autoencode",
    "complete": "Complete",
    "encode": "Encode",
    "score": "Score",
    "likelihood": "EstimateLikelihood",
}

_Drawing = GenerateRequest | AutoencodeRequest | CompleteRequest
_Request = TypeVar("_Request", bound=_Drawing | EncodeRequest | ScoreRequest | LikelihoodRequest)


class InferenceService:
    """The RPCs; each method has the name that it has in the proto."""

    def __init__(
        self, operations: Operations, settings: Settings, observer: CallObserver | None = None
    ) -> None:
        self._operations, self._settings, self._observer = operations, settings, observer
        self._admin = AdminToken.of(settings)
        self._usual_ms = min(settings.default_timeout_ms, settings.max_timeout_ms)

    async def ServerLive(self, request: pb.ServerLiveRequest, call: Call) -> pb.ServerLiveResponse:
        """Answers that the process is alive."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(self, request: pb.ServerReadyRequest, call: Call) -> pb.ServerReadyResponse:
        """Answers whether new work is admitted."""
        return pb.ServerReadyResponse(ready=self._operations.accepting)

    async def ModelReady(self, request: pb.ModelReadyRequest, call: Call) -> pb.ModelReadyResponse:
        """Answers whether a model can be asked; of one that is not served, that it cannot."""
        try:
            find_model(self._operations, request.name, request.version, field="name")
        except PentimentoError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return pb.ModelReadyResponse(ready=False)
        return pb.ModelReadyResponse(ready=self._operations.accepting)

    async def ServerMetadata(
        self, request: pb.ServerMetadataRequest, call: Call
    ) -> pb.ServerMetadataResponse:
        """Answers what this server is."""
        return pb.ServerMetadataResponse(name=SERVER, version=server_version(), extensions=EXTENSIONS)

    async def ModelMetadata(self, request: pb.ModelMetadataRequest, call: Call) -> pb.ModelMetadataResponse:
        """Answers what a model takes and gives."""
        target = find_model(self._operations, request.name, request.version, field="name")
        inputs, outputs = tensor_facts(target)
        kind = pb.ModelMetadataResponse.TensorMetadata
        return pb.ModelMetadataResponse(
            name=target.name,
            versions=[target.manifest.version],
            platform=PLATFORM,
            inputs=[kind(name=each.name, datatype=each.datatype, shape=each.shape) for each in inputs],
            outputs=[kind(name=each.name, datatype=each.datatype, shape=each.shape) for each in outputs],
        )

    async def ModelInfer(self, request: pb.ModelInferRequest, call: Call) -> pb.ModelInferResponse:
        """Answers with the last step of a drawing, or with a reading."""
        target, ask, names = self._target(request, call)
        if not target.draws:
            return await self._read(ask, target, names, call, request.id)
        message = self._timed(drawing_request(ask, target, self._settings.max_images), call)
        all_steps = names is not None and "canvases" in names

        def weigh(header: Header, manifest: Manifest) -> int | None:
            call.outgoing.reserve(_check(target, names, header))
            return header.steps if all_steps else None

        async with await self._when_there_is_room(message, weigh, call) as drawing:
            self._note(drawing, call)
            if all_steps:
                frames = await drawing.frames()
            else:
                frames = [frame async for frame in drawing if frame.step == drawing.header.steps]
            drawing.check_deadline()
            values = answer_values(target, names, drawing.header.n, drawing.header.steps)
            arguments = (target, drawing.header, frames, names, request.id, None)
            return await made(values, drawing.left_s, _frame_message, *arguments)

    async def ModelStreamInfer(self, requests: AsyncIterator[pb.ModelInferRequest], call: Call) -> None:
        """Answers each request in turn, a drawing with each of its steps as soon as it is drawn.

        What is wrong with a request is said in a message, and the stream goes on; with `triton_grpc_error` in
        the metadata it ends the call, as a status.
        """
        metadata = call.context.invocation_metadata() or ()
        ends = any(key == "triton_grpc_error" and str(value).lower() == "true" for key, value in metadata)
        async for request in requests:
            try:
                await self._stream(request, call)
            except Stalled:
                raise
            except PentimentoError as error:
                if ends:
                    raise
                failed = pb.ModelInferResponse(id=request.id)
                await call.write(
                    pb.ModelStreamInferResponse(error_message=error.message, infer_response=failed)
                )

    async def RepositoryIndex(
        self, request: pb.RepositoryIndexRequest, call: Call
    ) -> pb.RepositoryIndexResponse:
        """Lists all models, and the folders that are refused."""
        repository.refuse_repository(request.repository_name)
        kind = pb.RepositoryIndexResponse.ModelIndex
        found = repository.entries(self._operations, ready=request.ready)
        return pb.RepositoryIndexResponse(models=[kind(**entry._asdict()) for entry in found])

    async def RepositoryModelLoad(
        self, request: pb.RepositoryModelLoadRequest, call: Call
    ) -> pb.RepositoryModelLoadResponse:
        """Has the bundle folder read again; needs the admin token."""
        self._admin.check(call.authorization)
        repository.refuse_repository(request.repository_name)
        await repository.load(self._operations, request.model_name, dict(request.parameters))
        return pb.RepositoryModelLoadResponse()

    async def RepositoryModelUnload(
        self, request: pb.RepositoryModelUnloadRequest, call: Call
    ) -> pb.RepositoryModelUnloadResponse:
        """Is refused, for whoever has the admin token, with what can be done instead."""
        self._admin.check(call.authorization)
        raise repository.refuse_unload(self._operations, request.model_name)

    async def _stream(self, request: pb.ModelInferRequest, call: Call) -> None:
        target, ask, names = self._target(request, call, streams=True)
        if not target.draws:
            message = await self._read(ask, target, names, call, request.id, final=True)
            await call.write(pb.ModelStreamInferResponse(infer_response=message))
            return
        wanted = self._timed(drawing_request(ask, target, self._settings.max_images), call)

        def weigh(header: Header, manifest: Manifest) -> None:
            _check(target, names, header)

        async with await self._begin(wanted, weigh) as drawing:
            self._note(drawing, call)
            async for frame in drawing:
                final = frame.step == drawing.header.steps
                arguments = (target, drawing.header, [frame], names, request.id, final)
                if frame.weight <= AT_ONCE:
                    message = _frame_message(*arguments)
                else:
                    message = await asyncio.to_thread(_frame_message, *arguments)
                await call.write(pb.ModelStreamInferResponse(infer_response=message))
                if frame.step == 1 and self._observer is not None:
                    self._observer.first_canvas("grpc", call.seconds)

    async def _read(
        self,
        ask: Ask,
        target: Target,
        names: _NAMES,
        call: Call,
        id: str,
        final: bool | None = None,
    ) -> pb.ModelInferResponse:
        message = self._timed(reading_request(ask, target, self._settings.max_images), call)
        began, n = time.monotonic(), len(message.images)
        values = answer_values(target, names, n)
        size = 4 * values + _OVERHEAD_BYTES
        await call.make_room(check_bytes("image", n, size, "fewer images"))
        message = self._later(message, began)
        if isinstance(message, EncodeRequest):
            answer = encode_answer(await self._operations.encode(message), names)
        elif isinstance(message, ScoreRequest):
            answer = score_answer(await self._operations.score(message), names)
        else:
            answer = likelihood_answer(await self._operations.likelihood(message), names)
        return await made(values, None, infer_message, target, answer, id, final)

    def _target(
        self, request: pb.ModelInferRequest, call: Call, *, streams: bool = False
    ) -> tuple[Target, Ask, _NAMES]:
        target = find_model(self._operations, request.model_name, request.model_version)
        call.counts_as = _COUNTS_AS[target.operation]
        ask = ask_of(request)
        return target, ask, wanted_outputs(ask, target, streams=streams)

    def _timed(self, message: _Request, call: Call) -> _Request:
        """The same request with the earlier of its two deadlines, its own and the call's."""
        call.asks(message)
        given, left_s = message.timeout_ms, call.time_remaining()
        most = self._settings.max_timeout_ms
        if left_s is not None and (given is None or 1 <= given <= most):
            left_ms = max(1, math.floor(min(left_s * 1000, most)))
            message = replace(message, timeout_ms=left_ms if given is None else min(given, left_ms))
        usual = self._usual_ms if message.timeout_ms is None else message.timeout_ms
        call.must_end_within(usual / 1000 + _LATE_S)
        return message

    def _later(self, message: _Request, began: float) -> _Request:
        """The same request with less time, if it has waited since `began`."""
        waited_ms = math.floor(1000 * (time.monotonic() - began))
        given = self._usual_ms if message.timeout_ms is None else message.timeout_ms
        return replace(message, timeout_ms=max(1, given - waited_ms)) if waited_ms and given > 0 else message

    def _note(self, drawing: Drawing, call: Call) -> None:
        call.draws(drawing.header)
        call.must_end_within(drawing.left_s + _LATE_S)

    async def _when_there_is_room(self, message: _Drawing, weigh: Weigh, call: Call) -> Drawing:
        """Admits a drawing for whose answer `weigh` reserves room: before that, nothing is made for it."""
        began = time.monotonic()
        try:
            return await self._begin(message, weigh)
        except NoRoom as full:
            await call.make_room(full.size)
        return await self._begin(self._later(message, began), weigh)

    async def _begin(self, message: _Drawing, weigh: Weigh) -> Drawing:
        if isinstance(message, AutoencodeRequest):
            return await self._operations.autoencode(message, weigh)
        if isinstance(message, CompleteRequest):
            return await self._operations.complete(message, weigh)
        return await self._operations.generate(message, weigh)


def _check(target: Target, names: _NAMES, header: Header) -> int:
    """Refuses a message that could pass the limit; returns the most bytes that it has."""
    size = 4 * answer_values(target, names, header.n, header.steps) + _OVERHEAD_BYTES
    field = "samples" if target.operation == "autoencode" else "n"
    return check_bytes(field, header.n, size, "fewer images, fewer outputs, or a stream")


def _frame_message(
    target: Target, header: Header, frames: list[Frame], names: _NAMES, id: str, final: bool | None
) -> pb.ModelInferResponse:
    """The last of these frames as a message, with `canvases` of all if that is wanted; it only computes."""
    facts = drawing_facts(header, frames[-1].step)
    answer = Answer(version=header.version, parameters=facts, tensors=frame_tensors(frames, names))
    return infer_message(target, answer, id, final)
