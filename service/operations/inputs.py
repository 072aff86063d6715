"""The tensors that a request starts from: what it gives, and the noise that its seed gives, row by row."""

__all__ = ["Inputs", "as_group", "chosen", "drawing_noise", "eps", "labels", "last_call", "nothing_known"]

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pentimento.bundle.drawing import KNOWN, KNOWN_MASK, STEPS
from pentimento.bundle.manifest import Manifest, output_values
from pentimento.bundle.noise import draw, draw_noise, noise_shape
from pentimento.service.engine.engine import Submission
from pentimento.service.engine.job import Call
from pentimento.service.engine.rows import Array, Arrays

_SHARED = 8  # rows; of calls with half as many, a row costs a good deal more


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """The tensors that n rows start from: given ones, and noise that is drawn once there is room for them.

    Noise is drawn by row: so neither the parts that a request is drawn in, nor the batches that these join,
    can change a picture.
    """

    n: int
    given: Arrays  # (n, ...) each
    noise: Callable[[range], Mapping[str, Array]]  # for some of the rows
    noise_values: int = 0  # how many numbers that are for a row: whether drawing them takes long

    def parts(self, plan: Sequence[Call], lanes: int = 1) -> list[range]:
        """Splits the rows into parts, each of which becomes a job; their sizes differ by one row at most.

        Args:
            plan: Its graphs say how many rows a part may have.
            lanes: Parts there may be besides, so that all lanes draw, of `_SHARED` rows at least.
        """
        if self.n == 1:
            return [range(1)]
        most = min(call.graph.max_rows for call in plan)
        count = max(math.ceil(self.n / most), min(lanes, self.n // _SHARED))
        bounds = [self.n * i // count for i in range(count + 1)]
        return [range(start, stop) for start, stop in itertools.pairwise(bounds)]

    def submission(self, plan: Sequence[Call], rows: range) -> Submission:
        """One part, with its noise, which is drawn here; without a thread, that can take long."""
        tensors = {name: values[rows.start : rows.stop] for name, values in self.given.items()}
        tensors.update(self.noise(rows))
        return Submission(rows=len(rows), plan=plan, tensors=tensors)


def drawing_noise(
    manifest: Manifest,
    seed: int,
    steps: int,
    *,
    seeds: Mapping[str, int] | None = None,
    given: Arrays | None = None,
) -> Callable[[range], dict[str, Array]]:
    """Makes the function that draws a drawing's noise for some rows.

    Args:
        manifest: Of the bundle that draws.
        seed: Of the request.
        steps: Canvases shown.
        seeds: By noise name, where they differ from `seed`.
        given: Explicit noise by name, for all n rows.

    Returns:
        From a range of rows to arrays by noise name, (rows, ...).
    """
    drawing = manifest.drawing
    assert drawing is not None

    def noise(rows: range) -> dict[str, Array]:
        part = {name: values[rows.start : rows.stop] for name, values in (given or {}).items()}
        drawn = draw_noise(
            drawing, manifest.graphs, seed=seed, rows=rows, steps=steps, seeds=seeds, given=part
        )
        return dict(drawn)

    return noise


def eps(
    manifest: Manifest, graph: str, seed: int, *, calls: range | None = None
) -> Callable[[range], Arrays]:
    """Makes the function that draws the input `eps`, standard normal, of a graph that reads images.

    Args:
        manifest: Of the bundle that is asked.
        graph: Name of the graph; if it takes no `eps`, nothing is drawn.
        seed: Of the request.
        calls: Some of the calls of the graph, for each of which there is a draw; None for the only one.

    Returns:
        From a range of rows to `eps`, (rows, ...), or (rows, len(calls), ...).
    """
    spec = manifest.graphs[graph].input("eps")
    if spec is None:
        return lambda _: {}
    shape = spec.shape if calls is None else (len(calls), *spec.shape)
    start = 0 if calls is None else calls.start * math.prod(spec.shape)
    return lambda rows: {"eps": draw(seed, "eps", shape, rows=rows, start=start)}


def noise_values(manifest: Manifest, steps: int) -> int:
    """How many random numbers one row of a drawing takes."""
    drawing = manifest.drawing
    assert drawing is not None
    return sum(math.prod(noise_shape(drawing, manifest.graphs, spec, steps)) for spec in drawing.noise)


def given_values(manifest: Manifest) -> int:
    """How many numbers one row of a drawing may be given besides its noise: a picture, a mask."""
    reads = "encode" in manifest.graphs or (manifest.drawing is not None and manifest.drawing.completion)
    return 2 * image_values(manifest) if reads else 0


def eps_values(manifest: Manifest, graph: str) -> int:
    """How many numbers `eps` has for one row of a graph that reads images."""
    spec = manifest.graphs[graph].input("eps")
    return 0 if spec is None else math.prod(spec.shape)


def image_values(manifest: Manifest) -> int:
    """Numbers of a picture, C * H * W."""
    return math.prod(manifest.image.shape)


def frame_values(manifest: Manifest) -> int:
    """Numbers of a frame for one picture: the canvas, and what comes with it."""
    return image_values(manifest) + output_values(manifest)


def put_out_values(manifest: Manifest, graph: str) -> int:
    """How many numbers a graph puts out for a row."""
    return sum(math.prod(tensor.shape) for tensor in manifest.graphs[graph].outputs)


def judged_values(manifest: Manifest) -> int:
    """How many numbers a scorer takes for a picture, with its latents."""
    return sum(math.prod(tensor.shape) for tensor in manifest.graphs["score"].inputs)


def labels(label: Sequence[int] | int | None, n: int) -> dict[str, Array]:
    """The input `label` of all rows, int64, (n,): one class for all, or one for each; {} without a label."""
    return {} if label is None else {"label": np.full(n, label, dtype=np.int64)}


def chosen(manifest: Manifest, controls: Mapping[str, float], n: int, steps: int) -> dict[str, Array]:
    """What a request has chosen, a value a row: its controls, float32, and the canvases it shows, int64."""
    values: dict[str, Array] = {name: np.full(n, value, dtype=np.float32) for name, value in controls.items()}
    drawing = manifest.drawing
    assert drawing is not None
    if any(manifest.graphs[phase.graph].input(STEPS) for phase in drawing.phases):
        values[STEPS] = np.full(n, steps, dtype=np.int64)
    return values


def as_group(given: Arrays, size: int) -> dict[str, Array]:
    """Images and latents, (n, ...) each, as one row of a judge of groups, (1, size, ...).

    What is missing is zero: no prefix before it sees it.
    """
    return {
        name: np.concatenate([values, np.zeros((size - len(values), *values.shape[1:]), values.dtype)])[None]
        for name, values in given.items()
    }


def last_call(manifest: Manifest) -> int:
    """Index of the call that makes the last canvas of a drawing of the trained steps; 0 without a drawing."""
    drawing = manifest.drawing
    return 0 if drawing is None else drawing.calls(drawing.showing, drawing.steps.trained) - 1


def nothing_known(manifest: Manifest, n: int) -> dict[str, Array]:
    """Inputs of a model that can complete pictures, for a drawing from noise alone: no pixel is given."""
    if manifest.drawing is None or manifest.drawing.completion is None:
        return {}
    channels, height, width = manifest.image.shape
    return {
        KNOWN: np.zeros((n, channels, height, width), dtype=np.float32),
        KNOWN_MASK: np.zeros((n, 1, height, width), dtype=np.float32),
    }
