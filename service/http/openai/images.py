"""The routes of the API that draw: pictures of a class, and pictures of which a part is given."""

__all__ = ["POSTS", "router"]

import binascii
import time
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from pentimento.bundle.manifest import Manifest
from pentimento.service.http.answers import drawn
from pentimento.service.http.asking import begin, stream, take_note, unless_gone
from pentimento.service.http.bodies import validate
from pentimento.service.http.drawing_json import drawing_headers, to_json_bytes
from pentimento.service.http.exchange import exchange_of
from pentimento.service.http.incoming import is_json, media_type, read_whole, unsupported
from pentimento.service.http.json_input import read_json
from pentimento.service.http.openai import docs
from pentimento.service.http.openai.events import USAGE, ImageEvents, Kind, facts
from pentimento.service.http.openai.forms import read_edit
from pentimento.service.http.openai.outputs import Output, files_of, output_of
from pentimento.service.http.openai.prompts import prompt_class
from pentimento.service.http.openai.schemas import GenerationBody, ImageBody, refuse_impossible
from pentimento.service.messages import CompleteRequest, Frame, GenerateRequest, Header
from pentimento.service.operations.operations import Drawing, Weigh
from pentimento.service.operations.whole_answers import made
from pentimento.service.settings import Settings

router = APIRouter()

_FEW = 4  # images of a drawing that is begun at once


@router.post("/v1/images/generations", **docs.GENERATIONS)
async def generations(request: Request) -> Response:
    """Draws images, as the OpenAI Images API asks for them.

    The prompt is the class to draw. With `stream`, `partial_images` steps of the drawing are sent as it makes
    them, then each image.
    """
    exchange, context = begin(request, "generate")
    body = await _read_generation(request, context.settings)
    asked = GenerateRequest(**_asked(body, context.operations.model(body.model).manifest))
    take_note(exchange, asked, streams=bool(body.stream))
    beginning = context.operations.generate(asked, _weigh(body))
    drawing = await (beginning if (body.n or 1) <= _FEW else unless_gone(request, beginning))
    return await _answer(request, drawing, body, "image_generation")


@router.post("/v1/images/edits", **docs.EDITS)
async def edits(request: Request) -> Response:
    """Draws the transparent part of a picture, as the OpenAI Images API asks for it.

    What is transparent in the mask, or without one in the picture itself, is drawn; all else stays.
    """
    exchange, context = begin(request, "complete")
    body, image, mask = await read_edit(request, context.settings)
    asked = CompleteRequest(
        image=image,
        mask=mask,
        mask_by="alpha",
        fit=body.fit,
        **_asked(body, context.operations.model(body.model).manifest),
    )
    take_note(exchange, asked, streams=bool(body.stream))
    drawing = await unless_gone(request, context.operations.complete(asked, _weigh(body)))
    return await _answer(request, drawing, body, "image_edit")


async def _read_generation(request: Request, limits: Settings) -> GenerationBody:
    kind = media_type(request)
    if not is_json(kind):
        raise unsupported(kind, "application/json")
    data = await read_whole(request, limits.max_body_bytes)
    return await read_json(data, limits.max_json_depth, _generation)


def _generation(content: object) -> GenerationBody:
    if isinstance(content, dict):
        refuse_impossible(content)
    return validate(GenerationBody, content)


def _asked(body: ImageBody, manifest: Manifest) -> dict[str, Any]:
    """What both operations take of a request."""
    return {
        "model": manifest.name,
        "n": 1 if body.n is None else body.n,
        "steps": body.steps,
        "seed": body.seed,
        "label": prompt_class(manifest, body.prompt),
        "controls": body.controls,
        "timeout_ms": body.timeout_ms,
    }


def _weigh(body: ImageBody) -> Weigh:
    """Says how many frames the answer holds; it refuses what cannot be made of the drawing."""

    def weigh(header: Header, manifest: Manifest) -> int | None:
        output_of(body, header, manifest)
        return None if body.stream else header.steps

    return weigh


async def _answer(request: Request, drawing: Drawing, body: ImageBody, kind: Kind) -> Response:
    """The drawing in events, or whole; from here on the answer closes the drawing."""
    exchange_of(request.scope).draws(drawing.header)
    output = output_of(body, drawing.header, drawing.manifest)
    if body.stream:
        return stream(request, drawing, ImageEvents(kind, drawing, output))
    async with drawing:
        frames = await drawn(drawing, request.receive)
        shown = frames if output.format != "png" else frames[-1:]
        values = sum(frame.canvas.size for frame in shown) * output.scale**2
        content = await made(values, drawing.left_s, _whole, drawing.header, shown, output)
        return Response(content, media_type="application/json", headers=drawing_headers(drawing.header))


def _whole(header: Header, frames: Sequence[Frame], output: Output) -> bytes:
    files = [binascii.b2a_base64(file, newline=False) for file in files_of(frames, output)]
    known = {
        "created": int(time.time()),
        "background": "opaque",
        "output_format": output.format,
        "size": output.size,
        "usage": USAGE,
        **facts(header),
    }
    pictures = b",".join(b'{"b64_json":"%b"}' % file for file in files)
    return b"".join((to_json_bytes(known)[:-1], b',"data":[', pictures, b"]}"))


POSTS = {"/v1/images/generations": generations, "/v1/images/edits": edits}
"""These functions by path, for `Shortcuts`, which calls them without FastAPI."""
