"""Turns protobuf answers into the client's results and events; nothing is received here."""

__all__ = ["EventReader", "channel_options", "encode", "likelihood", "model", "models", "reload", "score"]

import json
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import numpy as np

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.messages import Done, Event, Frame, Header, Origin, ScoredBy, Scores, Timing
from pentimento_client.models import (
    Completion,
    Control,
    FrameOutput,
    Latent,
    LikelihoodKind,
    Model,
    Models,
    Refusal,
    Reload,
    Revision,
    ScoreKind,
    StepRange,
)
from pentimento_client.pb import canvas_service_pb2 as pb
from pentimento_client.pixels import Floats, from_png
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult

_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 64 << 20),  # what the server sends at most
    ("grpc.max_send_message_length", -1),  # the server's limit is its own setting
    ("grpc.keepalive_time_ms", 30_000),  # notices a server that vanished without a word
    ("grpc.keepalive_timeout_ms", 10_000),
)


def channel_options(here: bool) -> tuple[tuple[str, int], ...]:
    """Options of a channel; to a server on this machine it goes past the proxies of the environment."""
    return (*_CHANNEL_OPTIONS, ("grpc.enable_http_proxy", int(not here)))


_SCORE_KINDS: dict[int, ScoreKind] = {
    pb.SCORE_KIND_DISCRIMINATOR: "discriminator",
    pb.SCORE_KIND_CRITIC: "critic",
}
_OPERATIONS: dict[int, str] = {
    pb.OPERATION_GENERATE: "generate",
    pb.OPERATION_SCORE: "score",
    pb.OPERATION_ENCODE: "encode",
    pb.OPERATION_AUTOENCODE: "autoencode",
    pb.OPERATION_LIKELIHOOD: "likelihood",
    pb.OPERATION_COMPLETE: "complete",
}
_LIKELIHOOD_KINDS: dict[int, LikelihoodKind] = {
    pb.LIKELIHOOD_KIND_EXACT: "exact",
    pb.LIKELIHOOD_KIND_BOUND: "bound",
    pb.LIKELIHOOD_KIND_ESTIMATE: "estimate",
}
_BINARISATIONS: dict[int, Literal["sample", "threshold"]] = {
    pb.BINARISATION_SAMPLE: "sample",
    pb.BINARISATION_THRESHOLD: "threshold",
}
_MEANINGS: dict[int, Literal["box", "plain"]] = {
    pb.OUTPUT_MEANING_BOX: "box",
    pb.OUTPUT_MEANING_PLAIN: "plain",
}
_COMPLETIONS: dict[int, Completion] = {
    pb.COMPLETION_RASTER: "raster",
    pb.COMPLETION_EVERYWHERE: "everywhere",
}

_StreamMessage: TypeAlias = pb.StreamCanvasResponse | pb.AutoencodeResponse | pb.CompleteResponse


class EventReader:
    """Reads the messages of one drawing, which must end with a summary."""

    def __init__(self) -> None:
        self._header = pb.DrawingHeader()
        self._step = 0
        self._over = False

    def read(self, message: _StreamMessage) -> Iterator[Event]:
        """Yields the events of one message of the stream."""
        if isinstance(message, pb.AutoencodeResponse) and message.HasField("encoder_output"):
            yield Origin(encoding=_tensors(message.encoder_output))
        elif message.HasField("header"):
            yield from self._begin(message.header)
        elif message.HasField("frame"):
            self._step = message.frame.step
            yield self._frame(message.frame)
        else:
            self._over = True
            yield Done(timing=_timing(message.summary.timing))

    def end(self) -> None:
        """Must be called when the stream has ended.

        Raises:
            PentimentoError: UNAVAILABLE: the drawing was not complete.
        """
        if not self._over:
            message = f"the stream broke off after step {self._step} of {self._header.step_count}"
            raise PentimentoError(Code.UNAVAILABLE, message)

    def _begin(self, header: pb.DrawingHeader) -> Iterator[Event]:
        self._header = header
        by = header.scored_by
        yield Header(
            model=header.model,
            version=header.version,
            seed=header.seed,
            steps=header.step_count,
            score_kind=_SCORE_KINDS.get(header.score_kind),
            scored_by=ScoredBy(model=by.model, version=by.version) if header.HasField("scored_by") else None,
        )
        if header.HasField("input"):
            conditioning = header.conditioning if header.HasField("conditioning") else None
            yield Origin(input=_images([header.input], header)[0], conditioning=conditioning)

    def _frame(self, frame: pb.Frame) -> Frame:
        return Frame(
            step=frame.step,
            arrays=_images(frame.images, self._header),
            scores=_scores(frame.scores) if frame.HasField("scores") else None,
            elapsed_us=frame.elapsed_us,
            outputs={tensor.name: _array(tensor) for tensor in frame.outputs},
        )


