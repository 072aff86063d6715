"""What is served, and what a reload changed, as protobuf messages."""

__all__ = [
    "LIKELIHOOD_KINDS",
    "SCORE_KINDS",
    "image_shape_message",
    "model_message",
    "refusal_message",
    "reload_message",
]

from pentimento.bundle.manifest import Control, FrameOutput, ImageSpec, Manifest, NoiseSpec
from pentimento.bundle.scorer import judged_noise
from pentimento.service.catalog.served import ModelInfo, Refusal, Reload, Revision
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.messages import OperationName, ScoreKind

SCORE_KINDS: dict[ScoreKind | None, pb.ScoreKind] = {
    None: pb.SCORE_KIND_UNSPECIFIED,
    "discriminator": pb.SCORE_KIND_DISCRIMINATOR,
    "critic": pb.SCORE_KIND_CRITIC,
}

LIKELIHOOD_KINDS: dict[str | None, pb.LikelihoodKind] = {
    None: pb.LIKELIHOOD_KIND_UNSPECIFIED,
    "exact": pb.LIKELIHOOD_KIND_EXACT,
    "bound": pb.LIKELIHOOD_KIND_BOUND,
    "estimate": pb.LIKELIHOOD_KIND_ESTIMATE,
}

_OPERATIONS: dict[OperationName, pb.Operation] = {
    "generate": pb.OPERATION_GENERATE,
    "score": pb.OPERATION_SCORE,
    "encode": pb.OPERATION_ENCODE,
    "autoencode": pb.OPERATION_AUTOENCODE,
    "likelihood": pb.OPERATION_LIKELIHOOD,
    "complete": pb.OPERATION_COMPLETE,
}
_BINARISATIONS: dict[str | None, pb.Binarisation] = {
    None: pb.BINARISATION_UNSPECIFIED,
    "sample": pb.BINARISATION_SAMPLE,
    "threshold": pb.BINARISATION_THRESHOLD,
}
_COMPLETIONS: dict[str | None, pb.Completion] = {
    None: pb.COMPLETION_UNSPECIFIED,
    "raster": pb.COMPLETION_RASTER,
    "everywhere": pb.COMPLETION_EVERYWHERE,
}
_MEANINGS = {"box": pb.OUTPUT_MEANING_BOX, "plain": pb.OUTPUT_MEANING_PLAIN}
_PRIORS = {"normal": pb.PRIOR_NORMAL, "uniform": pb.PRIOR_UNIFORM}


def model_message(info: ModelInfo) -> pb.Model:
    """A served model and what it can do."""
    manifest, drawing = info.manifest, info.manifest.drawing
    message = pb.Model(
        name=manifest.name,
        version=manifest.version,
        family=manifest.family,
        summary=manifest.summary,
        is_default=info.is_default,
        operations=[_OPERATIONS[each] for each in info.operations],
        image_shape=image_shape_message(manifest.image),
        score_kind=SCORE_KINDS[manifest.scorer.kind if manifest.scorer else None],
        label_names=manifest.labels.names if manifest.labels else (),
        level_count=manifest.image.levels,
        binarisation=_BINARISATIONS[manifest.image.binarisation],
        completion=_COMPLETIONS[drawing.completion if drawing else None],
        score_takes=[noise.name for noise in judged_noise(manifest)],
        group_size=manifest.scorer.group_size if manifest.scorer else None,
        likelihood_kind=LIKELIHOOD_KINDS[manifest.likelihood.kind if manifest.likelihood else None],
    )
    if drawing is not None:
        steps = drawing.steps
        message.steps.default_count, message.steps.trained_count = steps.default, steps.trained
        message.steps.min_count, message.steps.max_count = steps.min, steps.max
        if steps.best is not None:
            message.steps.best_count = steps.best
        message.controls.extend(_control(control) for control in drawing.controls)
        message.outputs.extend(_output(output) for output in drawing.outputs)
        message.latents.extend(_latent(manifest, noise) for noise in drawing.noise)
    return message


def refusal_message(refusal: Refusal) -> pb.Refusal:
    """A folder that is not served, with the reason."""
    return pb.Refusal(name=refusal.name, reason=refusal.reason)


def reload_message(reload: Reload) -> pb.ReloadModelsResponse:
    """What a reload changed."""
    return pb.ReloadModelsResponse(
        added=[_revision(each) for each in reload.added],
        replaced=[_revision(each) for each in reload.replaced],
        removed_names=reload.removed,
        kept_names=reload.kept,
        refusals=[refusal_message(each) for each in reload.refused],
        default_model=reload.default,
    )


def image_shape_message(image: ImageSpec) -> pb.ImageShape:
    """Channels, height and width of an image."""
    return pb.ImageShape(channels=image.channels, height=image.height, width=image.width)


def _revision(revision: Revision) -> pb.ModelRevision:
    return pb.ModelRevision(
        name=revision.name, version=revision.version, previous_version=revision.previous_version
    )


def _control(control: Control) -> pb.Control:
    return pb.Control(
        name=control.name,
        min_value=control.min,
        max_value=control.max,
        default_value=control.default,
        summary=control.summary,
    )


def _output(output: FrameOutput) -> pb.FrameOutput:
    meaning = _MEANINGS[output.meaning]
    return pb.FrameOutput(name=output.name, meaning=meaning, points=output.points, summary=output.summary)


def _latent(manifest: Manifest, noise: NoiseSpec) -> pb.LatentSpec:
    per_call = noise.per == "call"
    message = pb.LatentSpec(name=noise.name, shape=noise.shape, prior=_PRIORS[noise.prior], per_call=per_call)
    if per_call and manifest.drawing is not None:
        phase = next(p for p in manifest.drawing.phases if manifest.graphs[p.graph].input(noise.name))
        if phase.calls != "steps":
            message.call_count = phase.calls
    return message
