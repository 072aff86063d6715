"""Do the graphs of a one-shot generator draw and judge as torch does, whatever the batch?"""

__all__ = ["BATCHES", "measure_one_shot_parity"]

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from pentimento.bundle.noise import draw
from pentimento.training.export.graphs import ExportedGraph
from pentimento.training.export.parity import BATCHES, Array, ParityFigures, Session, difference, refuse_large

_SEED = 7


def measure_one_shot_parity(
    graphs: Mapping[str, ExportedGraph], images: NDArray[np.float32], class_count: int
) -> ParityFigures:
    """Draws, and judges drawings and given images, at several batch sizes.

    Args:
        graphs: `step`, and `score` if there is one.
        images: As many as the largest batch or more, in [0, 1], (N, C, H, W).
        class_count: K; rows of a batch are of different classes. 0 without.

    Raises:
        ParityError: A difference exceeds the tolerance.
    """
    sessions = {name: Session(graph.data) for name, graph in graphs.items()}
    rows = max(BATCHES)
    latent = draw(_SEED, "latent", graphs["step"].source.inputs["latent"].shape[1:], rows=range(rows))
    values: dict[str, Array] = {"latent": latent, "label": np.arange(rows) % max(class_count, 1)}
    drawn = sessions["step"].run(values)["canvas"]
    readings = {"of drawings": drawn, "of images": images[:rows]} if "score" in graphs else {}
    calls = [("step", values)] + [("score", values | {"image": image}) for image in readings.values()]
    between_runtimes = between_batches = 0.0
    for name, feeds in calls:
        source = graphs[name].source
        feeds = {key: feeds[key] for key in source.inputs}
        singles = [sessions[name].run(_rows(feeds, row, row + 1)) for row in range(rows)]
        alone = {key: np.concatenate([single[key] for single in singles]) for key in source.outputs}
        for count in BATCHES:
            some = _rows(feeds, 0, count)
            together = sessions[name].run(some)
            expected = source.run({key: torch.from_numpy(value) for key, value in some.items()})
            theirs = {key: value.numpy() for key, value in expected.items()}
            between_runtimes = max(between_runtimes, difference(together, theirs))
            between_batches = max(between_batches, difference(together, _rows(alone, 0, count)))
    return refuse_large(
        ParityFigures(torch_vs_onnxruntime=between_runtimes, batched_vs_single=between_batches)
    )


def _rows(values: Mapping[str, Array], start: int, stop: int) -> dict[str, Array]:
    return {name: value[start:stop] for name, value in values.items()}
