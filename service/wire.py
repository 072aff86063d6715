"""Between protobuf messages and the core's messages; no call is made here, no request is judged.

Only what protobuf itself cannot say is refused: an enum value that nobody defined, a tensor whose bytes do
not fill its shape. Whether the values make sense for a model is the core's business.
"""

__all__ = [
    "encoded_size",
    "field_name",
    "frame_message",
    "generate_request",
    "header_message",
    "image_encoding",
    "score_message",
    "score_request",
    "sentence",
    "timing_message",
]

import math
from collections.abc import Iterable
from typing import Literal, cast

import numpy as np

from bundle.manifest import ImageSpec
from service.codec import encode_png, to_uint8
from service.errors import PentimentoError, invalid
from service.messages import (
    Floats,
    Frame,
    GenerateRequest,
    Header,
    ImageInput,
    ScoreRequest,
    ScoreResult,
    Scores,
    Timing,
)
from service.pb import canvas_service_pb2 as pb
from service.wire_models import SCORE_KINDS, image_shape_message

_MAX_AXES = 8  # no latent has more, and numpy stops at 64 with an error of its own
_PNG_OVERHEAD_BYTES = 1024  # of a PNG that cannot be compressed, beyond a filter byte a row

# The core's names where the proto's style guide wants others.
_FIELDS = {"n": "image_count", "steps": "step_count", "score": "with_scores"}

_FITS: dict[int, Literal["exact", "resize"]] = {
    pb.IMAGE_FIT_UNSPECIFIED: "exact",
    pb.IMAGE_FIT_EXACT: "exact",
    pb.IMAGE_FIT_RESIZE: "resize",
}


def field_name(field: str) -> str:
    """What the proto calls a field of the core's requests."""
    return _FIELDS.get(field, field)


def sentence(error: PentimentoError) -> str:
    """The error's message, with the field called as in the proto."""
    if error.field in _FIELDS and error.message.startswith(f"{error.field} "):
        return _FIELDS[error.field] + error.message.removeprefix(error.field)
    return error.message


def generate_request(
    spec: pb.DrawingSpec, *, deadline_s: float | None, max_timeout_ms: int
) -> GenerateRequest:
    """Reads a drawing that is asked for.

    Args:
        spec: As it came.
        deadline_s: Seconds until the deadline of the call, or None.
        max_timeout_ms: The longest deadline that the core accepts.

    Raises:
        PentimentoError: INVALID_ARGUMENT for a latent that is not an array.
    """
    latents: dict[str, object] = {}
    for tensor in spec.latents:
        if tensor.name in latents:
            raise invalid(f"latents.{tensor.name[:64]}", "is given twice")
        latents[tensor.name] = _array(tensor)
    return GenerateRequest(
        model=spec.model or None,
        n=spec.image_count if spec.HasField("image_count") else None,
        steps=spec.step_count if spec.HasField("step_count") else None,
        seed=spec.seed if spec.HasField("seed") else None,
        label=spec.label if spec.HasField("label") else None,
        score=spec.with_scores,
        latents=latents,
        timeout_ms=_timeout_ms(spec, deadline_s, max_timeout_ms),
    )


def score_request(message: pb.ScoreRequest, *, deadline_s: float | None, max_timeout_ms: int) -> ScoreRequest:
    """Reads a request to judge images; arguments and errors as `generate_request`."""
    if message.fit not in _FITS:
        raise invalid("fit", f"must be one of {_names(pb.ImageFit.keys())}, got {message.fit}")
    return ScoreRequest(
        model=message.model or None,
        images=tuple(ImageInput(data=data, name=f"images[{i}]") for i, data in enumerate(message.images)),
        fit=_FITS[message.fit],
        timeout_ms=_timeout_ms(message, deadline_s, max_timeout_ms),
    )


def image_encoding(value: int) -> pb.ImageEncoding:
    """The encoding that is asked for, never unspecified.

    Raises:
        PentimentoError: INVALID_ARGUMENT for a value that the proto does not define.
    """
    if value not in pb.ImageEncoding.values():  # proto3 lets any number through
        raise invalid("encoding", f"must be one of {_names(pb.ImageEncoding.keys())}, got {value}")
    return cast("pb.ImageEncoding", value) if value else pb.IMAGE_ENCODING_PNG


