"""Whether drawings are copies: distances to the nearest training image, against those of test images."""

__all__ = ["Novelty", "measure_novelty"]

from dataclasses import dataclass

import torch
from torch import Tensor

from pentimento.training.data.datasets import Dataset
from pentimento.training.judging.neighbours import nearest_images

_ROWS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Novelty:
    """Distances to the nearest training image: Euclidean, over all pixels, which lie in [0, 1]."""

    drawn_median: float  # of drawings
    test_median: float  # of test images
    copied_share: float  # share of drawings that are nearer than 99 % of the test images


def measure_novelty(drawings: Tensor, dataset: Dataset) -> Novelty:
    """Compares up to 1,000 drawings, in [0, 1], shape (N, C, H, W), with the first 1,000 test images."""
    train = torch.from_numpy(dataset.train.images).flatten(1).float() / 255
    test = torch.from_numpy(dataset.test.images[:_ROWS]).flatten(1).float() / 255
    drawn_distances = nearest_images(drawings[:_ROWS].flatten(1), train).distances
    test_distances = nearest_images(test, train).distances
    limit = test_distances.quantile(0.01)
    return Novelty(
        drawn_median=round(float(drawn_distances.median()), 4),
        test_median=round(float(test_distances.median()), 4),
        copied_share=round(float((drawn_distances < limit).float().mean()), 4),
    )
