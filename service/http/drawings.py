"""Routes that draw: from noise, from a picture's encoding, from a part of a picture."""

__all__ = ["POSTS", "router", "weigher"]

from dataclasses import replace
from functools import lru_cache

from fastapi import APIRouter, Request
from starlette.responses import Response

from pentimento.bundle.manifest import Manifest
from pentimento.service.http import docs
from pentimento.service.http.answers import Wanted, check_scale, check_size, whole
from pentimento.service.http.asking import begin, stream, take_note, unless_gone
from pentimento.service.http.bodies import merge, read_generate_body, read_named_pictures
from pentimento.service.http.exchange import exchange_of
from pentimento.service.http.negotiation import choose_answer
from pentimento.service.http.query import read_drawing_query
from pentimento.service.http.reading_schemas import (
    AutoencodeQuery,
    CompleteQuery,
    PictureBody,
    PictureWithMaskBody,
)
from pentimento.service.http.schemas import GenerateQuery
from pentimento.service.http.streams import PlainEvents
from pentimento.service.messages import AutoencodeRequest, CompleteRequest, GenerateRequest, Header
from pentimento.service.operations.operations import Drawing, Weigh

router = APIRouter()

_FEW = 4  # images of a drawing that is begun at once
_SHORT = 200  # characters of an Accept header that is worth remembering
_chosen = lru_cache(maxsize=256)(choose_answer)


def _wanted(request: Request, scale: int | None) -> Wanted:
    accept = ", ".join(request.headers.getlist("accept"))
    choose = _chosen if len(accept) <= _SHORT else choose_answer
    wanted = Wanted(answer=choose(accept), scale=1 if scale is None else scale)
    check_scale(wanted)
    return wanted


# Whatever can be refused is refused before the first byte.


@router.post("/generate", **docs.GENERATE)
async def generate(request: Request) -> Response:
    """Draws images step by step.

    The answer follows the Accept header; the streams send every step as soon as it is drawn, and end with
    exactly one `done` or `error`. Hanging up cancels the drawing. Controls that a model lists are parameters
    of their own, such as `guidance=2`.
    """
    exchange, context = begin(request, "generate")
    query, controls = read_drawing_query(request, GenerateQuery, context.operations.control_names)
    wanted = _wanted(request, query.scale)
    body = await read_generate_body(request, context.settings)
    asked = merge(query, controls, body)
    take_note(exchange, asked, streams=wanted.answer.streams)
    beginning = context.operations.generate(asked, weigher(wanted, asked))
    small = not asked.latents and (asked.n or 1) <= _FEW
    drawing = await (beginning if small else unless_gone(request, beginning))
    return await _answer(request, drawing, wanted, asked)


@router.post("/autoencode", **docs.AUTOENCODE)
async def autoencode(request: Request) -> Response:
    """Encodes a picture and draws it again, step by step.

    The body is a raw PNG or JPEG, a multipart file called `image`, or base64 in JSON. Answers as `/generate`
    does; `input` is the picture as the model saw it, also as the first column of a film strip, and `encoding`
    what the encoder made of it.
    """
    exchange, context = begin(request, "autoencode")
    query, controls = read_drawing_query(request, AutoencodeQuery, context.operations.control_names)
    wanted = _wanted(request, query.scale)
    pictures = await read_named_pictures(request, context.settings, PictureBody)
    fields = query.model_dump(exclude={"scale"}, exclude_none=True)
    asked = AutoencodeRequest(image=pictures["image"], controls=controls, **fields)
    take_note(exchange, asked, streams=wanted.answer.streams)
    drawing = await unless_gone(request, context.operations.autoencode(asked, weigher(wanted, asked)))
    return await _answer(request, drawing, wanted, asked)


@router.post("/complete", **docs.COMPLETE)
async def complete(request: Request) -> Response:
    """Keeps the pixels of a picture where the mask is white, and draws the others.

    The body has the multipart files `image` and `mask`, or both as base64 in JSON. Answers as `/generate`
    does; `conditioning` says what the drawn pixels could see of the given ones.
    """
    exchange, context = begin(request, "complete")
    query, controls = read_drawing_query(request, CompleteQuery, context.operations.control_names)
    wanted = _wanted(request, query.scale)
    pictures = await read_named_pictures(request, context.settings, PictureWithMaskBody)
    fields = query.model_dump(exclude={"scale"}, exclude_none=True)
    asked = CompleteRequest(image=pictures["image"], mask=pictures["mask"], controls=controls, **fields)
    take_note(exchange, asked, streams=wanted.answer.streams)
    drawing = await unless_gone(request, context.operations.complete(asked, weigher(wanted, asked)))
    return await _answer(request, drawing, wanted, asked)


def weigher(wanted: Wanted, asked: GenerateRequest | AutoencodeRequest | CompleteRequest) -> Weigh | None:
    """What says how many frames the answer holds, for one that is no stream; it refuses those too large."""
    if wanted.answer.streams:
        return None
    shown = replace(wanted, boxes=bool(asked.boxes))

    def weigh(header: Header, manifest: Manifest) -> int:
        check_size(shown, header, manifest)
        return header.steps

    return weigh


async def _answer(
    request: Request,
    drawing: Drawing,
    wanted: Wanted,
    asked: GenerateRequest | AutoencodeRequest | CompleteRequest,
) -> Response:
    """The drawing in the format that the client wants; from here on the answer closes the drawing."""
    exchange_of(request.scope).draws(drawing.header)
    if wanted.answer.streams:
        return stream(request, drawing, PlainEvents(drawing, wanted.answer))
    wanted = replace(wanted, boxes=bool(asked.boxes))
    async with drawing:
        return await whole(drawing, wanted, request.receive)


POSTS = {"/generate": generate, "/autoencode": autoencode, "/complete": complete}
"""These functions by path, for `Shortcuts`, which calls them without FastAPI."""
