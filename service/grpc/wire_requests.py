"""Turns protobuf requests into those of the operations; whether they make sense for a model is checked there.

Only what protobuf itself cannot say is refused: an enum value that nobody defined, a tensor whose bytes do
not fill its shape.

Every reader takes the message as it came, the seconds until the deadline of the call (or None), and the
longest deadline that the core accepts; every reader raises PentimentoError, INVALID_ARGUMENT.
"""

__all__ = [
    "autoencode_request",
    "complete_request",
    "encode_request",
    "generate_request",
    "likelihood_request",
    "score_request",
]

import math
from typing import TypeAlias

import numpy as np

from pentimento.service.errors import entry, invalid
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    Fit,
    Floats,
    GenerateRequest,
    ImageInput,
    Label,
    LikelihoodRequest,
    ScoreRequest,
)

_MAX_AXES = 8  # no latent has more, and numpy stops at 64 with an error of its own

_FITS: dict[int, Fit] = {
    pb.IMAGE_FIT_UNSPECIFIED: "exact",
    pb.IMAGE_FIT_EXACT: "exact",
    pb.IMAGE_FIT_RESIZE: "resize",
}

_FromPicture: TypeAlias = pb.AutoencodeRequest | pb.CompleteRequest
_WithSeed: TypeAlias = pb.DrawingSpec | _FromPicture | pb.EncodeRequest | pb.EstimateLikelihoodRequest
_Message: TypeAlias = _WithSeed | pb.ScoreRequest


def generate_request(
    spec: pb.DrawingSpec, *, deadline_s: float | None, max_timeout_ms: int
) -> GenerateRequest:
    """Reads a request to draw images from noise."""
    return GenerateRequest(
        model=spec.model or None,
        n=spec.image_count if spec.HasField("image_count") else None,
        steps=_steps(spec),
        seed=_seed(spec),
        label=_label(spec),
        labels=_labels(spec),
        score=_score(spec),
        score_by=_score_by(spec),
        boxes=_boxes(spec),
        latents=_latents(spec),
        seeds=dict(spec.seeds),
        controls=dict(spec.controls),
        timeout_ms=_timeout_ms(spec, deadline_s, max_timeout_ms),
    )


def score_request(message: pb.ScoreRequest, *, deadline_s: float | None, max_timeout_ms: int) -> ScoreRequest:
    """Reads a request to judge images."""
    return ScoreRequest(
        model=message.model or None,
        images=_images(message),
        fit=_fit(message),
        label=_label(message),
        latents=_latents(message),
        group=message.group,
        timeout_ms=_timeout_ms(message, deadline_s, max_timeout_ms),
    )


def autoencode_request(
    message: pb.AutoencodeRequest, *, deadline_s: float | None, max_timeout_ms: int
) -> AutoencodeRequest:
    """Reads a request to encode an image and draw it again."""
    return AutoencodeRequest(
        model=message.model or None,
        image=ImageInput(data=message.image),
        samples=message.sample_count if message.HasField("sample_count") else 1,
        fit=_fit(message),
        steps=_steps(message),
        seed=_seed(message),
        label=_label(message),
        score=_score(message),
        score_by=_score_by(message),
        controls=dict(message.controls),
        boxes=_boxes(message),
        timeout_ms=_timeout_ms(message, deadline_s, max_timeout_ms),
    )


def complete_request(
    message: pb.CompleteRequest, *, deadline_s: float | None, max_timeout_ms: int
) -> CompleteRequest:
    """Reads a request to complete an image."""
    return CompleteRequest(
        model=message.model or None,
        image=ImageInput(data=message.image),
        mask=ImageInput(data=message.mask, name="mask"),
        n=message.image_count if message.HasField("image_count") else 1,
        fit=_fit(message),
        steps=_steps(message),
        seed=_seed(message),
        label=_label(message),
        score=_score(message),
        score_by=_score_by(message),
        controls=dict(message.controls),
        boxes=_boxes(message),
        timeout_ms=_timeout_ms(message, deadline_s, max_timeout_ms),
    )


def encode_request(
    message: pb.EncodeRequest, *, deadline_s: float | None, max_timeout_ms: int
) -> EncodeRequest:
    """Reads a request to encode images."""
    return EncodeRequest(
        model=message.model or None,
        images=_images(message),
        fit=_fit(message),
        label=_label(message),
        seed=_seed(message),
        timeout_ms=_timeout_ms(message, deadline_s, max_timeout_ms),
    )


