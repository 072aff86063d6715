"""The protocol's inference: every operation of a bundle is a model, which is asked alike."""

__all__ = ["infer", "router"]

import time

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from pentimento.bundle.manifest import Manifest
from pentimento.service.errors import invalid, quoted
from pentimento.service.http.asking import begin, take_note, unless_gone
from pentimento.service.http.context import Context
from pentimento.service.http.exchange import exchange_of
from pentimento.service.http.open_inference import docs
from pentimento.service.http.open_inference.answers import Wanted, check_size, infer_response
from pentimento.service.http.open_inference.bodies import InferenceAsk, read_infer
from pentimento.service.http.watching import ClientWatch, unless_disconnected
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    Frame,
    Header,
    ScoreRequest,
)
from pentimento.service.open_inference.answers import (
    Answer,
    drawing_facts,
    encode_answer,
    frame_tensors,
    likelihood_answer,
    score_answer,
)
from pentimento.service.open_inference.names import Target, find_model, operation_of
from pentimento.service.open_inference.requests import drawing_request, reading_request, wanted_outputs
from pentimento.service.operations.checks import timeout_s
from pentimento.service.operations.operations import Drawing
from pentimento.service.operations.whole_answers import made

router = APIRouter()


@router.post("/v2/models/{name}/infer", **docs.INFER)
async def infer(name: str, request: Request) -> Response:
    """Asks a model: `{bundle}` draws, `{bundle}:{operation}` does what else the bundle can.

    Inputs and outputs are in JSON or, behind it, as bytes, as the binary tensor extension has it.
    """
    return await _infer(request, name, "")


@router.post("/v2/models/{name}/versions/{version}/infer", **docs.INFER)
async def infer_version(name: str, version: str, request: Request) -> Response:
    """The same of a version, which must be the one that is served."""
    return await _infer(request, name, version)


async def _infer(request: Request, name: str, version: str) -> Response:
    _, context = begin(request, operation_of(name))
    find_model(context.operations, name, version)
    asked = await read_infer(request, context.settings)
    _agree("model_name", name, asked.model_name)
    _agree("model_version", version, asked.model_version)
    # Again: while the body came, another version may have taken its place.
    target = find_model(context.operations, name, version or asked.model_version)
    wanted = Wanted(target=target, asked=asked, names=wanted_outputs(asked.ask, target))
    answer = _draw if target.draws else _read
    return await answer(request, context, target, asked, wanted)


def _agree(field: str, in_path: str, in_body: str) -> None:
    if in_path and in_body and in_path != in_body:
        message = f"is given twice: {quoted(in_path)} in the path and {quoted(in_body)} in the body"
        raise invalid(field, message)


async def _draw(
    request: Request, context: Context, target: Target, asked: InferenceAsk, wanted: Wanted
) -> Response:
    message = drawing_request(asked.ask, target, context.settings.max_images)
    exchange, operations = exchange_of(request.scope), context.operations
    take_note(exchange, message, streams=False)
    all_steps = wanted.names is not None and "canvases" in wanted.names
    field = "samples" if isinstance(message, AutoencodeRequest) else "n"

    def weigh(header: Header, manifest: Manifest) -> int | None:
        check_size(wanted, header.n, header.steps, field=field)
        return header.steps if all_steps else None

    if isinstance(message, AutoencodeRequest):
        beginning = operations.autoencode(message, weigh)
    elif isinstance(message, CompleteRequest):
        beginning = operations.complete(message, weigh)
    else:
        beginning = operations.generate(message, weigh)
    drawing = await unless_gone(request, beginning)
    exchange.draws(drawing.header)
    async with drawing:
        frames = await _frames(request, drawing, all_steps=all_steps)
        header = drawing.header

        def write() -> Response:
            facts = drawing_facts(header, header.steps)
            tensors = frame_tensors(frames, wanted.names)
            return infer_response(wanted, Answer(version=header.version, parameters=facts, tensors=tensors))

        return await made(check_size(wanted, header.n, header.steps), drawing.left_s, write)


async def _frames(request: Request, drawing: Drawing, *, all_steps: bool) -> list[Frame]:
    """All frames of a drawing, or the last; cancels it if the client leaves before."""
    frames: list[Frame] = []
    with ClientWatch(request.receive, drawing, None) as client:
        if all_steps:
            frames = await drawing.frames()
        else:
            async for frame in drawing:
                frames = [frame]
        if client.gone:
            raise ClientDisconnect
    drawing.check_deadline()
    return frames


async def _read(
    request: Request, context: Context, target: Target, asked: InferenceAsk, wanted: Wanted
) -> Response:
    message = reading_request(asked.ask, target, context.settings.max_images)
    exchange, operations = exchange_of(request.scope), context.operations
    exchange.asks(message)
    size = check_size(wanted, len(message.images), 1, field="image")
    end = timeout_s(message.timeout_ms, context.settings) + time.monotonic()
    if isinstance(message, EncodeRequest):
        answer = encode_answer(
            await unless_disconnected(request.receive, operations.encode(message)), wanted.names
        )
    elif isinstance(message, ScoreRequest):
        answer = score_answer(
            await unless_disconnected(request.receive, operations.score(message)), wanted.names
        )
    else:
        answer = likelihood_answer(
            await unless_disconnected(request.receive, operations.likelihood(message)), wanted.names
        )
    exchange.model = target.manifest.name
    return await made(size, end - time.monotonic(), infer_response, wanted, answer)
