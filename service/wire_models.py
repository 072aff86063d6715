"""What is known of the served models, as protobuf messages."""

__all__ = ["SCORE_KINDS", "image_shape_message", "model_message", "refusal_message"]

from bundle.manifest import ImageSpec, Manifest, NoiseSpec
from service.messages import ModelInfo, Refusal, ScoreKind
from service.pb import canvas_service_pb2 as pb

SCORE_KINDS: dict[ScoreKind | None, pb.ScoreKind] = {
    None: pb.SCORE_KIND_UNSPECIFIED,
    "discriminator": pb.SCORE_KIND_DISCRIMINATOR,
    "critic": pb.SCORE_KIND_CRITIC,
}

# The operations that have an RPC; what else a model can do is not for clients of gRPC.
_OPERATIONS: dict[str, pb.Operation] = {
    "generate": pb.OPERATION_GENERATE,
    "score": pb.OPERATION_SCORE,
}
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
        operations=[_OPERATIONS[each] for each in info.operations if each in _OPERATIONS],
        image_shape=image_shape_message(manifest.image),
        score_kind=SCORE_KINDS[manifest.scorer.kind if manifest.scorer else None],
        label_names=manifest.labels.names if manifest.labels else (),
    )
    if drawing is not None:
        steps = drawing.steps
        message.steps.default_count, message.steps.trained_count = steps.default, steps.trained
        message.steps.min_count, message.steps.max_count = steps.min, steps.max
        message.latents.extend(_latent(manifest, noise) for noise in drawing.noise)
    return message


def refusal_message(refusal: Refusal) -> pb.Refusal:
    """A folder that is not served."""
    return pb.Refusal(name=refusal.name, reason=refusal.reason)


def image_shape_message(image: ImageSpec) -> pb.ImageShape:
    """Shape of one image."""
    return pb.ImageShape(channels=image.channels, height=image.height, width=image.width)


def _latent(manifest: Manifest, noise: NoiseSpec) -> pb.LatentSpec:
    per_call = noise.per == "call"
    message = pb.LatentSpec(name=noise.name, shape=noise.shape, prior=_PRIORS[noise.prior], per_call=per_call)
    if per_call and manifest.drawing is not None:
        phase = next(p for p in manifest.drawing.phases if manifest.graphs[p.graph].input(noise.name))
        if phase.calls != "steps":
            message.call_count = phase.calls
    return message
