"""Routes that draw: from noise, from a picture's encoding, from a part of a picture."""

__all__ = ["router"]

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from service import http_docs
from service.http_answers import Wanted, check_size, stream, unless_disconnected, whole
from service.http_bodies import merge, read_generate_body, read_named_pictures
from service.http_context import Context, Server, counted
from service.http_exchange import Exchange
from service.http_reading_schemas import AutoencodeQuery, CompleteQuery, PictureBody, PictureWithMaskBody
from service.http_schemas import GenerateQuery
from service.messages import AutoencodeRequest, CompleteRequest
from service.negotiation import choose_answer
from service.operations import Drawing

router = APIRouter()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Admitted:
    drawing: Drawing
    wanted: Wanted


def _wanted(request: Request, scale: int | None) -> Wanted:
    accept = ", ".join(request.headers.getlist("accept"))
    return Wanted(answer=choose_answer(accept), scale=1 if scale is None else scale)


def _checked(drawing: Drawing, wanted: Wanted, server: Context) -> _Admitted:
    image = server.operations.model(drawing.header.model).manifest.image
    check_size(wanted, drawing.header, image)
    return _Admitted(drawing=drawing, wanted=wanted)


# The dependencies refuse whatever can be refused before the first byte, and close the drawing in the end.


async def _admit_generate(
    request: Request, query: Annotated[GenerateQuery, Query()], server: Server
) -> AsyncIterator[_Admitted]:
    wanted = _wanted(request, query.scale)
    body = await read_generate_body(request, server.settings.max_body_bytes)
    async with await server.operations.generate(merge(query, body)) as drawing:
        yield _checked(drawing, wanted, server)


async def _admit_autoencode(
    request: Request, query: Annotated[AutoencodeQuery, Query()], server: Server
) -> AsyncIterator[_Admitted]:
    wanted = _wanted(request, query.scale)
    pictures = await read_named_pictures(request, server.settings.max_body_bytes, PictureBody)
    fields = query.model_dump(exclude={"scale"}, exclude_none=True)
    asked = AutoencodeRequest(image=pictures["image"], **fields)
    async with await server.operations.autoencode(asked) as drawing:
        yield _checked(drawing, wanted, server)


async def _admit_complete(
    request: Request, query: Annotated[CompleteQuery, Query()], server: Server
) -> AsyncIterator[_Admitted]:
    wanted = _wanted(request, query.scale)
    pictures = await read_named_pictures(request, server.settings.max_body_bytes, PictureWithMaskBody)
    fields = query.model_dump(exclude={"scale"}, exclude_none=True)
    asked = CompleteRequest(image=pictures["image"], mask=pictures["mask"], **fields)
    async with await server.operations.complete(asked) as drawing:
        yield _checked(drawing, wanted, server)


@router.post("/generate", **http_docs.GENERATE)
async def generate(
    request: Request,
    exchange: Annotated[Exchange, counted("generate")],
    admitted: Annotated[_Admitted, Depends(_admit_generate)],
    server: Server,
) -> Response:
    """Draws images step by step.

    The answer follows the Accept header; the streams send every step as soon as it is drawn, and end with
    exactly one `done` or `error`. Hanging up cancels the drawing.
    """
    return await _answer(request, exchange, admitted, server)


@router.post("/autoencode", **http_docs.AUTOENCODE)
async def autoencode(
    request: Request,
    exchange: Annotated[Exchange, counted("autoencode")],
    admitted: Annotated[_Admitted, Depends(_admit_autoencode)],
    server: Server,
) -> Response:
    """Encodes a picture and draws it again, step by step.

    The body is a raw PNG or JPEG, a multipart file called `image`, or base64 in JSON. Answers as `/generate`
    does; `input` is the picture as the model saw it, also as the first column of a film strip, and `encoding`
    what the encoder made of it.
    """
    return await _answer(request, exchange, admitted, server)


@router.post("/complete", **http_docs.COMPLETE)
async def complete(
    request: Request,
    exchange: Annotated[Exchange, counted("complete")],
    admitted: Annotated[_Admitted, Depends(_admit_complete)],
    server: Server,
) -> Response:
    """Keeps the pixels of a picture where the mask is white, and draws the others.

    The body has the multipart files `image` and `mask`, or both as base64 in JSON. Answers as `/generate`
    does; `conditioning` says what the drawn pixels could see of the given ones.
    """
    return await _answer(request, exchange, admitted, server)


async def _answer(request: Request, exchange: Exchange, admitted: _Admitted, server: Context) -> Response:
    drawing, wanted = admitted.drawing, admitted.wanted
    if wanted.answer.streams:
        return stream(drawing, wanted, exchange, server.metrics)
    return await unless_disconnected(request.receive, whole(drawing, wanted))
