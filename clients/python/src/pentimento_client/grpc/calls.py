"""Turns requests into protobuf messages; nothing is sent here.

Every function raises PentimentoError, INVALID_ARGUMENT, where a number does not fit into its field.
"""

__all__ = ["StreamMethod", "deadline_s", "encode_call", "likelihood_call", "score_call", "stream_call"]

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.pb import canvas_service_pb2 as pb
from pentimento_client.pixels import Floats
from pentimento_client.requests import (
    AutoencodeRequest,
    CompleteRequest,
    DrawRequest,
    EncodeRequest,
    Label,
    LikelihoodRequest,
    ScoreRequest,
    StreamRequest,
    label_list,
    latent_arrays,
)

StreamMethod: TypeAlias = Literal["StreamCanvas", "Autoencode", "Complete"]
"""An RPC that streams frames."""

# gRPC's own deadline comes later than the request's, so that it is the server which says what happened.
_DEADLINE_SLACK_S = 5.0

_ENCODINGS = {"png": pb.IMAGE_ENCODING_PNG, "float32": pb.IMAGE_ENCODING_FLOAT32}
_FITS = {"exact": pb.IMAGE_FIT_EXACT, "resize": pb.IMAGE_FIT_RESIZE}


def deadline_s(timeout_s: float | None, silence_s: float) -> float:
    """The deadline of a gRPC call in seconds: a little after the request's, or `silence_s` without one."""
    return silence_s if timeout_s is None else timeout_s + _DEADLINE_SLACK_S


def stream_call(
    request: StreamRequest,
) -> tuple[StreamMethod, pb.StreamCanvasRequest | pb.AutoencodeRequest | pb.CompleteRequest]:
    """The RPC that answers a request with frames, and its message."""
    with _in_range():
        if isinstance(request, DrawRequest):
            return "StreamCanvas", _drawing(request)
        if isinstance(request, AutoencodeRequest):
            return "Autoencode", _reconstruction(request)
        return "Complete", _completion(request)


def score_call(request: ScoreRequest) -> pb.ScoreRequest:
    """The message of the RPC Score."""
    with _in_range():
        return pb.ScoreRequest(
            model=request.model or "",
            images=request.images,
            fit=_FITS[request.fit],
            **_label(request.label),
            latents=[_tensor(name, array) for name, array in latent_arrays(request).items()],
            group=request.group,
            timeout_ms=_timeout_ms(request.timeout_s),
        )


def encode_call(request: EncodeRequest) -> pb.EncodeRequest:
    """The message of the RPC Encode."""
    with _in_range():
        return pb.EncodeRequest(
            model=request.model or "",
            images=request.images,
            fit=_FITS[request.fit],
            **_label(request.label),
            seed=request.seed,
            timeout_ms=_timeout_ms(request.timeout_s),
        )


def likelihood_call(request: LikelihoodRequest) -> pb.EstimateLikelihoodRequest:
    """The message of the RPC EstimateLikelihood."""
    with _in_range():
        return pb.EstimateLikelihoodRequest(
            model=request.model or "",
            images=request.images,
            fit=_FITS[request.fit],
            importance_sample_count=request.importance_samples,
            with_pixels=request.pixels,
            **_label(request.label),
            seed=request.seed,
            timeout_ms=_timeout_ms(request.timeout_s),
        )


def _drawing(request: DrawRequest) -> pb.StreamCanvasRequest:
    return pb.StreamCanvasRequest(
        drawing=pb.DrawingSpec(
            model=request.model or "",
            image_count=request.n,
            step_count=request.steps,
            seed=request.seed,
            **_label(request.label),
            **_labels(request),
            with_scores=request.score,
            score_by=request.score_by,
            with_boxes=request.boxes,
            latents=[_tensor(name, array) for name, array in latent_arrays(request).items()],
            seeds=request.seeds,
            controls=request.controls,
            timeout_ms=_timeout_ms(request.timeout_s),
        ),
        encoding=_ENCODINGS[request.encoding],
    )


def _label(label: Label | None) -> dict[str, Any]:
    return {"label_name": label} if isinstance(label, str) else {"label": label}


def _labels(request: DrawRequest) -> dict[str, Any]:
    labels = label_list(request)
    if labels is None or not any(isinstance(each, str) for each in labels):
        return {"labels": labels}
    return {"label_names": [str(each) for each in labels]}


def _reconstruction(request: AutoencodeRequest) -> pb.AutoencodeRequest:
    return pb.AutoencodeRequest(
        model=request.model or "",
        image=request.image,
        sample_count=request.samples,
        fit=_FITS[request.fit],
        step_count=request.steps,
        seed=request.seed,
        **_label(request.label),
        with_scores=request.score,
        score_by=request.score_by,
        with_boxes=request.boxes,
        controls=request.controls,
        timeout_ms=_timeout_ms(request.timeout_s),
        encoding=_ENCODINGS[request.encoding],
    )


def _completion(request: CompleteRequest) -> pb.CompleteRequest:
    return pb.CompleteRequest(
        model=request.model or "",
        image=request.image,
        mask=request.mask,
        image_count=request.n,
        fit=_FITS[request.fit],
        step_count=request.steps,
        seed=request.seed,
        **_label(request.label),
        with_scores=request.score,
        score_by=request.score_by,
        with_boxes=request.boxes,
        controls=request.controls,
        timeout_ms=_timeout_ms(request.timeout_s),
        encoding=_ENCODINGS[request.encoding],
    )


@contextmanager
def _in_range() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError) as error:  # protobuf's refusal names neither field nor limit
        message = f"an argument is not of its type or does not fit into its field: {error}"
        raise PentimentoError(Code.INVALID_ARGUMENT, message) from None


def _tensor(name: str, array: Floats) -> pb.Tensor:
    return pb.Tensor(name=name, shape=array.shape, data=array.astype("<f4", copy=False).tobytes())


def _timeout_ms(timeout_s: float | None) -> int | None:
    return None if timeout_s is None else math.ceil(timeout_s * 1000)
