"""Draws with a bundle's ONNX graphs as a server would, and gives tensors."""

__all__ = ["draw_bundle"]

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from pentimento.bundle.store import Bundle
from pentimento.training.export.canvases import draw_canvases


def draw_bundle(
    bundle: Bundle,
    *,
    rows: int,
    seed: int,
    step_count: int | None = None,
    controls: Mapping[str, float] | None = None,
) -> Iterator[Tensor]:
    """Draws as `draw_canvases` does, with its arguments and errors.

    Yields:
        Chunks of canvases in [0, 1], shape (rows of the chunk, T, C, H, W), at most 250 rows each.
    """
    for canvases in draw_canvases(bundle, rows=rows, seed=seed, step_count=step_count, controls=controls):
        yield torch.from_numpy(canvases)
