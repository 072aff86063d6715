"""What the scorer of a bundle judges besides a picture: its latents, the step, a group of pictures."""

__all__ = ["SCORE", "SCORE_GROUP", "check_scorer", "judged_noise", "judges"]

from collections.abc import Mapping
from typing import Protocol

from pentimento.bundle.drawing import Drawing, NoiseSpec
from pentimento.bundle.facts import ImageSpec, Scorer
from pentimento.bundle.graphs import GraphSpec, TensorSpec

SCORE, SCORE_GROUP = "score", "score_group"
"""Graphs that judge: a picture a row, or a group of pictures a row."""

MAX_GROUP = 64  # images that one row of `score_group` may hold: a row is computed whole, whatever is asked


class Judged(Protocol):
    """The parts of a manifest that a scorer is about."""

    @property
    def image(self) -> ImageSpec: ...
    @property
    def graphs(self) -> Mapping[str, GraphSpec]: ...
    @property
    def drawing(self) -> Drawing | None: ...
    @property
    def scorer(self) -> Scorer | None: ...


def judged_noise(manifest: Judged) -> tuple[NoiseSpec, ...]:
    """The noises of the drawing that the scorer takes with a picture; none without a scorer of pairs."""
    if SCORE not in manifest.graphs or manifest.drawing is None:
        return ()
    score = manifest.graphs[SCORE]
    return tuple(noise for noise in manifest.drawing.noise if score.input(noise.name) is not None)


def judges(manifest: Judged) -> bool:
    """Whether a server can offer the scorer: all that it takes must be known of a drawing or a request.

    A scorer that takes `t` or noise of each call knows the calls of the trained steps, so their number must
    be fixed: a drawing of as many calls as steps are asked for could have others.
    """
    if manifest.scorer is None or (manifest.scorer.group_size and SCORE_GROUP not in manifest.graphs):
        return False
    drawing = manifest.drawing
    grows = drawing is not None and any(phase.calls == "steps" for phase in drawing.phases)
    by_call = any(noise.per == "call" for noise in judged_noise(manifest))
    if grows and (by_call or manifest.graphs[SCORE].input("t") is not None):
        return False
    known = {"image", "label", "t", *(noise.name for noise in judged_noise(manifest))}
    return {tensor.name for tensor in manifest.graphs[SCORE].inputs} <= known


def check_scorer(manifest: Judged) -> None:
    """Checks the latents, the step and the group that a scorer takes.

    Raises:
        ValueError: One has another shape or type than in the drawing, or a group has no size.
    """
    graphs, scorer = manifest.graphs, manifest.scorer
    if SCORE_GROUP in graphs and (scorer is None or scorer.group_size is None):
        raise ValueError("a `score_group` graph needs `scorer.group_size`")
    step = graphs[SCORE].input("t") if SCORE in graphs else None
    if step is not None and (step.dtype, step.shape) != ("int64", ()):
        raise ValueError("graph 'score': 't' must be int64 of shape (B,)")
    taken = {noise.name: _shape(manifest, noise) for noise in judged_noise(manifest)}
    for name, shape in taken.items():
        _expect(graphs[SCORE].input(name), SCORE, name, shape)
    if SCORE_GROUP not in graphs or scorer is None or scorer.group_size is None:
        return
    group, size = graphs[SCORE_GROUP], scorer.group_size
    if size > MAX_GROUP:
        raise ValueError(f"a graph judges at most {MAX_GROUP} images together, got a group_size of {size}")
    for name, shape in {"image": manifest.image.shape, **taken}.items():
        _expect(group.input(name), SCORE_GROUP, name, (size, *shape))
    strange = sorted({tensor.name for tensor in group.inputs} - {"image", *taken})
    if strange:
        raise ValueError(f"graph {SCORE_GROUP!r} takes {strange[0]!r}, which nothing provides")
    _expect(group.output("logit"), SCORE_GROUP, "logit", (size,))


def _shape(manifest: Judged, noise: NoiseSpec) -> tuple[int, ...]:
    """Shape of a noise for one row: of one per call, for the calls of the trained steps."""
    assert manifest.drawing is not None
    calls = manifest.drawing.noise_calls(noise, manifest.drawing.steps.trained, dict(manifest.graphs))
    return noise.shape if calls is None else (calls, *noise.shape)


def _expect(spec: TensorSpec | None, graph: str, name: str, shape: tuple[int, ...]) -> None:
    if spec is None:
        raise ValueError(f"graph {graph!r} lacks {name!r}")
    if (spec.dtype, spec.shape) != ("float32", shape):
        raise ValueError(
            f"graph {graph!r}: {name!r} must be float32 of shape {shape} a row, got {spec.shape}"
        )
