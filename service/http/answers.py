"""A whole drawing as an HTTP answer, encoded off the event loop; `streams` has the other kind."""

__all__ = ["MAX_ANSWER_VALUES", "Wanted", "check_scale", "check_size", "drawn", "whole"]

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive

from pentimento.bundle.manifest import Manifest, output_values
from pentimento.service.errors import invalid
from pentimento.service.http.drawing_json import drawing_headers, frames_json, head, tail, to_json_bytes
from pentimento.service.http.negotiation import Answer
from pentimento.service.http.schemas import MAX_SCALE
from pentimento.service.http.watching import ClientWatch
from pentimento.service.messages import OUTPUT_WEIGHT, Frame, Header
from pentimento.service.operations.boxes import outlines
from pentimento.service.operations.codec import animation, encode_npy, film_strip, picture_pixels
from pentimento.service.operations.operations import Drawing
from pentimento.service.operations.whole_answers import made

_TOGETHER = 1 << 17  # values of frames that are encoded between two looks at the clock, some milliseconds

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
        PentimentoError: The drawing failed, or its answer was not encoded before the deadline.
        ClientDisconnect: The client left.
    """
    frames = await drawn(drawing, receive)
    encode = _json_body if wanted.answer is Answer.JSON else _picture_body
    values = sum(frame.weight for frame in frames)
    body = await made(values, drawing.left_s, encode, drawing, frames, wanted)
    headers = drawing_headers(drawing.header, varies=not wanted.addressed)
    return Response(body, media_type=wanted.answer.value, headers=headers)


async def drawn(drawing: Drawing, receive: Receive) -> list[Frame]:
    """All frames of a drawing, whose number must have been checked; cancels it if the client leaves before.

    Raises:
        PentimentoError: The drawing failed.
        ClientDisconnect: The client left.
    """
    with ClientWatch(receive, drawing, None) as client:
        frames = await drawing.frames()
        if client.gone:
            raise ClientDisconnect
    return frames


def _json_body(drawing: Drawing, frames: Sequence[Frame], wanted: Wanted) -> bytes:
    timed = not wanted.addressed
    start, end = to_json_bytes(head(drawing.header)), to_json_bytes(tail(drawing, timed=timed))
    encoded: list[bytes] = []
    for some in _some_together(frames):
        drawing.check_deadline()
        encoded += frames_json(some, timed=timed)
    comma = b"," if len(end) > 2 else b""
    return b"".join((start[:-1], b',"frames":[', b",".join(encoded), b"]", comma, end[1:]))


def _some_together(frames: Sequence[Frame]) -> Iterator[Sequence[Frame]]:
    """Frames in order, in groups: small pictures take half the time if they are encoded together."""
    count = max(1, _TOGETHER // max(1, frames[0].weight)) if frames else 1
    for start in range(0, len(frames), count):
        yield frames[start : start + count]


def _picture_body(drawing: Drawing, frames: Sequence[Frame], wanted: Wanted) -> bytes:
    columns = [frame.canvas for frame in frames]
    if wanted.answer is Answer.PNG and drawing.given is not None:  # the first column of the strip
        columns.insert(0, drawing.given.repeat(drawing.header.n, axis=0))
    canvases = np.stack(columns, axis=1)
    drawing.check_deadline()
    if wanted.answer is Answer.NPY:
        return encode_npy(canvases)
    boxes = outlines(drawing.outputs, frames, blank=len(columns) - len(frames)) if wanted.boxes else []
    if wanted.answer is Answer.PNG:
        return film_strip(canvases, wanted.scale, boxes)
    kind: Literal["gif", "apng"] = "gif" if wanted.answer is Answer.GIF else "apng"
    return animation(canvases, kind, wanted.scale, boxes, check=drawing.check_deadline)
