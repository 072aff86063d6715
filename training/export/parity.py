"""Compares exported graphs with torch, and rows of a batch with the same rows drawn alone."""

__all__ = ["BATCHES", "TOLERANCE", "ParityError", "ParityFigures", "Session", "difference", "measure_parity"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pentimento.bundle.drawing import KNOWN, KNOWN_MASK, Drawing
from pentimento.bundle.graphs import GraphSpec, TensorSpec
from pentimento.bundle.noise import draw, draw_noise
from pentimento.training.export.graphs import ExportedGraph
from pentimento.training.export.replay import Array, Arrays, Call, replay
from pentimento.training.export.session import Session

BATCHES = (1, 2, 7, 64)
TOLERANCE = 1e-4
_SEED = 7
_EXTRA_STEPS = 2  # beyond those of the training
_READERS = ("score", "score_group", "encode", "likelihood")  # graphs that take a given image

Run = Callable[[str, Arrays], dict[str, Array]]


class ParityError(Exception):
    """The exported graphs differ from the networks; the message is one sentence with the figure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParityFigures:
    """Largest differences over all outputs of all calls: of a drawing, and of the graphs that read images.

    Absolute for values up to 1, such as canvases; relative for larger ones, such as the logits of a canvas,
    whose float32 rounding grows with their size.
    """

    torch_vs_onnxruntime: float
    batched_vs_single: float


def measure_parity(
    graphs: Mapping[str, ExportedGraph],
    entries: Mapping[str, GraphSpec],
    drawing: Drawing | None,
    images: NDArray[np.float32],
    class_count: int = 0,
    tolerance: float = TOLERANCE,
) -> ParityFigures:
    """Draws whole pictures at several batch sizes, in torch and in ONNX Runtime, and compares every output.

    Canvases are scored where there is a scorer, given images are read by every graph that reads them, and
    half of a picture is given where a drawing can be completed. Besides batches whose rows are at the same
    step, rows at different steps share calls, as in the server.

    Args:
        graphs: All graphs of a bundle.
        entries: The same as the manifest lists them.
        drawing: The manifest's plan of a drawing; None for a bundle that does not draw.
        images: At least one, as the model sees them, (N, C, H, W); repeated if a batch needs more.
        class_count: K, for models that are told a class; the rows of a batch then differ in it. Else 0.
        tolerance: The largest difference that is taken.

    Returns:
        The largest differences found.

    Raises:
        ParityError: A difference exceeds the tolerance.
    """
    sessions = {name: Session(graph.data, graph.weights) for name, graph in graphs.items()}

    def in_onnx(name: str, feeds: Arrays) -> dict[str, Array]:
        return sessions[name].run(feeds)

    def in_torch(name: str, feeds: Arrays) -> dict[str, Array]:
        source = graphs[name].source
        results = source.run({key: torch.from_numpy(feeds[key]) for key in source.inputs})
        return {key: value.numpy() for key, value in results.items()}

    # Pixels that are drawn by comparing noise with a probability would turn a rounding into another picture:
    # there torch is asked with ONNX Runtime's inputs, call by call. Elsewhere it carries its own state.
    carried = drawing is None or all(noise.prior == "normal" for noise in drawing.noise)
    trial = _Trial(entries, drawing, images, class_count)
    alone = [trial.calls(in_onnx, [row]) for row in range(max(BATCHES))]
    between_runtimes = between_batches = 0.0
    for count in BATCHES:
        rows = list(range(count))
        together = trial.calls(in_onnx, rows)
        if carried:
            expected = [call.outputs for call in trial.calls(in_torch, rows)]
        else:
            expected = [in_torch(call.graph, call.feeds) for call in together]
        for index, call in enumerate(together):
            between_runtimes = max(between_runtimes, difference(call.outputs, expected[index]))
            singles = _stack([alone[row][index].outputs for row in rows])
            between_batches = max(between_batches, difference(call.outputs, singles))
    for name in graphs:
        at = [index for index, call in enumerate(alone[0]) if call.graph == name]
        chosen = [calls[at[row % len(at)]] for row, calls in enumerate(alone)]
        mixed = in_onnx(name, _stack([call.feeds for call in chosen]))
        between_batches = max(between_batches, difference(mixed, _stack([call.outputs for call in chosen])))
    return _refuse_large(
        ParityFigures(torch_vs_onnxruntime=between_runtimes, batched_vs_single=between_batches), tolerance
    )


class _Trial:
    """The calls to compare, the same for any rows: a drawing with scores, then graphs that read images."""

    def __init__(
        self,
        entries: Mapping[str, GraphSpec],
        drawing: Drawing | None,
        images: NDArray[np.float32],
        class_count: int,
    ) -> None:
        rows = max(BATCHES)
        self._entries, self._drawing = entries, drawing
        image = images[np.arange(rows) % len(images)].astype(np.float32)
        mask = np.zeros((rows, 1, *image.shape[2:]), np.float32)
        mask[1::2, :, : image.shape[2] // 2] = 1  # every other row completes the lower half of an image
        self._values: dict[str, Array] = {
            KNOWN: image * mask,
            KNOWN_MASK: mask,
            "image": image,
            "label": np.arange(rows) % max(class_count, 1),
        }
        self._steps, self._noise = 1, {}
        if drawing is not None:
            self._values |= {
                each.name: np.linspace(each.min, each.max, rows, dtype=np.float32)
                for each in drawing.controls
            }
            self._steps = min(drawing.steps.trained + _EXTRA_STEPS, drawing.steps.max)
            self._noise = draw_noise(drawing, dict(entries), seed=_SEED, rows=range(rows), steps=self._steps)
        self._reading = {
            name: {tensor.name: self._given(tensor, rows) for tensor in entries[name].inputs}
            for name in _READERS
            if name in entries
        }

    def _given(self, tensor: TensorSpec, rows: int) -> Array:
        """What a graph that reads images is given for an input, of any shape."""
        known = self._values.get(tensor.name)
        if tensor.name == "t":
            return np.arange(rows) % self._steps
        if known is not None and known.shape[1:] == tensor.shape:
            return known
        if known is not None and tensor.name == "image":  # a group of images in each row
            return known[(np.arange(rows)[:, None] + np.arange(tensor.shape[0])) % rows]
        return draw(_SEED, f"{tensor.name} of a reader", tensor.shape, rows=range(rows))

    def calls(self, run: Run, rows: Sequence[int]) -> list[Call]:
        """Makes all calls for these rows and returns them in order; `run` computes a graph's outputs."""
        values = {name: value[rows] for name, value in self._values.items()}
        made: list[Call] = []
        if self._drawing is not None:
            noise = {name: value[rows] for name, value in self._noise.items()}
            drawn = replay(
                self._drawing,
                self._entries,
                run,
                values=values,
                noise=noise,
                rows=len(rows),
                steps=self._steps,
            )
            shown = 0
            for call in drawn:
                made.append(call)
                if call.shows and "score" in self._entries:
                    step = {"image": call.outputs["canvas"], "t": np.full(len(rows), shown)}
                    made.append(self._read("score", run, values | noise | step))
                    shown += 1
        for name, given in self._reading.items():
            made.append(self._read(name, run, {key: value[rows] for key, value in given.items()}))
        return made

    def _read(self, name: str, run: Run, values: Arrays) -> Call:
        feeds = {tensor.name: values[tensor.name] for tensor in self._entries[name].inputs}
        return Call(graph=name, shows=False, feeds=feeds, outputs=run(name, feeds))


def _stack(parts: Sequence[Arrays]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def difference(ours: Arrays, theirs: Arrays) -> float:
    """Largest difference between two sets of outputs, as `ParityFigures` counts it; NaN if there is a NaN."""
    worst = 0.0
    for name, value in ours.items():
        difference = np.abs(value - theirs[name]) / np.maximum(1, np.abs(theirs[name]))
        worst = float(np.maximum(worst, difference.max()))  # keeps NaN
    return worst


def _refuse_large(figures: ParityFigures, tolerance: float) -> ParityFigures:
    for what, value in (
        ("torch and ONNX Runtime", figures.torch_vs_onnxruntime),
        ("a batch and its rows drawn alone", figures.batched_vs_single),
    ):
        if not value <= tolerance:  # also when it is not a number
            raise ParityError(
                f"{what} differ by {value:.2e}, more than {tolerance:.0e}: the export is refused"
            )
    return figures
