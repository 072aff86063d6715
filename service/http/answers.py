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
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

import numpy as np
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pentimento.bundle.manifest import Manifest, output_values
from pentimento.service.errors import PentimentoError, invalid
from pentimento.service.http.drawing_json import drawing_headers, frames_json, head, tail, to_json_bytes
from pentimento.service.http.events import EventIds, ndjson, sse
from pentimento.service.http.exchange import Exchange
from pentimento.service.http.negotiation import Answer
from pentimento.service.http.problems import INTERNAL, problem
from pentimento.service.http.schemas import MAX_SCALE
from pentimento.service.messages import OUTPUT_WEIGHT, Frame, Header
from pentimento.service.operations.boxes import outlines
from pentimento.service.operations.codec import AT_ONCE, animation, encode_npy, film_strip, picture_pixels
from pentimento.service.operations.operations import Drawing
from pentimento.service.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

T = TypeVar("T")

# Few at a time, as a picture may take a hundred times the memory of its canvases; and not in the threads of
# frames, which are short and must not wait behind them.
_large_answers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="answer")

MAX_ANSWER_VALUES = 1 << 25
"""Pixel values of a whole answer: it is held in memory until the last step. A stream has no such limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The answer format and the picture scale that a client asks for."""

    answer: Answer
    scale: int = 1
    boxes: bool = False  # drawn over the canvases of a strip or an animation
    # By the drawing's address, which names all of it: no times, so that the bytes are the same each time.
    addressed: bool = False


def check_scale(wanted: Wanted) -> None:
    """Refuses a scale out of range.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    if not 1 <= wanted.scale <= MAX_SCALE:
        raise invalid("scale", f"must be 1..{MAX_SCALE}, got {wanted.scale}")


def check_size(wanted: Wanted, header: Header, manifest: Manifest) -> None:
    """Refuses a whole answer too large to be held in memory, before anything is made.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    image = manifest.image
    if wanted.boxes and wanted.answer is Answer.NPY:
        raise invalid("boxes", f"cannot be shown in {Answer.NPY.value}; ask for a picture, or for JSON")
    size = header.n * header.steps * math.prod(image.shape)
    if wanted.answer in (Answer.PNG, Answer.GIF, Answer.APNG):
        channels = 3 if wanted.boxes else image.channels
        size = picture_pixels(header.n, header.steps, image, wanted.scale) * channels
    # Frames are kept with their outputs until all are there, whatever the answer shows of them.
    size += header.n * header.steps * OUTPUT_WEIGHT * output_values(manifest)
    if size > MAX_ANSWER_VALUES:
        raise invalid(
            "scale" if wanted.scale > 1 else "n",
            f"is too large: {header.n} images of {header.steps} steps at scale {wanted.scale} are "
            f"{size} values; the limit of a whole answer is {MAX_ANSWER_VALUES}, "
            f"a stream ({Answer.SSE.value} or {Answer.NDJSON.value}) has none",
        )


async def whole(drawing: Drawing, wanted: Wanted, receive: Receive) -> Response:
    """Draws to the end and answers with everything; cancels the drawing if the client leaves before.

    Raises:
        PentimentoError: The drawing failed.
        ClientDisconnect: The client left.
    """
    with _ClientWatch(receive, drawing, None) as client:
        frames = await drawing.frames()
        if client.gone:
            raise ClientDisconnect
    large = sum(frame.weight for frame in frames) > AT_ONCE
    encode = _json_body if wanted.answer is Answer.JSON else _picture_body
    if large:
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(_large_answers, encode, drawing, frames, wanted)
    else:
        body = encode(drawing, frames, wanted)
    return Response(body, media_type=wanted.answer.value, headers=_headers(drawing.header, wanted))


