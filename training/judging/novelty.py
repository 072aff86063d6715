"""Are drawings copies of training images? Distances to the nearest one, against those of unseen data."""

__all__ = ["Novelty", "measure_novelty"]

from dataclasses import dataclass

import torch
from torch import Tensor

from pentimento.training.data.datasets import Dataset

_ROWS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Novelty:
    """Euclidean distances in pixel space, pixels in [0, 1]."""

    drawn_median: float  # from a drawing to its nearest training image
    test_median: float  # from a test image to its nearest training image
    copied_share: float  # drawings nearer than all but the nearest 1 % of the test images


def measure_novelty(drawings: Tensor, dataset: Dataset) -> Novelty:
    """Compares up to 1,000 finished drawings, shape (N, C, H, W), with as many test images."""
    train = torch.from_numpy(dataset.train.images).flatten(1).float() / 255
    test = torch.from_numpy(dataset.test.images[:_ROWS]).flatten(1).float() / 255
    drawn_distances = _nearest(drawings[:_ROWS].flatten(1), train)
    test_distances = _nearest(test, train)
    limit = test_distances.quantile(0.01)
    return Novelty(
        drawn_median=round(float(drawn_distances.median()), 4),
        test_median=round(float(test_distances.median()), 4),
        copied_share=round(float((drawn_distances < limit).float().mean()), 4),
    )


def _nearest(images: Tensor, train: Tensor) -> Tensor:
    return torch.cat([torch.cdist(chunk, train).min(dim=1).values for chunk in images.split(100)])
