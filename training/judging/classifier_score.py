"""Classifier score: the inception score's formula, with a classifier of the data set in Inception's place.

    exp(mean KL(p(y|x) || p(y)))        (Salimans et al., 2016, arXiv:1606.03498)

with p(y) the mean of p(y|x) over the same images; from 1, where all images are judged alike, to the number of
classes, where each image is surely of one and classes are equally frequent. An image of a class counts for no
more than its class: one perfect drawing of each would have the highest score. The paper cuts 50,000 images
into ten parts and gives their mean and deviation; fewer images a part give lower scores.
"""

__all__ = ["SPLITS", "classifier_scores"]

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

SPLITS = 10


def classifier_scores(probabilities: NDArray[np.floating], splits: int = SPLITS) -> NDArray[np.float64]:
    """The score of each part.

    Args:
        probabilities: Of the classes, shape (N, K), rows sum to 1.
        splits: Parts of the images, in their order.

    Returns:
        Scores in 1..K, shape (splits,).

    Raises:
        ValueError: A part would have fewer than two images.
    """
    if splits < 1 or len(probabilities) < 2 * splits:
        raise ValueError(f"splits must be 1..{len(probabilities) // 2} for so many images, got {splits}")
    each = []
    for part in np.array_split(probabilities.astype(np.float64), splits):
        divergence = rel_entr(part, part.mean(0)).sum(1)  # KL of each image, nats
        each.append(np.exp(divergence.mean()))
    return np.array(each)