class DrawingStream(Response):
    """Answers with an event for each frame as it is drawn, and closes the drawing however that ends.

    FastAPI's own SSE routes serve one format; here the Accept header chooses. Starlette's StreamingResponse
    would watch for the client's departure with a group of tasks for each answer; one does.
    """

    def __init__(
        self,
        drawing: Drawing,
        wanted: Wanted,
        exchange: Exchange,
        metrics: Metrics,
        ids: EventIds | None = None,
    ) -> None:
        headers = _headers(drawing.header, wanted) | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(headers=headers, media_type=wanted.answer.value)
        del self.headers["content-length"]
        self._drawing, self._exchange, self._metrics = drawing, exchange, metrics
        self._ids, self._after = ids, 0 if ids is None else ids.after
        self._timed = not wanted.addressed
        self._event = sse if wanted.answer is Answer.SSE else ndjson

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the head, a `frame` event a step, and one `done` or `error` unless the client has left."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}

        async def send_event(kind: bytes, content: bytes, id: bytes | None, *, last: bool = True) -> None:
            event = self._event(kind, content, id)
            await send({"type": "http.response.body", "body": event, "more_body": not last})

        async with self._drawing as drawing:
            with _ClientWatch(receive, drawing, self._exchange) as client:
                await send(start)
                end = await self._send_frames(send_event)
                if not client.gone:
                    await send_event(*end)

    async def _send_frames(
        self, send_event: Callable[..., Awaitable[None]]
    ) -> tuple[bytes, bytes, bytes | None]:
        """Sends the frames; returns kind, content and id of the event that is to end the stream."""
        drawing, exchange, ids, after = self._drawing, self._exchange, self._ids, self._after
        exchange.outcome = "cancelled"  # unless it comes to an end below
        end = None if ids is None else ids.end
        step = 0
        try:
            async for frame in drawing:
                if frame.step > after:  # else the reader has it: it is drawn for those that follow
                    id = None if ids is None else ids.frame(frame.step)
                    await send_event(b"frame", await _encoded(frame, self._timed), id, last=False)
                    if step == 0:
                        self._metrics.first_canvas("http", exchange.seconds)
                step = frame.step
        except PentimentoError as error:
            exchange.outcome = error.outcome
            # Who is to come back later has no id of the end, by which a browser would stay away.
            return b"error", _error_json(error, step, exchange), None if error.retry_after_s else end
        except Exception:
            _log.exception("request %s failed after step %d", exchange.id, step)
            exchange.outcome = "internal"
            return b"error", _error_json(INTERNAL, step, exchange), end
        if step == drawing.header.steps:  # else the client has left
            exchange.outcome = "ok"
        return b"done", to_json_bytes(head(drawing.header) | tail(drawing, timed=self._timed)), end


class _ClientWatch:
    """Closes a drawing as soon as its client leaves; the request's body must have been read before."""

    def __init__(self, receive: Receive, drawing: Drawing, exchange: Exchange | None) -> None:
        self._receive, self._drawing, self._exchange = receive, drawing, exchange
        self.gone = False

    def __enter__(self) -> Self:
        self._task = asyncio.ensure_future(self._watch())
        return self

    def __exit__(self, *_: object) -> None:
        self._task.cancel()
        # Its traceback leads back here: a circle, which would hold the drawing and its graphs.
        del self._task

    async def _watch(self) -> None:
        await _disconnected(self._receive)
        self.gone = True
        self._drawing.close("cancelled" if self._exchange is None else self._exchange.departure)


async def unless_disconnected(
    receive: Receive, work: Coroutine[Any, Any, T], undo: Callable[[T], None] = lambda _: None
) -> T:
    """Awaits `work`, and cancels it as soon as the client leaves; the body must have been read before.

    Args:
        receive: Of the request.
        work: What is done for the client.
        undo: Told what came of it, if that was too late.

    Raises:
        ClientDisconnect: The client left.
    """
    left = True
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if left := not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for waiter in (task, gone):
            waiter.cancel()
        result, _ = await asyncio.gather(task, gone, return_exceptions=True)
        if left and not isinstance(result, BaseException):
            undo(result)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(header: Header, wanted: Wanted) -> dict[str, str]:
    return drawing_headers(header, varies=not wanted.addressed)


async def _encoded(frame: Frame, timed: bool) -> bytes:
    """A frame as JSON, made off the event loop unless that takes longer than making it."""
    large = frame.weight > AT_ONCE
    encode = partial(frames_json, [frame], timed=timed)
    (encoded,) = await asyncio.to_thread(encode) if large else encode()
    return encoded


def _json_body(drawing: Drawing, frames: Sequence[Frame], wanted: Wanted) -> bytes:
    timed = not wanted.addressed
    start, end = to_json_bytes(head(drawing.header)), to_json_bytes(tail(drawing, timed=timed))
    encoded = b",".join(frames_json(frames, timed=timed))
    return b"".join((start[:-1], b',"frames":[', encoded, b"]", b"," if len(end) > 2 else b"", end[1:]))


def _error_json(error: PentimentoError, step: int, exchange: Exchange) -> bytes:
    # Without the problem's own `type`, which would hide that of an NDJSON line.
    fault = problem(error, exchange.id).model_dump(exclude={"type"}, exclude_none=True)
    return to_json_bytes(fault | {"step": step})


def _picture_body(drawing: Drawing, frames: Sequence[Frame], wanted: Wanted) -> bytes:
    columns = [frame.canvas for frame in frames]
    if wanted.answer is Answer.PNG and drawing.given is not None:  # the first column of the strip
        columns.insert(0, drawing.given.repeat(drawing.header.n, axis=0))
    canvases = np.stack(columns, axis=1)
    if wanted.answer is Answer.NPY:
        return encode_npy(canvases)
    boxes = outlines(drawing.outputs, frames, blank=len(columns) - len(frames)) if wanted.boxes else []
    if wanted.answer is Answer.PNG:
        return film_strip(canvases, wanted.scale, boxes)
    return animation(canvases, "gif" if wanted.answer is Answer.GIF else "apng", wanted.scale, boxes)