def score(message: pb.ScoreResponse) -> ScoreResult:
    """Reads the answer of Score."""
    return ScoreResult(
        model=message.model,
        version=message.version,
        scores=_scores(message.scores),
        group=message.group,
        timing=_timing(message.timing),
    )


def encode(message: pb.EncodeResponse) -> EncodeResult:
    """Reads the answer of Encode."""
    header = message.header
    return EncodeResult(
        model=header.model,
        version=header.version,
        seed=header.seed,
        inputs=_images(header.inputs, header),
        encoding=_tensors(message.output),
        timing=_timing(message.timing),
    )


def likelihood(message: pb.EstimateLikelihoodResponse) -> LikelihoodResult:
    """Reads the answer of EstimateLikelihood."""
    header = message.header
    return LikelihoodResult(
        model=header.model,
        version=header.version,
        seed=header.seed,
        kind=_LIKELIHOOD_KINDS[message.kind],
        importance_samples=message.importance_sample_count,
        inputs=_images(header.inputs, header),
        nats=np.array(message.nats, dtype=np.float32),
        bits_per_dim=np.array(message.bits_per_dimension, dtype=np.float32),
        standard_errors=np.array(message.standard_errors, dtype=np.float32)
        if message.standard_errors
        else None,
        pixels=_array(message.pixels) if message.HasField("pixels") else None,
        timing=_timing(message.timing),
    )


def models(message: pb.ListModelsResponse) -> Models:
    """Reads the answer of ListModels."""
    return Models(tuple(_model(each) for each in message.models), _refused(message.refusals))


def reload(message: pb.ReloadModelsResponse) -> Reload:
    """Reads the answer of ReloadModels."""
    return Reload(
        added=tuple(_revision(each) for each in message.added),
        replaced=tuple(_revision(each) for each in message.replaced),
        removed=tuple(message.removed_names),
        kept=tuple(message.kept_names),
        refused=_refused(message.refusals),
        default=message.default_model if message.HasField("default_model") else None,
    )


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
            default=steps.default_count,
            min=steps.min_count,
            max=steps.max_count,
            trained=steps.trained_count,
            best=steps.best_count if steps.HasField("best_count") else None,
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
        levels=message.level_count if message.HasField("level_count") else None,
        binarisation=_BINARISATIONS.get(message.binarisation),
        completion=_COMPLETIONS.get(message.completion),
        likelihood_kind=_LIKELIHOOD_KINDS.get(message.likelihood_kind),
        outputs=tuple(
            FrameOutput(
                name=output.name,
                meaning=_MEANINGS.get(output.meaning, "plain"),
                points=output.points if output.HasField("points") else None,
                summary=output.summary,
            )
            for output in message.outputs
        ),
        score_takes=tuple(message.score_takes),
        controls=tuple(
            Control(
                name=control.name,
                min=control.min_value,
                max=control.max_value,
                default=control.default_value,
                summary=control.summary,
            )
            for control in message.controls
        ),
        group_size=message.group_size if message.HasField("group_size") else None,
        manifest=None if manifest_json is None else json.loads(manifest_json),
    )


def _refused(messages: Iterable[pb.Refusal]) -> tuple[Refusal, ...]:
    return tuple(Refusal(name=each.name, reason=each.reason) for each in messages)


def _revision(message: pb.ModelRevision) -> Revision:
    previous = message.previous_version if message.HasField("previous_version") else None
    return Revision(name=message.name, version=message.version, previous_version=previous)


def _images(files: Iterable[bytes], header: pb.DrawingHeader | pb.ReadingHeader) -> Floats:
    """Images in the encoding that the header names, as (n, C, H, W)."""
    if header.encoding == pb.IMAGE_ENCODING_PNG:
        return np.stack([from_png(file) for file in files])
    shape = (-1, header.image_shape.channels, header.image_shape.height, header.image_shape.width)
    return np.frombuffer(b"".join(files), dtype="<f4").reshape(shape).astype(np.float32)


def _tensors(output: pb.EncoderOutput) -> dict[str, Floats]:
    return {tensor.name: _array(tensor) for tensor in output.tensors}


def _array(tensor: pb.Tensor) -> Floats:
    return np.frombuffer(tensor.data, dtype="<f4").reshape(tuple(tensor.shape)).astype(np.float32)


def _scores(message: pb.Scores) -> Scores:
    kind: ScoreKind = "critic" if message.kind == pb.SCORE_KIND_CRITIC else "discriminator"
    return Scores(
        kind=kind,
        logits=np.array(message.logits, dtype=np.float32),
        probabilities=None if kind == "critic" else np.array(message.probabilities, dtype=np.float32),
    )


def _timing(message: pb.Timing) -> Timing:
    return Timing(queue_us=message.queue_us, total_us=message.total_us)
