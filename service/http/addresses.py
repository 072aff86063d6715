"""Addresses of pictures: `GET /drawings/MODEL@VERSION/SEED.png`, for what shows, keeps or links to them.

A drawing with a seed is a pure function, so its bytes have a name before they are made: who has them already
is told so (304) before anything is admitted or drawn. It is the operation of `POST /generate`, and what holds
there holds here: limits, deadlines, room, fairness, keys.
"""

__all__ = ["router"]

from fastapi import APIRouter, Request
from starlette.responses import Response

from pentimento.service.errors import Code, PentimentoError, invalid
from pentimento.service.http.address_docs import PICTURE
from pentimento.service.http.address_query import AddressQuery
from pentimento.service.http.answers import Wanted, check_scale, whole
from pentimento.service.http.asking import begin, stream, take_note, unless_gone
from pentimento.service.http.drawing_json import drawing_headers, head, to_json_bytes
from pentimento.service.http.drawings import weigher
from pentimento.service.http.etags import is_known
from pentimento.service.http.events import EventIds, sse
from pentimento.service.http.lenience import HEAD
from pentimento.service.http.picture_path import PicturePath, read_path
from pentimento.service.http.query import read_drawing_query
from pentimento.service.http.streams import PlainEvents
from pentimento.service.operations.checked import Generation
from pentimento.service.operations.operations import Operations

router = APIRouter()

_LONG_S = 31_536_000  # a year: what is usual for ever


@router.get("/drawings/{bundle}/{picture}", **PICTURE)
async def picture(request: Request) -> Response:
    """Draws what an address says, in the format of its ending.

    The same address gives the same bytes, so there are no times in them. With a version, the answer may be
    kept for ever; without, it has to be asked about again, which costs no drawing while it is unchanged.
    `.sse` is a stream for browsers' EventSource: who is back with `Last-Event-ID` gets the steps after that.
    """
    exchange, context = begin(request, "generate")
    path = read_path(request.path_params["bundle"], request.path_params["picture"])
    wanted, generation = _check(request, path)
    if wanted.answer.streams:
        return await _stream(request, generation, wanted)
    exchange.draws(generation.header)
    etag = context.tags.etag(context.tags.name(generation, wanted))
    headers = {"ETag": etag, "Cache-Control": _caching(request, path, generation)}
    if is_known(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if HEAD in request.scope:
        return _only_head(generation, wanted, headers)
    weigh = weigher(wanted, generation.request)
    async with await unless_gone(request, context.operations.generate(generation, weigh)) as drawing:
        answer = await whole(drawing, wanted, request.receive)
    answer.headers.update(headers)
    return answer


def _check(request: Request, path: PicturePath) -> tuple[Wanted, Generation]:
    """All that can be refused without admitting anything, also to those who have the bytes already."""
    exchange, context = begin(request, "generate")
    _check_no_body(request)
    query, controls = read_drawing_query(request, AddressQuery, context.operations.control_names)
    scale, boxes = 1 if query.scale is None else query.scale, bool(query.boxes)
    wanted = Wanted(answer=path.answer, scale=scale, boxes=boxes, addressed=True)
    check_scale(wanted)
    asked = query.request(path.model, path.seed, controls)
    exchange.asks(asked)
    _check_version(context.operations, path)
    generation = context.operations.check_generate(asked)
    weigh = weigher(wanted, asked)
    if weigh is not None:
        weigh(generation.header, generation.model.manifest)
    return wanted, generation


async def _stream(request: Request, generation: Generation, wanted: Wanted) -> Response:
    """The steps as they are drawn, those after the one that the reader has."""
    exchange, context = begin(request, "generate")
    name, steps = context.tags.name(generation, wanted), generation.header.steps
    ids = EventIds(name, steps, request.headers.get("last-event-id"))
    if ids.is_over:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    if HEAD in request.scope:
        return _only_head(generation, wanted, {"Cache-Control": "no-store"})
    if ids.after == steps:  # all that is missing is the end
        headers = drawing_headers(generation.header, varies=False) | {"Cache-Control": "no-store"}
        body = sse(b"done", to_json_bytes(head(generation.header)), ids.end)
        return Response(body, media_type=wanted.answer.value, headers=headers)
    take_note(exchange, generation.request, streams=True)
    drawing = await unless_gone(request, context.operations.generate(generation))
    exchange.draws(generation.header)
    return stream(request, drawing, PlainEvents(drawing, wanted.answer, ids))


def _only_head(generation: Generation, wanted: Wanted, headers: dict[str, str]) -> Response:
    """What GET would say before the body, as far as it is known without drawing: all but the length."""
    known = drawing_headers(generation.header, varies=False) | headers
    answer = Response(media_type=wanted.answer.value, headers=known)
    del answer.headers["content-length"]
    return answer


def _caching(request: Request, path: PicturePath, generation: Generation) -> str:
    """How long an answer may be kept, and by whom: where keys are needed, not by what others share."""
    whose = "private" if request.app.state.door.is_keyed else "public"
    # An address has no version of another bundle that judges.
    is_pinned = path.version is not None and generation.judging in (None, generation.model)
    return f"{whose}, max-age={_LONG_S}, immutable" if is_pinned else f"{whose}, no-cache"


def _check_version(operations: Operations, path: PicturePath) -> None:
    """Refuses another version than the served one: its pictures would be others."""
    served = operations.model(path.model).manifest.version
    if path.version not in (None, served):
        message = f"version of model {path.model!r} must be {served}, the one served here, got {path.version}"
        raise PentimentoError(Code.NOT_FOUND, message, field="version")


def _check_no_body(request: Request) -> None:
    """Refuses what would say something else than the address; caches would not know of it."""
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise invalid("body", "must be empty: an address says everything that decides its drawing")
