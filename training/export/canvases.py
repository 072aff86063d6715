"""Draws with a bundle's ONNX graphs as a server would, without one and without torch."""

__all__ = ["asked_labels", "draw_canvases"]

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.drawing import KNOWN, KNOWN_MASK
from pentimento.bundle.manifest import Manifest
from pentimento.bundle.noise import draw_noise
from pentimento.bundle.store import Bundle
from pentimento.training.export.replay import Array, Arrays, replay
from pentimento.training.export.session import Session

_CHUNK_ROWS = 250


def asked_labels(manifest: Manifest, rows: range) -> NDArray[np.int64]:
    """The classes that these rows of a drawing are asked for, (len(rows),): all in turn; 0 without labels."""
    class_count = len(manifest.labels.names) if manifest.labels else 1
    return np.arange(rows.start, rows.stop, dtype=np.int64) % class_count


def draw_canvases(
    bundle: Bundle,
    *,
    rows: int,
    seed: int,
    step_count: int | None = None,
    controls: Mapping[str, float] | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Draws the images that a server would for one request with this seed.

    Args:
        bundle: A bundle that draws; one with labels is asked for all of them in turn.
        rows: Number of drawings.
        seed: Seed of the noise.
        step_count: Canvases of each drawing, by default the bundle's default.
        controls: Values of the bundle's controls, by default their defaults.

    Yields:
        Chunks of canvases in [0, 1], shape (rows of the chunk, T, C, H, W), at most 250 rows each.

    Raises:
        ValueError: The bundle does not draw at all, or not in so many steps.
    """
    drawing = bundle.manifest.drawing
    if drawing is None:
        raise ValueError(f"bundle {bundle.manifest.name!r} does not draw")
    steps = step_count or drawing.steps.default
    if not drawing.steps.min <= steps <= drawing.steps.max:
        raise ValueError(f"steps must be {drawing.steps.min}..{drawing.steps.max}, got {steps}")
    called = {phase.graph for phase in drawing.phases}
    sessions = {name: Session(bundle.graphs[name], bundle.weights) for name in called}

    def run(name: str, feeds: Arrays) -> dict[str, Array]:
        return sessions[name].run(feeds)

    graphs, (_, height, width) = bundle.manifest.graphs, bundle.manifest.image.shape
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = range(start, min(start + _CHUNK_ROWS, rows))
        values: dict[str, Array] = {  # nothing is given: a drawing from nothing
            KNOWN: np.zeros((len(chunk), *bundle.manifest.image.shape), np.float32),
            KNOWN_MASK: np.zeros((len(chunk), 1, height, width), np.float32),
            "label": asked_labels(bundle.manifest, chunk),
            **{name: np.full(len(chunk), value, np.float32) for name, value in (controls or {}).items()},
        }
        noise = draw_noise(drawing, graphs, seed=seed, rows=chunk, steps=steps)
        calls = replay(drawing, graphs, run, values=values, noise=noise, rows=len(chunk), steps=steps)
        canvases = [call.outputs["canvas"] for call in calls if call.shows]
        # A phase that shows with a fixed number of calls reveals the picture in even parts.
        shown = [canvases[-(-len(canvases) * step // steps) - 1] for step in range(1, steps + 1)]
        yield np.stack(shown, axis=1).astype(np.float32, copy=False)
