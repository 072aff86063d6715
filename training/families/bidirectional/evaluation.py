"""What a bidirectional model makes of pictures: reconstructions, neighbours among the encoder's features."""

__all__ = ["encoded_neighbours", "reconstruction_figures"]

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.models.adversarial.bigan import BiGAN
from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.families.bidirectional.drawing import encoder_noise
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.reconstruction import compare_redrawn

_CHUNK_ROWS = 500


@torch.no_grad()
def reconstruction_figures(
    model: BidirectionalGAN, split: Split, classifier: Classifier, *, rows: int, seed: int
) -> dict[str, Any]:
    """Compares images with what the model draws of their encodings.

    Args:
        model: In inference mode, on the CPU.
        split: Its first images are taken.
        classifier: Classifier of the same data set, on the CPU.
        rows: How many images.
        seed: Of the encoder's noise.

    Returns:
        The figures of `compare_redrawn`.
    """
    images = torch.from_numpy(split.images[:rows]).float() / 255
    redrawn: list[Tensor] = []
    for start in range(0, len(images), _CHUNK_ROWS):
        chunk = images[start : start + _CHUNK_ROWS]
        eps = encoder_noise(model, range(start, start + len(chunk)), seed)
        redrawn.append(model.draw(model.encode(chunk, eps))[:, -1])
    labels = torch.from_numpy(split.labels[:rows])
    return compare_redrawn(images, torch.cat(redrawn), labels, classifier, seed)


@torch.no_grad()
def encoded_neighbours(model: BiGAN, dataset: Dataset) -> dict[str, Any]:
    """Error of classifying test images by the nearest training image, before the encoder's last layer.

    Returns:
        The share `error`, in 0..1, the number of `neighbours`, 1, and the number of test images, `rows`.
    """
    from sklearn.neighbors import KNeighborsClassifier

    def features(split: Split) -> np.ndarray[Any, Any]:
        chunks = np.array_split(split.images, max(1, len(split.images) // _CHUNK_ROWS))
        return np.concatenate(
            [model.features(torch.from_numpy(chunk).float() / 255).numpy() for chunk in chunks]
        )

    nearest = KNeighborsClassifier(n_neighbors=1).fit(features(dataset.train), dataset.train.labels)
    wrong = np.mean(nearest.predict(features(dataset.test)) != dataset.test.labels)
    return {"neighbours": 1, "error": round(float(wrong), 5), "rows": len(dataset.test.images)}
