"""Do the graphs of a likelihood model draw, encode and judge as torch does, whatever the batch?"""

__all__ = ["BATCHES", "measure_likelihood_parity"]

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pentimento.bundle.drawing import KNOWN, KNOWN_MASK, Drawing
from pentimento.bundle.graphs import state_name
from pentimento.bundle.noise import draw
from pentimento.training.export.graphs import ExportedGraph
from pentimento.training.export.parity import ParityFigures, Session, difference, refuse_large

BATCHES = (1, 2, 7, 32)
_SEED = 7

Array = NDArray[np.generic]
_Calls = list[tuple[str, dict[str, Array], dict[str, Array]]]  # graph, inputs, outputs


def measure_likelihood_parity(
    graphs: Mapping[str, ExportedGraph], drawing: Drawing | None, images: NDArray[np.float32]
) -> ParityFigures:
    """Compares everything that the graphs put out, in whole drawings and for given images.

    Drawings are of several sizes; in some, half of the picture is given. Besides, rows at different t share
    calls.

    Args:
        graphs: All graphs.
        drawing: How a drawing runs, or None.
        images: As many as the largest batch or more, as the model sees them, (N, 1, H, W).

    Raises:
        ParityError: A difference exceeds the tolerance.
    """
    sessions = {name: Session(graph.data) for name, graph in graphs.items()}
    between_runtimes = between_batches = 0.0
    everything = images[: max(BATCHES)].astype(np.float32)
    phases = () if drawing is None else drawing.phases
    calls = [(phase.graph, t) for phase in phases for t in range(drawing.calls(phase, 1) if drawing else 0)]
    calls += [(name, 0) for name in ("encode", "likelihood") if name in graphs]
    alone = [_trace(sessions, graphs, calls, everything, [row]) for row in range(max(BATCHES))]
    for rows in BATCHES:
        together = _trace(sessions, graphs, calls, everything, list(range(rows)))
        for index, (name, feeds, outputs) in enumerate(together):
            singles = _stack([alone[row][index][2] for row in range(rows)])
            between_batches = max(between_batches, difference(outputs, singles))
            source = graphs[name].source
            # From the same inputs, call by call: a pixel's draw would otherwise carry a difference along.
            expected = source.run({key: torch.from_numpy(feeds[key]) for key in source.inputs})
            theirs = {key: value.numpy() for key, value in expected.items()}
            between_runtimes = max(between_runtimes, difference(outputs, theirs))
    for phase in phases:
        indices = [index for index, (name, _) in enumerate(calls) if name == phase.graph]
        chosen = [alone[row][indices[row % len(indices)]] for row in range(len(alone))]
        mixed = sessions[phase.graph].run(_stack([feeds for _, feeds, _ in chosen]))
        singles = _stack([outputs for _, _, outputs in chosen])
        between_batches = max(between_batches, difference(mixed, singles))
    return refuse_large(
        ParityFigures(torch_vs_onnxruntime=between_runtimes, batched_vs_single=between_batches)
    )


def _trace(
    sessions: Mapping[str, Session],
    graphs: Mapping[str, ExportedGraph],
    calls: Sequence[tuple[str, int]],
    images: NDArray[np.float32],
    rows: list[int],
) -> _Calls:
    # Every other row completes the lower half of an image.
    mask = np.zeros((len(rows), *images.shape[1:]), np.float32)
    mask[:, :, : images.shape[2] // 2] = np.array([row % 2 for row in rows], np.float32)[:, None, None, None]
    values: dict[str, Array] = {KNOWN: images[rows] * mask, KNOWN_MASK: mask, "image": images[rows]}
    values["label"] = np.array(rows, np.int64) % 2  # there are two classes at least
    trace: _Calls = []
    for name, t in calls:
        values["t"] = np.full(len(rows), t, dtype=np.int64)
        for key, example in graphs[name].source.inputs.items():
            if key in ("latent", "noise", "map_noise", "eps"):
                prior = "uniform" if key == "noise" else "normal"
                each = [
                    draw(_SEED, f"{key} {name} {t}", example.shape[1:], rows=range(row, row + 1), prior=prior)
                    for row in rows
                ]
                values[key] = np.concatenate(each)
        feeds = {key: values[key] for key in graphs[name].source.inputs}
        outputs = sessions[name].run(feeds)
        values |= {state_name(key): value for key, value in outputs.items() if key.startswith("next.")}
        trace.append((name, feeds, outputs))
    return trace


def _stack(parts: list[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
