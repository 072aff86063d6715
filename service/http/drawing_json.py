"""A drawing as JSON, and as HTTP headers where the format (a picture, NPY) has no room for its facts.

Frames are put together from bytes: a general encoder would look through every character of the pictures.
"""

__all__ = [
    "array_json",
    "drawing_headers",
    "frames_json",
    "head",
    "object_json",
    "pictures_base64",
    "score_objects",
    "tail",
    "to_json_bytes",
]

import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic_core import to_json

from pentimento.service.messages import Floats, Frame, Header, Scores, Timing
from pentimento.service.operations.codec import encode_pngs
from pentimento.service.operations.operations import Drawing


def drawing_headers(header: Header, *, varies: bool = True) -> dict[str, str]:
    """Model, version, seed, steps and scorer as headers, for formats that cannot hold them.

    `varies`: whether the format was chosen by `Accept`.
    """
    headers = {
        "Pentimento-Model": header.model,
        "Pentimento-Version": header.version,
        "Pentimento-Seed": str(header.seed),
        "Pentimento-Steps": str(header.steps),
    }
    if varies:
        headers["Vary"] = "Accept"
    if header.scored_by is not None:
        headers["Pentimento-Score-Kind"] = header.scored_by.kind
        headers["Pentimento-Scored-By"] = header.scored_by.model
        headers["Pentimento-Scored-By-Version"] = header.scored_by.version
    return headers


def head(header: Header) -> dict[str, Any]:
    """The fields of `done` and of a whole drawing that are known before the first frame."""
    known: dict[str, Any] = {
        "model": header.model,
        "version": header.version,
        "seed": header.seed,
        "n": header.n,
        "steps": header.steps,
    }
    if header.scored_by is not None:
        known["score_kind"] = header.scored_by.kind
        known["scored_by"] = {"model": header.scored_by.model, "version": header.scored_by.version}
    return known


def tail(drawing: Drawing, *, timed: bool = True) -> dict[str, Any]:
    """The other fields: timing and, where there are such, the given picture, its encoding, `conditioning`."""
    known: dict[str, Any] = {"timing": _times(drawing.timing)} if timed else {}
    if drawing.given is not None:
        (known["input"],) = pictures_base64(drawing.given)
    if drawing.encoding is not None:
        known["encoding"] = {name: values.tolist() for name, values in drawing.encoding.items()}
    if drawing.header.conditioning is not None:
        known["conditioning"] = drawing.header.conditioning
    return known


def frames_json(frames: Sequence[Frame], *, timed: bool = True) -> list[bytes]:
    """Each frame as a JSON object, with its time or without; the pictures of all are encoded together."""
    canvases = [frame.canvas for frame in frames]
    files = _base64(canvases[0] if len(frames) == 1 else np.concatenate(canvases))
    n = len(canvases[0])
    return [_frame_json(frame, files[i * n : (i + 1) * n], timed) for i, frame in enumerate(frames)]


def _frame_json(frame: Frame, pictures: Sequence[bytes], timed: bool) -> bytes:
    said = b""
    if frame.scores is not None:
        scores = {"score_kind": frame.scores.kind, "scores": score_objects(frame.scores)}
        said = b"," + to_json_bytes(scores)[1:-1]
    if frame.outputs:
        outputs = {name: values.tolist() for name, values in frame.outputs.items()}
        said += b"," + to_json_bytes({"outputs": outputs})[1:-1]
    if timed:
        said += b',"elapsed_us":%d' % frame.elapsed_us
    quoted = b'","'.join(pictures)
    return b'{"step":%d,"images":["%b"]%b}' % (frame.step, quoted, said)


def score_objects(scores: Scores) -> list[dict[str, float]]:
    """One object an image; `probability` only of a discriminator."""
    logits = scores.logit.tolist()
    if scores.probability is None:
        return [{"logit": logit} for logit in logits]
    pairs = zip(logits, scores.probability.tolist(), strict=True)
    return [{"logit": logit, "probability": probability} for logit, probability in pairs]


def pictures_base64(canvases: Floats) -> list[str]:
    """PNG files as base64 of canvases in [0, 1], (n, C, H, W)."""
    return [text.decode() for text in _base64(canvases)]


def _base64(canvases: Floats) -> list[bytes]:
    return [binascii.b2a_base64(file, newline=False) for file in encode_pngs(canvases)]


def _times(timing: Timing) -> dict[str, int]:
    return {"queue_us": timing.queue_us, "total_us": timing.total_us}


def array_json(values: Floats) -> bytes:
    """Nested lists of an array, (n, ...), row by row: so other threads have their turn between two rows."""
    return b"[" + b",".join(to_json(row.tolist(), inf_nan_mode="null") for row in values) + b"]"


def object_json(fields: dict[str, Any], **encoded: bytes) -> bytes:
    """An object of fields, some of which are JSON already: these in place of fields of that name, or last."""
    parts = {name: to_json(value, inf_nan_mode="null") for name, value in fields.items()} | encoded
    return b"{" + b",".join(to_json(name) + b":" + value for name, value in parts.items()) + b"}"


def to_json_bytes(content: dict[str, Any]) -> bytes:
    """Encodes JSON; a number that is not finite becomes null."""
    return to_json(content, inf_nan_mode="null")  # JSON has no NaN; a scorer may overflow
