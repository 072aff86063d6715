"""Turns results of the operations into protobuf messages; no call is made here."""

__all__ = [
    "encode_message",
    "encoded_size",
    "encoder_output_message",
    "frame_message",
    "header_message",
    "image_encoding",
    "likelihood_message",
    "score_message",
    "timing_message",
]

import math
from collections.abc import Mapping
from typing import cast

from pentimento.bundle.manifest import ImageSpec
from pentimento.service.errors import invalid
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.wire_models import LIKELIHOOD_KINDS, SCORE_KINDS, image_shape_message
from pentimento.service.messages import (
    EncodeResult,
    Floats,
    Frame,
    Header,
    LikelihoodResult,
    ScoredBy,
    ScoreResult,
    Scores,
    Timing,
)
from pentimento.service.operations.codec import encode_pngs, to_uint8

_PNG_OVERHEAD_BYTES = 1024  # of a PNG that cannot be compressed, beyond a filter byte a row


def image_encoding(value: int) -> pb.ImageEncoding:
    """Checks the encoding that a request asks for; unspecified becomes PNG.

    Raises:
        PentimentoError: INVALID_ARGUMENT for a value that the proto does not define.
    """
    if value not in pb.ImageEncoding.values():  # proto3 lets any number through
        raise invalid("encoding", f"must be one of {', '.join(pb.ImageEncoding.keys())}, got {value}")
    return cast("pb.ImageEncoding", value) if value else pb.IMAGE_ENCODING_PNG


def encoded_size(image: ImageSpec, encoding: pb.ImageEncoding) -> int:
    """The most bytes that one encoded image takes."""
    values = math.prod(image.shape)
    if encoding == pb.IMAGE_ENCODING_FLOAT32:
        return 4 * values
    return values + (image.height + _PNG_OVERHEAD_BYTES if encoding == pb.IMAGE_ENCODING_PNG else 0)


def header_message(
    header: Header, image: ImageSpec, encoding: pb.ImageEncoding, given: Floats | None = None
) -> pb.DrawingHeader:
    """What is known of a drawing before its first frame.

    Args:
        header: The drawing's.
        image: What the model draws.
        encoding: How images travel.
        given: The picture that it starts from, (1, C, H, W), if any.
    """
    return pb.DrawingHeader(
        model=header.model,
        version=header.version,
        seed=header.seed,
        image_count=header.n,
        step_count=header.steps,
        score_kind=SCORE_KINDS[header.scored_by.kind if header.scored_by else None],
        image_shape=image_shape_message(image),
        encoding=encoding,
        input=None if given is None else _encode(given, encoding)[0],
        conditioning=header.conditioning,
        scored_by=_scored_by(header.scored_by) if header.scored_by else None,
    )


def frame_message(frame: Frame, encoding: pb.ImageEncoding) -> pb.Frame:
    """A frame with its images encoded; of many pixels, worth a thread."""
    return pb.Frame(
        step=frame.step,
        images=_encode(frame.canvas, encoding),
        scores=None if frame.scores is None else _scores(frame.scores),
        outputs=[_tensor(name, values) for name, values in frame.outputs.items()],
        elapsed_us=frame.elapsed_us,
    )


def encoder_output_message(encoding: Mapping[str, Floats]) -> pb.EncoderOutput:
    """What an encoder put out, (n, ...) by name."""
    return pb.EncoderOutput(tensors=[_tensor(name, values) for name, values in encoding.items()])


def timing_message(timing: Timing) -> pb.Timing:
    """Time in the queue and in total, in microseconds."""
    return pb.Timing(queue_us=timing.queue_us, total_us=timing.total_us)


def score_message(result: ScoreResult) -> pb.ScoreResponse:
    """The answer of `Score`."""
    return pb.ScoreResponse(
        model=result.model,
        version=result.version,
        scores=_scores(result.scores),
        group=result.group,
        timing=timing_message(result.timing),
    )


def encode_message(result: EncodeResult, encoding: pb.ImageEncoding) -> pb.EncodeResponse:
    """The answer of `Encode`; the work is worth a thread."""
    return pb.EncodeResponse(
        header=_reading_header(result, encoding),
        output=encoder_output_message(result.encoding),
        timing=timing_message(result.timing),
    )


def likelihood_message(result: LikelihoodResult, encoding: pb.ImageEncoding) -> pb.EstimateLikelihoodResponse:
    """The answer of `EstimateLikelihood`; the work is worth a thread."""
    return pb.EstimateLikelihoodResponse(
        header=_reading_header(result, encoding),
        kind=LIKELIHOOD_KINDS[result.kind],
        importance_sample_count=result.importance_samples,
        nats=result.nats.tolist(),
        bits_per_dimension=result.bits_per_dim.tolist(),
        standard_errors=[] if result.standard_errors is None else result.standard_errors.tolist(),
        pixels=None if result.pixels is None else _tensor("pixels", result.pixels),
        timing=timing_message(result.timing),
    )


def _reading_header(result: EncodeResult | LikelihoodResult, encoding: pb.ImageEncoding) -> pb.ReadingHeader:
    _, channels, height, width = result.given.shape
    return pb.ReadingHeader(
        model=result.model,
        version=result.version,
        seed=result.seed,
        inputs=_encode(result.given, encoding),
        image_shape=pb.ImageShape(channels=channels, height=height, width=width),
        encoding=encoding,
    )


def _scored_by(judge: ScoredBy) -> pb.ScoredBy:
    return pb.ScoredBy(model=judge.model, version=judge.version)


def _encode(canvas: Floats, encoding: pb.ImageEncoding) -> list[bytes]:
    """Each image of (n, C, H, W) as bytes."""
    if encoding == pb.IMAGE_ENCODING_FLOAT32:
        return [image.tobytes() for image in canvas.astype("<f4", copy=False)]
    if encoding == pb.IMAGE_ENCODING_UINT8:
        return [image.tobytes() for image in to_uint8(canvas)]
    return encode_pngs(canvas)


def _tensor(name: str, values: Floats) -> pb.Tensor:
    return pb.Tensor(name=name, shape=values.shape, data=values.astype("<f4", copy=False).tobytes())


def _scores(scores: Scores) -> pb.Scores:
    probabilities = () if scores.probability is None else scores.probability.tolist()
    return pb.Scores(kind=SCORE_KINDS[scores.kind], logits=scores.logit.tolist(), probabilities=probabilities)