def likelihood_request(
    message: pb.EstimateLikelihoodRequest, *, deadline_s: float | None, max_timeout_ms: int
) -> LikelihoodRequest:
    """Reads a request for log-likelihoods."""
    given = message.HasField("importance_sample_count")
    return LikelihoodRequest(
        model=message.model or None,
        images=_images(message),
        importance_samples=message.importance_sample_count if given else 1,
        pixels=message.with_pixels,
        fit=_fit(message),
        label=_label(message),
        seed=_seed(message),
        timeout_ms=_timeout_ms(message, deadline_s, max_timeout_ms),
    )


def _images(
    message: pb.ScoreRequest | pb.EncodeRequest | pb.EstimateLikelihoodRequest,
) -> tuple[ImageInput, ...]:
    return tuple(ImageInput(data=data, name=f"images[{i}]") for i, data in enumerate(message.images))


def _fit(message: _FromPicture | pb.ScoreRequest | pb.EncodeRequest | pb.EstimateLikelihoodRequest) -> Fit:
    if message.fit not in _FITS:
        raise invalid("fit", f"must be one of {', '.join(pb.ImageFit.keys())}, got {message.fit}")
    return _FITS[message.fit]


def _steps(message: pb.DrawingSpec | _FromPicture) -> int | None:
    return message.step_count if message.HasField("step_count") else None


def _seed(message: _WithSeed) -> int | None:
    return message.seed if message.HasField("seed") else None


def _label(message: _Message) -> Label | None:
    if not message.HasField("label_name"):
        return message.label if message.HasField("label") else None
    if message.HasField("label"):
        got = f"got {message.label_name[:60]!r} and {message.label}"
        raise invalid("label_name", f"cannot be given together with label, {got}")
    return message.label_name


def _labels(spec: pb.DrawingSpec) -> tuple[Label, ...] | None:
    if spec.labels and spec.label_names:
        got = f"got {len(spec.label_names)} and {len(spec.labels)} entries"
        raise invalid("label_names", f"cannot be given together with labels, {got}")
    return tuple(spec.label_names) or tuple(spec.labels) or None


def _score(message: pb.DrawingSpec | _FromPicture) -> bool | None:
    return message.with_scores if message.HasField("with_scores") else None


def _score_by(message: pb.DrawingSpec | _FromPicture) -> str | None:
    return message.score_by if message.HasField("score_by") else None


def _boxes(message: pb.DrawingSpec | _FromPicture) -> bool | None:
    return message.with_boxes if message.HasField("with_boxes") else None


def _latents(message: pb.DrawingSpec | pb.ScoreRequest) -> dict[str, object]:
    latents: dict[str, object] = {}
    for i, tensor in enumerate(message.latents):
        if not tensor.name:
            raise invalid(f"latents[{i}]", "must have a name: that of the noise it is for, got none")
        if tensor.name in latents:
            raise invalid(entry("latents", tensor.name), "is given twice")
        latents[tensor.name] = _array(tensor)
    return latents


def _array(tensor: pb.Tensor) -> Floats:
    field = entry("latents", tensor.name)
    if not 1 <= len(tensor.shape) <= _MAX_AXES or min(tensor.shape) < 0:
        got = tuple(tensor.shape[:16])
        raise invalid(field, f"must have a shape of 1..{_MAX_AXES} axes, none negative, got {got}")
    shape = tuple(tensor.shape)
    if tensor.values and tensor.data:
        raise invalid(field, "must be given as values or as data, got both")
    size = math.prod(shape)  # of Python integers: cannot overflow
    if tensor.data:
        if len(tensor.data) != 4 * size:
            raise invalid(field, f"of shape {shape} needs {4 * size} bytes of data, got {len(tensor.data)}")
        return np.frombuffer(tensor.data, dtype="<f4").astype(np.float32, copy=False).reshape(shape)
    if len(tensor.values) != size:
        raise invalid(field, f"of shape {shape} needs {size} values, got {len(tensor.values)}")
    # Packed once more they are bytes, the last of the message: one by one, two million took 0.3 s.
    alone = pb.Tensor()
    alone.CopyFrom(tensor)
    alone.DiscardUnknownFields()
    packed = alone.SerializeToString()
    return np.frombuffer(packed, dtype="<f4", count=size, offset=len(packed) - 4 * size).reshape(shape)


def _timeout_ms(message: _Message, deadline_s: float | None, max_timeout_ms: int) -> int | None:
    """The earlier of the two deadlines. That of the call may lie beyond the limit, the field may not."""
    given = message.timeout_ms if message.HasField("timeout_ms") else None
    if deadline_s is None or (given is not None and not 1 <= given <= max_timeout_ms):
        return given
    remaining = max(1, math.floor(min(deadline_s * 1000, max_timeout_ms)))
    return remaining if given is None else min(given, remaining)
