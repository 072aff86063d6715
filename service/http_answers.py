"""A drawing as an HTTP answer: whole or as a stream, encoded off the event loop.

After the first byte of a stream its status cannot change; so it ends with exactly one `done` or `error`.
"""

__all__ = [
    "MAX_ANSWER_VALUES",
    "DrawingStream",
    "Wanted",
    "check_scale",
    "check_size",
    "unless_disconnected",
    "whole",
]

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from fastapi.sse import format_sse_event
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from bundle.manifest import ImageSpec
from service.codec import animation, encode_npy, film_strip, picture_pixels
from service.errors import PentimentoError, invalid
from service.http_exchange import Exchange
from service.http_json import drawing_headers, frame_json, head, tail, to_json_bytes
from service.http_problems import INTERNAL, problem
from service.http_schemas import MAX_SCALE
from service.messages import Floats, Frame, Header
from service.metrics import Metrics
from service.negotiation import Answer
from service.operations import Drawing

_log = logging.getLogger(__name__)

T = TypeVar("T")

_AT_ONCE = 4096
"""Pixel values encoded on the spot: 5 images of 28x28 take 0.13 ms, the way to a thread and back 0.18 ms."""

MAX_ANSWER_VALUES = 1 << 25
"""Pixel values of a whole answer: it is held in memory until the last step. A stream has no such limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How the client wants a drawing."""

    answer: Answer
    scale: int = 1


def check_scale(wanted: Wanted) -> None:
    """Refuses a scale out of range.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    if not 1 <= wanted.scale <= MAX_SCALE:
        raise invalid("scale", f"must be 1..{MAX_SCALE}, got {wanted.scale}")


def check_size(wanted: Wanted, header: Header, image: ImageSpec) -> None:
    """Refuses an answer too large to be held in memory, before a step is drawn.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    size = header.n * header.steps * image.height * image.width
    if wanted.answer in (Answer.PNG, Answer.GIF, Answer.APNG):
        size = picture_pixels(header.n, header.steps, image, wanted.scale)
    if size * image.channels > MAX_ANSWER_VALUES:
        raise invalid(
            "scale" if wanted.scale > 1 else "n",
            f"is too large: {header.n} images of {header.steps} steps at scale {wanted.scale} are "
            f"{size * image.channels} values; the limit of a whole answer is {MAX_ANSWER_VALUES}, "
            f"a stream ({Answer.SSE.value} or {Answer.NDJSON.value}) has none",
        )


async def whole(drawing: Drawing, wanted: Wanted) -> Response:
    """Draws to the end and answers with everything.

    Raises:
        PentimentoError: The drawing failed.
    """
    kind = wanted.answer
    if kind is Answer.JSON:
        parts = [await _encoded(frame) async for frame in drawing]
        start, end = to_json_bytes(head(drawing.header)), to_json_bytes(tail(drawing))
        body = b"".join((start[:-1], b',"frames":[', b",".join(parts), b"],", end[1:]))
    else:
        frames = [frame.canvas async for frame in drawing]
        if kind is Answer.PNG and drawing.given is not None:  # the first column of the strip
            frames.insert(0, drawing.given.repeat(drawing.header.n, axis=0))
        body = await asyncio.to_thread(_encode, np.stack(frames, axis=1), wanted)
    return Response(body, media_type=kind.value, headers=drawing_headers(drawing.header))


class DrawingStream(StreamingResponse):
    """Answers with events as they are drawn, and closes the drawing however that ends.

    FastAPI's own SSE routes serve one format; here the Accept header chooses, so only its framing is used.
    Starlette ends the iteration when the client leaves.
    """

    def __init__(self, drawing: Drawing, wanted: Wanted, exchange: Exchange, metrics: Metrics) -> None:
        frame_event: Callable[[str, bytes], bytes] = _sse if wanted.answer is Answer.SSE else _ndjson
        headers = drawing_headers(drawing.header) | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        events = _events(drawing, frame_event, exchange, metrics)
        super().__init__(events, media_type=wanted.answer.value, headers=headers)
        self._drawing = drawing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        async with self._drawing:
            await super().__call__(scope, receive, send)


async def _events(
    drawing: Drawing, event: Callable[[str, bytes], bytes], exchange: Exchange, metrics: Metrics
) -> AsyncIterator[bytes]:
    exchange.outcome = "cancelled"  # unless it comes to an end below
    step = 0
    try:
        async for frame in drawing:
            yield event("frame", await _encoded(frame))
            if step == 0:
                metrics.first_canvas("http", exchange.seconds)
            step = frame.step
        exchange.outcome = "ok"
        yield event("done", to_json_bytes(head(drawing.header) | tail(drawing)))
    except PentimentoError as error:
        exchange.outcome = error.code.value.lower()
        yield event("error", _error_json(error, step, exchange))
    except Exception:
        _log.exception("request %s failed after step %d", exchange.id, step)
        exchange.outcome = "internal"
        yield event("error", _error_json(INTERNAL, step, exchange))


async def unless_disconnected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Awaits `work`, and cancels it as soon as the client leaves; the body must have been read before.

    Raises:
        ClientDisconnect: The client left.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for waiter in (task, gone):
            waiter.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _encoded(frame: Frame) -> bytes:
    """A frame as JSON, made off the event loop unless that takes longer than making it."""
    return frame_json(frame) if frame.canvas.size <= _AT_ONCE else await asyncio.to_thread(frame_json, frame)


def _error_json(error: PentimentoError, step: int, exchange: Exchange) -> bytes:
    # Without the problem's own `type`, which would hide that of an NDJSON line.
    fault = problem(error, exchange.id).model_dump(exclude={"type"}, exclude_none=True)
    return to_json_bytes(fault | {"step": step})


def _sse(kind: str, content: bytes) -> bytes:
    return format_sse_event(event=kind, data_str=content.decode())


def _ndjson(kind: str, content: bytes) -> bytes:
    return b'{"type":"%s",' % kind.encode() + content[1:] + b"\n"


def _encode(canvases: Floats, wanted: Wanted) -> bytes:
    if wanted.answer is Answer.NPY:
        return encode_npy(canvases)
    if wanted.answer is Answer.PNG:
        return film_strip(canvases, wanted.scale)
    return animation(canvases, "gif" if wanted.answer is Answer.GIF else "apng", wanted.scale)
