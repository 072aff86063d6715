"""Checks of what a scorer is given besides pictures: classes, latents, a group; and of whom it may judge.

Every function raises PentimentoError, INVALID_ARGUMENT, or returns the value.
"""

__all__ = ["group", "score_by", "scorer_label", "scorer_latents"]

from collections.abc import Mapping

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.scorer import judged_noise
from pentimento.service.engine.rows import Arrays
from pentimento.service.errors import entry, invalid
from pentimento.service.messages import Label
from pentimento.service.operations import checks


def scorer_label(manifest: Manifest, value: Label | None) -> int | None:
    """Index of the class of given images: needed by a scorer of classes, refused by any other."""
    if manifest.graphs["score"].input("label") is not None:
        return checks.label(manifest, value)
    if value is not None:
        got = str(value)[:60]
        raise invalid("label", f"cannot be given: the scorer of {manifest.name!r} takes none, got {got}")
    return None


def scorer_latents(manifest: Manifest, given: Mapping[str, object], n: int) -> Arrays:
    """The latents of given images: needed by a scorer of pairs, refused by any other."""
    taken = [noise.name for noise in judged_noise(manifest)]
    for name in taken:
        if name not in given:
            raise invalid(
                entry("latents", name),
                f"is needed: the scorer of {manifest.name!r} judges a picture together with its latents, "
                f"such as /encode gives",
            )
    for name in given:
        if name not in taken:
            wanted = f"it takes: {', '.join(taken)}" if taken else "it judges pictures alone"
            field = entry("latents", name)
            raise invalid(field, f"is not taken by the scorer of {manifest.name!r}; {wanted}")
    if not taken:
        return {}
    assert manifest.drawing is not None
    return checks.latents(manifest, given, n, manifest.drawing.steps.trained, bounded=False)


def group(manifest: Manifest, n: int, label: Label | None) -> int:
    """The most images of a group, if so many may be judged together; a group has no label."""
    if label is not None:
        raise invalid("label", f"cannot be given for a group, got {str(label)[:60]}")
    size = manifest.scorer.group_size if manifest.scorer else None
    if size is None or "score_group" not in manifest.graphs:
        message = f"cannot be judged: the scorer of {manifest.name!r} judges one image at a time"
        raise invalid("group", message)
    if n > size:
        raise invalid("group", f"must be of 1..{size} images for model {manifest.name!r}, got {n}")
    return size


def score_by(judge: Manifest, drawn: Manifest) -> None:
    """Refuses a scorer that cannot judge what `drawn` draws: by its shape, its latents or its classes."""
    if judge.image.shape != drawn.image.shape:
        raise invalid(
            "score_by",
            f"{judge.name!r} judges images of shape {judge.image.shape}, but model {drawn.name!r} draws "
            f"{drawn.image.shape}: (C, H, W)",
        )
    if judged_noise(judge):
        raise invalid(
            "score_by",
            f"{judge.name!r} judges images together with its own latents, which those of model "
            f"{drawn.name!r} are not",
        )
    if judge.graphs["score"].input("t") is not None:
        raise invalid(
            "score_by",
            f"{judge.name!r} judges the steps of its own drawings, and those of model {drawn.name!r} are "
            "others",
        )
    if judge.graphs["score"].input("label") is not None and _classes(judge) != _classes(drawn):
        raise invalid(
            "score_by",
            f"{judge.name!r} judges images of {_classes(judge)} classes by their label, but model "
            f"{drawn.name!r} draws {_classes(drawn) or 'no'} classes",
        )


def _classes(manifest: Manifest) -> int:
    return 0 if manifest.labels is None else len(manifest.labels.names)
