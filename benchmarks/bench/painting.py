"""Draws by hand: a bundle's graphs called in a bare loop, as one would write it for GRAN or a row model.

No engine, no plan, no stream; the sessions are the server's own, so that the graphs cost the same everywhere.
"""

__all__ = ["Painter", "encode", "read_painters"]

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.store import read_bundle
from pentimento.service.engine.runtime import Runtime
from pentimento.service.operations.codec import encode_pngs

Floats = NDArray[np.float32]


class Painter:
    """Draws with a bundle that begins with one call of `init` and goes on with calls of `step`.

    Args:
        folder: The bundle's.

    Raises:
        ValueError: The bundle is not drawn like that.
    """

    def __init__(self, folder: Path) -> None:
        bundle = read_bundle(folder)
        manifest = bundle.manifest
        drawing = manifest.drawing
        if drawing is None or [phase.graph for phase in drawing.phases] != ["init", "step"]:
            raise ValueError(f"bundle {manifest.name!r} is not drawn by init and step")
        graphs = Runtime(provider="cpu").load(bundle)
        self._init, self._step = graphs["init"].run, graphs["step"].run
        self._noise, self._calls = drawing.noise, drawing.phases[1].calls
        # What a drawing that completes a picture would be given: nothing here.
        self._zeros = {
            tensor.name: tensor.shape
            for tensor in manifest.graphs["step"].inputs
            if tensor.name.startswith("known")
        }

    def calls(self, steps: int) -> int:
        """Number of calls of `step` in a drawing of `steps` canvases."""
        return steps if isinstance(self._calls, str) else self._calls

    def noise(self, rows: int, steps: int, seed: int | None = None) -> dict[str, Floats]:
        """Draws noise by name, of shape (rows, ...), or (rows, calls, ...) where each call takes its own."""
        generator = np.random.default_rng(seed)
        drawn = {}
        for spec in self._noise:
            calls = (self.calls(steps),) if spec.per == "call" else ()
            shape = (rows, *calls, *spec.shape)
            draw = generator.standard_normal if spec.prior == "normal" else generator.random
            drawn[spec.name] = draw(shape, dtype=np.float32)
        return drawn

    def draw(self, noise: dict[str, Floats], steps: int) -> Iterator[Floats]:
        """Yields `steps` canvases in [0, 1], shape (rows, C, H, W), each as soon as it is drawn."""
        whole = {spec.name: noise[spec.name] for spec in self._noise if spec.per == "drawing"}
        single = [spec.name for spec in self._noise if spec.per == "call"]
        rows, calls = len(next(iter(noise.values()))), self.calls(steps)
        zeros = {name: np.zeros((rows, *shape), np.float32) for name, shape in self._zeros.items()}
        state = _state(self._init(whole))
        shown = 1
        for t in range(calls):
            feeds = {name: noise[name][:, t] for name in single}
            out = self._step(state | zeros | feeds | {"t": np.full(rows, t, np.int64)})
            state |= _state(out)
            if (t + 1) * steps >= shown * calls:  # even parts, the last call shows
                shown += 1
                yield out["canvas"]


def _state(outputs: dict[str, Floats]) -> dict[str, Floats]:
    """The state that a call put out, under the names of the next call's inputs."""
    return {f"state.{name[5:]}": value for name, value in outputs.items() if name.startswith("next.")}


def encode(canvases: Sequence[Floats]) -> list[list[bytes]]:
    """Encodes canvases as PNGs, all in one call, which is cheapest.

    Args:
        canvases: One array of shape (rows, C, H, W) for each step.

    Returns:
        A list of `rows` files for each step.
    """
    rows = len(canvases[0])
    files = encode_pngs(np.concatenate(canvases))
    return [files[start : start + rows] for start in range(0, len(files), rows)]


def read_painters(bundles: Path) -> dict[str, Painter]:
    """A painter for every bundle of a folder, by name."""
    return {folder.name: Painter(folder) for folder in sorted(bundles.iterdir())}
