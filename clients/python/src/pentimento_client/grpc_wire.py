"""Between messages and protobuf: requests, answers and events. No connection is here."""

__all__ = [
    "CHANNEL_OPTIONS",
    "EventReader",
    "deadline_s",
    "draw_call",
    "model",
    "models",
    "score",
    "score_call",
]

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.messages import (
    Done,
    DrawRequest,
    Event,
    Frame,
    Header,
    ScoreRequest,
    ScoreResult,
    Scores,
    Timing,
    latent_arrays,
)
from pentimento_client.models import Latent, Model, Models, Refusal, ScoreKind, StepRange
from pentimento_client.pb import canvas_service_pb2 as pb
from pentimento_client.pixels import Floats, from_png

CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 64 << 20),  # what the server sends at most
    ("grpc.max_send_message_length", -1),  # the server's limit is its own setting
    ("grpc.keepalive_time_ms", 30_000),  # notices a server that vanished without a word
    ("grpc.keepalive_timeout_ms", 10_000),
)

# gRPC's own deadline comes later than the request's, so that it is the server which says what happened.
_DEADLINE_SLACK_S = 5.0

_ENCODINGS = {"png": pb.IMAGE_ENCODING_PNG, "float32": pb.IMAGE_ENCODING_FLOAT32}
_FITS = {"exact": pb.IMAGE_FIT_EXACT, "resize": pb.IMAGE_FIT_RESIZE}
_SCORE_KINDS: dict[int, ScoreKind] = {
    pb.SCORE_KIND_DISCRIMINATOR: "discriminator",
    pb.SCORE_KIND_CRITIC: "critic",
}
_OPERATIONS: dict[int, str] = {pb.OPERATION_GENERATE: "generate", pb.OPERATION_SCORE: "score"}


def deadline_s(timeout_s: float | None) -> float | None:
    """The deadline of the call for a request's own."""
    return None if timeout_s is None else timeout_s + _DEADLINE_SLACK_S


def draw_call(request: DrawRequest) -> pb.StreamCanvasRequest:
    """The request for a stream of frames.

    Raises:
        PentimentoError: INVALID_ARGUMENT: a number does not fit into its field.
    """
    with _in_range():
        return pb.StreamCanvasRequest(
            drawing=pb.DrawingSpec(
                model=request.model or "",
                image_count=request.n,
                step_count=request.steps,
                seed=request.seed,
                label=request.label,
                with_scores=request.score,
                latents=[_tensor(name, array) for name, array in latent_arrays(request).items()],
                timeout_ms=_timeout_ms(request.timeout_s),
            ),
            encoding=_ENCODINGS[request.encoding],
        )


def score_call(request: ScoreRequest) -> pb.ScoreRequest:
    """The request for scores; errors as `draw_call`."""
    with _in_range():
        return pb.ScoreRequest(
            model=request.model or "",
            images=request.images,
            fit=_FITS[request.fit],
            timeout_ms=_timeout_ms(request.timeout_s),
        )


class EventReader:
    """Reads the messages of one drawing, which must end with a summary."""

    def __init__(self) -> None:
        self._header = pb.DrawingHeader()
        self._step = 0
        self._over = False

    def read(self, message: pb.StreamCanvasResponse) -> Event:
        """One message of the stream."""
        kind = message.WhichOneof("event")
        if kind == "header":
            self._header = message.header
            return Header(
                model=self._header.model,
                version=self._header.version,
                seed=self._header.seed,
                steps=self._header.step_count,
            )
        if kind == "frame":
            self._step = message.frame.step
            return self._frame(message.frame)
        self._over = True
        return Done(timing=_timing(message.summary.timing))

    def end(self) -> None:
        """To be called when nothing more comes. Raises UNAVAILABLE where the drawing was not complete."""
        if not self._over:
            message = f"the stream broke off after step {self._step} of {self._header.step_count}"
            raise PentimentoError(Code.UNAVAILABLE, message)

    def _frame(self, frame: pb.Frame) -> Frame:
        return Frame(
            step=frame.step,
            arrays=np.stack([self._array(image) for image in frame.images]),
            scores=_scores(frame.scores) if frame.HasField("scores") else None,
            elapsed_us=frame.elapsed_us,
        )

    def _array(self, image: bytes) -> Floats:
        if self._header.encoding == pb.IMAGE_ENCODING_PNG:
            return from_png(image)
        shape = self._header.image_shape
        values = np.frombuffer(image, dtype="<f4").reshape(shape.channels, shape.height, shape.width)
        return values.astype(np.float32)


def score(message: pb.ScoreResponse) -> ScoreResult:
    """Reads the answer of Score."""
    return ScoreResult(
        model=message.model,
        version=message.version,
        scores=_scores(message.scores),
        timing=_timing(message.timing),
    )


def models(message: pb.ListModelsResponse) -> Models:
    """Reads the answer of ListModels."""
    refused = (Refusal(name=refusal.name, reason=refusal.reason) for refusal in message.refusals)
    return Models(tuple(_model(each) for each in message.models), tuple(refused))


def model(message: pb.GetModelResponse) -> Model:
    """Reads the answer of GetModel."""
    return _model(message.model, manifest_json=message.manifest_json)


def _model(message: pb.Model, manifest_json: str | None = None) -> Model:
    shape, steps = message.image_shape, message.steps
    return Model(
        name=message.name,
        version=message.version,
        family=message.family,
        summary=message.summary,
        is_default=message.is_default,
        operations=tuple(_OPERATIONS[each] for each in message.operations if each in _OPERATIONS),
        image_shape=(shape.channels, shape.height, shape.width),
        steps=StepRange(
            default=steps.default_count, min=steps.min_count, max=steps.max_count, trained=steps.trained_count
        )
        if message.HasField("steps")
        else None,
        latents=tuple(
            Latent(
                name=latent.name,
                shape=tuple(latent.shape),
                prior="uniform" if latent.prior == pb.PRIOR_UNIFORM else "normal",
                per_call=latent.per_call,
            )
            for latent in message.latents
        ),
        labels=tuple(message.label_names),
        score_kind=_SCORE_KINDS.get(message.score_kind),
        manifest=None if manifest_json is None else json.loads(manifest_json),
    )


@contextmanager
def _in_range() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError) as error:  # protobuf's refusal names neither field nor limit
        message = f"an argument is not of its type or does not fit into its field: {error}"
        raise PentimentoError(Code.INVALID_ARGUMENT, message) from None


def _tensor(name: str, array: Floats) -> pb.Tensor:
    return pb.Tensor(name=name, shape=array.shape, data=array.astype("<f4", copy=False).tobytes())


def _scores(message: pb.Scores) -> Scores:
    kind: ScoreKind = "critic" if message.kind == pb.SCORE_KIND_CRITIC else "discriminator"
    return Scores(
        kind=kind,
        logits=np.array(message.logits, dtype=np.float32),
        probabilities=None if kind == "critic" else np.array(message.probabilities, dtype=np.float32),
    )


def _timing(message: pb.Timing) -> Timing:
    return Timing(queue_us=message.queue_us, total_us=message.total_us)


def _timeout_ms(timeout_s: float | None) -> int | None:
    return None if timeout_s is None else math.ceil(timeout_s * 1000)
