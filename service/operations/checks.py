"""Checks of request fields against the manifest: nothing is repaired; messages name field, limit, value.

Every function raises PentimentoError, INVALID_ARGUMENT, or returns the value with its default filled in.
"""

__all__ = [
    "MAX_LATENT",
    "boxes",
    "controls",
    "image_count",
    "importance_samples",
    "in_range",
    "label",
    "labels",
    "latents",
    "reconstruction_steps",
    "seed",
    "seeds",
    "steps",
    "timeout_s",
]

from collections.abc import Mapping

import numpy as np

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.noise import MAX_SEED, noise_shape
from pentimento.service.engine.rows import Array, Arrays
from pentimento.service.errors import PentimentoError, entry, invalid
from pentimento.service.messages import GenerateRequest, Label, LikelihoodRequest
from pentimento.service.operations.classes import class_of
from pentimento.service.operations.numbers import read_numbers
from pentimento.service.settings import Settings

# Far beyond what a prior draws or an encoder says, and no sum of such overflows within a graph.
MAX_LATENT = 1_000_000


def in_range(field: str, value: int, low: int, high: int) -> int:
    """A number, if it lies between two limits, both allowed."""
    if not low <= value <= high:
        raise invalid(field, f"must be {low}..{high}, got {value}")
    return value


def seed(value: int) -> int:
    """The seed, if it is in [0, MAX_SEED]."""
    return in_range("seed", value, 0, MAX_SEED)


def seeds(manifest: Manifest, given: Mapping[str, int]) -> dict[str, int]:
    """Seeds by noise name; each must name a noise of the drawing."""
    assert manifest.drawing is not None
    names = [spec.name for spec in manifest.drawing.noise]
    for name, value in given.items():
        field = entry("seeds", name)
        if name not in names:
            draws = f"it draws: {', '.join(names)}" if names else "it draws none"
            raise invalid(field, f"is not a noise of model {manifest.name!r}; {draws}")
        in_range(field, value, 0, MAX_SEED)
    return dict(given)


def timeout_s(timeout_ms: int | None, settings: Settings) -> float:
    """The time limit of a request, in seconds; None takes the server's default."""
    if timeout_ms is None:
        return min(settings.default_timeout_ms, settings.max_timeout_ms) / 1000
    return in_range("timeout_ms", timeout_ms, 1, settings.max_timeout_ms) / 1000


def importance_samples(manifest: Manifest, request: LikelihoodRequest, limit: int) -> int:
    """Draws for each image; it must be one where the likelihood is exact."""
    assert manifest.likelihood is not None
    value = request.importance_samples
    if manifest.likelihood.kind == "exact" and value != 1:
        raise invalid("importance_samples", f"must be 1: model {manifest.name!r} is exact, got {value}")
    in_range("importance_samples", value, 1, limit)
    if request.pixels and manifest.graphs["likelihood"].output("pixel_log_likelihood") is None:
        raise invalid("pixels", f"cannot be had: model {manifest.name!r} has no likelihood for each pixel")
    return value


def reconstruction_steps(manifest: Manifest, value: int | None) -> int:
    """Canvases of a reconstruction: a latent encoded for each of `steps` calls fixes their number."""
    drawing = manifest.drawing
    assert drawing is not None
    encoded = {tensor.name for tensor in manifest.graphs["encode"].outputs}
    by_call = [noise for noise in drawing.noise if noise.per == "call" and noise.name in encoded]
    growing = [manifest.graphs[phase.graph] for phase in drawing.phases if phase.calls == "steps"]
    if any(graph.input(noise.name) for graph in growing for noise in by_call):
        trained = drawing.steps.trained
        if value not in (None, trained):
            raise invalid("steps", f"must be {trained} to reconstruct with {manifest.name!r}, got {value}")
        return trained
    return steps(manifest, value)


def boxes(manifest: Manifest, value: bool | None) -> bool:
    """Whether the drawing's boxes are insisted on; refused by a bundle that has none."""
    assert manifest.drawing is not None
    if value and not manifest.drawing.boxes:
        raise invalid("boxes", f"cannot be had: model {manifest.name!r} draws without attention boxes")
    return bool(value)


def image_count(request: GenerateRequest, limit: int) -> int:
    """How many images to draw: `n`, or as many as there are explicit latents or labels, or 1."""
    n = request.n
    if n is None:
        given = request.latents.values()
        lengths = {len(rows) for rows in given if isinstance(rows, list)}
        lengths |= set() if request.labels is None else {len(request.labels)}
        lengths |= {len(rows) for rows in given if isinstance(rows, np.ndarray) and rows.ndim}  # 0-d: none
        n = lengths.pop() if len(lengths) == 1 else 1
    return in_range("n", n, 1, limit)