def encoded_size(image: ImageSpec, encoding: pb.ImageEncoding) -> int:
    """The most bytes that one encoded image takes."""
    values = math.prod(image.shape)
    if encoding == pb.IMAGE_ENCODING_FLOAT32:
        return 4 * values
    return values + (image.height + _PNG_OVERHEAD_BYTES if encoding == pb.IMAGE_ENCODING_PNG else 0)


def header_message(header: Header, image: ImageSpec, encoding: pb.ImageEncoding) -> pb.DrawingHeader:
    """What is known of a drawing before its first frame."""
    return pb.DrawingHeader(
        model=header.model,
        version=header.version,
        seed=header.seed,
        image_count=header.n,
        step_count=header.steps,
        score_kind=SCORE_KINDS[header.score_kind],
        image_shape=image_shape_message(image),
        encoding=encoding,
    )


def frame_message(frame: Frame, encoding: pb.ImageEncoding) -> pb.Frame:
    """A frame with its images encoded; the work is worth a thread."""
    return pb.Frame(
        step=frame.step,
        images=_encode(frame.canvas, encoding),
        scores=None if frame.scores is None else _scores(frame.scores),
        elapsed_us=frame.elapsed_us,
    )


def timing_message(timing: Timing) -> pb.Timing:
    """Where the time went."""
    return pb.Timing(queue_us=timing.queue_us, total_us=timing.total_us)


def score_message(result: ScoreResult) -> pb.ScoreResponse:
    """The answer of `Score`."""
    return pb.ScoreResponse(
        model=result.model,
        version=result.version,
        scores=_scores(result.scores),
        timing=timing_message(result.timing),
    )


def _array(tensor: pb.Tensor) -> Floats:
    field = f"latents.{tensor.name[:64]}"
    shape = tuple(tensor.shape)
    if not 1 <= len(shape) <= _MAX_AXES or min(shape) < 0:
        raise invalid(field, f"must have a shape of 1..{_MAX_AXES} axes, none negative, got {shape[:16]}")
    if tensor.values and tensor.data:
        raise invalid(field, "must be given as values or as data, got both")
    size = math.prod(shape)  # of Python integers: cannot overflow
    if tensor.data:
        if len(tensor.data) != 4 * size:
            raise invalid(field, f"of shape {shape} needs {4 * size} bytes of data, got {len(tensor.data)}")
        return np.frombuffer(tensor.data, dtype="<f4").astype(np.float32, copy=False).reshape(shape)
    if len(tensor.values) != size:
        raise invalid(field, f"of shape {shape} needs {size} values, got {len(tensor.values)}")
    return np.array(tensor.values, dtype=np.float32).reshape(shape)


def _timeout_ms(
    message: pb.DrawingSpec | pb.ScoreRequest, deadline_s: float | None, max_timeout_ms: int
) -> int | None:
    """The earlier of the two deadlines. That of the call may lie beyond the limit, the field may not."""
    given = message.timeout_ms if message.HasField("timeout_ms") else None
    if deadline_s is None or (given is not None and not 1 <= given <= max_timeout_ms):
        return given
    remaining = max(1, math.floor(min(deadline_s * 1000, max_timeout_ms)))
    return remaining if given is None else min(given, remaining)


def _encode(canvas: Floats, encoding: pb.ImageEncoding) -> list[bytes]:
    """Each image of (n, C, H, W) as bytes."""
    if encoding == pb.IMAGE_ENCODING_FLOAT32:
        return [image.tobytes() for image in canvas.astype("<f4", copy=False)]
    if encoding == pb.IMAGE_ENCODING_UINT8:
        return [image.tobytes() for image in to_uint8(canvas)]
    return [encode_png(image) for image in canvas]


def _scores(scores: Scores) -> pb.Scores:
    probabilities = () if scores.probability is None else scores.probability.tolist()
    return pb.Scores(kind=SCORE_KINDS[scores.kind], logits=scores.logit.tolist(), probabilities=probabilities)


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
