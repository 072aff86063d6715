"""Images as a classifier sees them, which is what drawings are measured in.

A figure in one classifier's features says nothing about one in another's. So what describes images carries a
hash, of the classifier's weights and of the data set, and every measurement repeats it.
"""

__all__ = ["Described", "describe", "hash_of_features"]

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pentimento.training.data.datasets import Dataset
from pentimento.training.judging.classifier import Classifier, hash_of_images


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Described:
    """Images, and what a classifier makes of them.

    Attributes:
        features: What its last layer classifies by, shape (N, F).
        probabilities: Of the classes, shape (N, K), rows sum to 1.
        pixels: The images, in [0, 1], shape (N, C * H * W).
        space: From `hash_of_features`.
    """

    features: NDArray[np.floating]
    probabilities: NDArray[np.floating]
    pixels: NDArray[np.floating]
    space: str

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> "Described":
        return Described(
            features=self.features[rows],
            probabilities=self.probabilities[rows],
            pixels=self.pixels[rows],
            space=self.space,
        )


@torch.no_grad()
def describe(images: Tensor, classifier: Classifier, space: str) -> Described:
    """Looks at images with a classifier.

    Args:
        images: In [0, 1], shape (N, C, H, W).
        classifier: Its features; one that chose no epoch of any training.
        space: From `hash_of_features`, of the same classifier.
    """
    features = classifier.features(images)
    last = classifier.layers[-1]
    logits = last(features.to(next(last.parameters()).device)).cpu()
    return Described(
        features=features.numpy(),
        probabilities=logits.softmax(1).numpy(),
        pixels=images.flatten(1).numpy(),
        space=space,
    )


def hash_of_features(classifier: Classifier, dataset: Dataset) -> str:
    """Sixteen hex digits of a classifier's weights and a data set's images: what figures depend on."""
    digest = hashlib.sha256(hash_of_images(dataset).encode())
    for name, tensor in classifier.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