def controls(manifest: Manifest, given: Mapping[str, float]) -> dict[str, float]:
    """The value of every control of the drawing: as given, or its default."""
    assert manifest.drawing is not None
    specs = {control.name: control for control in manifest.drawing.controls}
    for name, value in given.items():
        field = entry("controls", name)
        if name not in specs:
            has = f"it has: {', '.join(specs)}" if specs else "it has none"
            raise invalid(field, f"is no control of model {manifest.name!r}; {has}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise invalid(field, f"must be a number, got {str(value)[:60]!r}")
        low, high = specs[name].min, specs[name].max
        if not low <= value <= high:  # nor is it NaN
            raise invalid(field, f"must be {low:g}..{high:g}, got {value:g}")
    return {name: float(given.get(name, spec.default)) for name, spec in specs.items()}


def steps(manifest: Manifest, value: int | None) -> int:
    """Canvases to show; None takes the bundle's default."""
    assert manifest.drawing is not None
    limits = manifest.drawing.steps
    if value is None:
        return limits.default
    if not limits.min <= value <= limits.max:
        allowed = f"{limits.min}..{limits.max}" if limits.min < limits.max else f"{limits.min}"
        why = ", which draws in one step" if limits.max == 1 else ""
        raise invalid("steps", f"must be {allowed} for model {manifest.name!r}{why}, got {value}")
    return value


def label(manifest: Manifest, value: Label | None) -> int | None:
    """Index of the class to draw: needed by a conditional bundle, refused by any other."""
    if manifest.labels is None:
        if value is not None:
            raise _unconditional(manifest, "label", str(value)[:60])
        return None
    if value is None:
        count = len(manifest.labels.names)
        raise invalid(
            "label", f"is needed by model {manifest.name!r}: 0..{count - 1}, one of {count} classes"
        )
    return class_of(manifest, value, "label")


def labels(manifest: Manifest, request: GenerateRequest, n: int) -> tuple[int, ...] | int | None:
    """The classes to draw: one for each image, or one for all."""
    given = request.labels
    if given is None:
        return label(manifest, request.label)
    if request.label is not None:
        also = str(request.label)[:60]
        raise invalid("labels", f"cannot be given together with label, got {len(given)} and {also}")
    if manifest.labels is None:
        raise _unconditional(manifest, "labels", f"{len(given)} of them")
    if len(given) != n:
        raise invalid("labels", f"must have {n} entries, one for each image, got {len(given)}")
    return tuple(class_of(manifest, value, f"labels[{i}]") for i, value in enumerate(given))


def latents(
    manifest: Manifest, given: Mapping[str, object], n: int, steps: int, *, bounded: bool = True
) -> Arrays:
    """Explicit noise by name as float32 arrays, (n, *shape) or (n, calls, *shape) for noise per call.

    `bounded`: whether noise of a uniform prior must lie in its range; an encoding may lie beyond.
    """
    assert manifest.drawing is not None
    specs = {spec.name: spec for spec in manifest.drawing.noise}
    checked: dict[str, Array] = {}
    for name, values in given.items():
        field = entry("latents", name)
        if name not in specs:
            takes = f"it takes: {', '.join(specs)}" if specs else "it takes none"
            raise invalid(field, f"is not an input of model {manifest.name!r}; {takes}")
        shape = (n, *noise_shape(manifest.drawing, manifest.graphs, specs[name], steps))
        array = read_numbers(values, shape, field)
        if not np.isfinite(array).all():
            raise invalid(field, "must be finite numbers, got NaN or infinity")
        if (largest := np.abs(array).max(initial=0.0)) > MAX_LATENT:
            raise invalid(field, f"must lie in -{MAX_LATENT:,}..{MAX_LATENT:,}, got {largest:.3g} in size")
        if bounded and specs[name].prior == "uniform" and not ((array > 0) & (array < 1)).all():
            raise invalid(field, f"must lie inside (0, 1), got {array.min()}..{array.max()}")
        checked[name] = np.ascontiguousarray(array)
    return checked


def _unconditional(manifest: Manifest, field: str, got: object) -> PentimentoError:
    return invalid(field, f"cannot be given: model {manifest.name!r} is not conditional, got {got}")
