"""Do the exported graphs draw what torch draws, and does a row not depend on its batch mates?"""

__all__ = [
    "BATCHES",
    "TOLERANCE",
    "Arrays",
    "ParityError",
    "ParityFigures",
    "Session",
    "difference",
    "measure_parity",
    "refuse_large",
]

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from pentimento.bundle.noise import draw
from pentimento.training.export.graphs import ExportedGraph

BATCHES = (1, 2, 7, 64)
TOLERANCE = 1e-4
_SEED = 7
_EXTRA_STEPS = 2  # beyond those of the training

Array = NDArray[np.generic]
Arrays = Mapping[str, Array]
Run = Callable[[str, Arrays], dict[str, Array]]


class ParityError(Exception):
    """The graphs differ from the model; the message is one sentence with the figure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParityFigures:
    """Largest differences over all outputs of all calls of a drawing, and of its scores.

    Absolute for values up to 1, such as canvases; relative for larger ones, such as the logits of a canvas,
    whose float32 rounding grows with their size.
    """

    torch_vs_onnxruntime: float
    batched_vs_single: float


class Session:
    """An ONNX graph, run by one thread as the server does."""

    def __init__(self, data: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self.inputs = self._session.get_inputs()
        self.outputs = self._session.get_outputs()

    def run(self, feeds: Arrays) -> dict[str, Array]:
        """Calls the graph; `feeds` may hold more than it takes."""
        names = [node.name for node in self.outputs]
        values = self._session.run(names, {node.name: feeds[node.name] for node in self.inputs})
        return dict(zip(names, values, strict=True))


def measure_parity(graphs: Mapping[str, ExportedGraph], trained_steps: int) -> ParityFigures:
    """Draws whole images at several batch sizes, in torch and in ONNX Runtime, and compares everything.

    Besides batches whose rows are all at the same step, each size is tried with rows at different steps.

    Args:
        graphs: `init`, `step`, and `score` if there is one.
        trained_steps: Number of steps the model was trained with.

    Raises:
        ParityError: A difference exceeds `TOLERANCE`.
    """
    sessions = {name: Session(graph.data) for name, graph in graphs.items()}

    def in_onnx(name: str, feeds: Arrays) -> dict[str, Array]:
        return sessions[name].run(feeds)

    def in_torch(name: str, feeds: Arrays) -> dict[str, Array]:
        source = graphs[name].source
        device = next(iter(source.inputs.values())).device
        results = source.run({key: torch.from_numpy(feeds[key]).to(device) for key in source.inputs})
        return {key: value.cpu().numpy() for key, value in results.items()}

    steps = trained_steps + _EXTRA_STEPS
    noise = _noise(graphs, max(BATCHES), steps)
    alone = [_trace(in_onnx, noise, [row], steps, "score" in graphs) for row in range(max(BATCHES))]
    between_runtimes = between_batches = 0.0
    for rows in BATCHES:
        together = _trace(in_onnx, noise, list(range(rows)), steps, "score" in graphs)
        expected = _trace(in_torch, noise, list(range(rows)), steps, "score" in graphs)
        for t, call in enumerate(together):
            between_runtimes = max(between_runtimes, difference(call.outputs, expected[t].outputs))
            singles = _stack([alone[row][t].outputs for row in range(rows)])
            between_batches = max(between_batches, difference(call.outputs, singles))
        # Row i at step i mod steps, each with the state it had there when drawn alone.
        chosen = [alone[row][1 + row % steps] for row in range(rows)]
        mixed = in_onnx("step", _stack([call.feeds for call in chosen]))
        singles = _stack([{key: call.outputs[key] for key in mixed} for call in chosen])
        between_batches = max(between_batches, difference(mixed, singles))
    return refuse_large(
        ParityFigures(torch_vs_onnxruntime=between_runtimes, batched_vs_single=between_batches)
    )


def refuse_large(figures: ParityFigures) -> ParityFigures:
    """The figures, if they are within the tolerance.

    Raises:
        ParityError: A difference exceeds `TOLERANCE`.
    """
    for what, value in (
        ("torch and ONNX Runtime", figures.torch_vs_onnxruntime),
        ("a batch and its rows drawn alone", figures.batched_vs_single),
    ):
        if not value <= TOLERANCE:  # also when it is not a number
            raise ParityError(
                f"{what} differ by {value:.2e}, more than {TOLERANCE:.0e}: the export is refused"
            )
    return figures


@dataclass(frozen=True, slots=True)
class _Call:
    feeds: dict[str, Array]
    outputs: dict[str, Array]


def _noise(graphs: Mapping[str, ExportedGraph], rows: int, steps: int) -> dict[str, Array]:
    noise: dict[str, Array] = {}
    if "latent" in (inputs := graphs["init"].source.inputs):
        noise["latent"] = draw(_SEED, "latent", inputs["latent"].shape[1:], rows=range(rows))
    if "noise" in (inputs := graphs["step"].source.inputs):
        noise["noise"] = draw(_SEED, "noise", (steps, *inputs["noise"].shape[1:]), rows=range(rows))
    return noise


def _trace(run: Run, noise: Arrays, rows: list[int], steps: int, scored: bool) -> list[_Call]:
    """All calls of a drawing: `init`, then `steps` times `step`, each followed by `score`."""
    values: dict[str, Array] = {"t": np.zeros(len(rows), dtype=np.int64)}
    if "latent" in noise:
        values["latent"] = noise["latent"][rows]
    calls = [_Call(dict(values), run("init", values))]
    for t in range(steps):
        for name, value in calls[-1].outputs.items():
            if name.startswith("next."):
                values["state." + name.removeprefix("next.")] = value
        values["t"] = np.full(len(rows), t, dtype=np.int64)
        if "noise" in noise:
            values["noise"] = noise["noise"][rows, t]
        outputs = run("step", values)
        if scored:
            outputs |= run("score", {"image": outputs["canvas"]})
        calls.append(_Call(dict(values), outputs))
    return calls


def _stack(parts: list[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def difference(ours: Arrays, theirs: Arrays) -> float:
    """The largest difference between arrays of the same names, as `ParityFigures` counts it."""
    worst = 0.0
    for name, value in ours.items():
        difference = np.abs(value - theirs[name]) / np.maximum(1, np.abs(theirs[name]))
        worst = float(np.maximum(worst, difference.max()))  # keeps NaN
    return worst
