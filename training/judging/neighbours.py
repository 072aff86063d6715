"""The training images nearest to drawings, by Euclidean distance over pixels, and a sheet to look at them.

What was learnt by heart lies next to its original. What lies far from all of them need not be new: a shift by
a pixel is a long way over pixels.
"""

__all__ = ["MOST_NEIGHBOURS", "Neighbours", "nearest_images", "save_neighbours"]

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pentimento.training.judging.plots import save_sheet

MOST_NEIGHBOURS = 100
_CHUNK_ROWS = 100


class Neighbours(NamedTuple):
    """The nearest training images of each of N images, nearest first."""

    indices: Tensor  # among the training images, (N, K)
    distances: Tensor  # (N, K)


def nearest_images(images: Tensor, train: Tensor, count: int = 1) -> Neighbours:
    """Finds the `count` training images, shape (M, P), that are nearest to each image, shape (N, P).

    Raises:
        ValueError: There are not so many training images, or `count` is out of range.
    """
    if not 1 <= count <= (most := min(MOST_NEIGHBOURS, len(train))):
        raise ValueError(f"count must be 1..{most}, got {count}")
    chunks = [
        torch.cdist(chunk, train).topk(count, dim=1, largest=False) for chunk in images.split(_CHUNK_ROWS)
    ]
    return Neighbours(
        indices=torch.cat([chunk.indices for chunk in chunks]),
        distances=torch.cat([chunk.values for chunk in chunks]),
    )


def save_neighbours(path: Path, drawings: Tensor, train: NDArray[np.uint8], count: int = 7) -> Neighbours:
    """Writes a sheet as PNG: a row a drawing, which stands first, then its nearest training images.

    Args:
        path: Of the file; its folder is made if need be.
        drawings: In [0, 1], shape (N, C, H, W).
        train: Training images, 0..255, shape (M, C, H, W).
        count: Training images beside each drawing, 1..100.

    Raises:
        ValueError: As `nearest_images`, or the two are of other shapes.
    """
    if drawings.shape[1:] != train.shape[1:]:
        raise ValueError(
            f"drawings must have the training images' shape {train.shape[1:]}, "
            f"got {tuple(drawings.shape[1:])}"
        )
    known = torch.from_numpy(train).flatten(1).float() / 255
    found = nearest_images(drawings.flatten(1), known, count)
    beside = known[found.indices].unflatten(2, drawings.shape[1:])  # (N, K, P) -> (N, K, C, H, W)
    rows = torch.cat([drawings[:, None], beside], dim=1)
    save_sheet(path, rows.flatten(0, 1).numpy(), columns=1 + count)
    return found
