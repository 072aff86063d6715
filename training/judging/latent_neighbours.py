"""Do classes lie apart in a latent? The error of telling an image's class by its neighbours' encodings.

PixelVAE's paper shows it for two latents (Gulrajani et al., 2016, arXiv:1611.05013), and gives neither the
number of neighbours nor the protocol; here it is the majority of five among the training images.
"""

__all__ = ["LATENT_NEIGHBOURS", "latent_neighbour_error", "share_of_wrong_classes"]

import math

import numpy as np
from numpy.typing import NDArray

from pentimento.training.judging.intervals import share_interval
from pentimento.training.judging.measurement import Measurement

LATENT_NEIGHBOURS = 5


def share_of_wrong_classes(
    known: NDArray[np.floating],
    known_labels: NDArray[np.integer],
    asked: NDArray[np.floating],
    labels: NDArray[np.integer],
    neighbours: int = LATENT_NEIGHBOURS,
) -> float:
    """Share of images, in 0..1, whose class is not that of most of their neighbours.

    Args:
        known: Encodings of training images, shape (N, Z).
        known_labels: Their classes, shape (N,).
        asked: Encodings of test images, shape (M, Z).
        labels: Their classes, shape (M,).
        neighbours: How many of them vote; all if there are fewer, as in a small folder.

    Raises:
        ValueError: There are no images, the latents' sizes differ, or an image has no label.
    """
    from sklearn.neighbors import KNeighborsClassifier

    if not len(known) or not len(asked) or known.shape[1] != asked.shape[1]:
        raise ValueError(f"need encodings of one size, of both kinds, got {known.shape} and {asked.shape}")
    if len(known) != len(known_labels) or len(asked) != len(labels):
        raise ValueError(
            f"need a label for each of {len(known)} and {len(asked)} encodings, "
            f"got {len(known_labels)} and {len(labels)}"
        )
    if neighbours < 1:
        raise ValueError(f"neighbours must be at least 1, got {neighbours}")
    classifier = KNeighborsClassifier(n_neighbors=min(neighbours, len(known)))
    return float(np.mean(classifier.fit(known, known_labels).predict(asked) != labels))


def latent_neighbour_error(
    known: NDArray[np.floating],
    known_labels: NDArray[np.integer],
    asked: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    space: str,
    neighbours: int = LATENT_NEIGHBOURS,
) -> Measurement:
    """The share of wrong classes, with an interval for the choice of test images.

    The training's own chance is not in it: other seeds give other latents.

    Args:
        known: As for `share_of_wrong_classes`, like the others.
        known_labels: Likewise.
        asked: Likewise.
        labels: Likewise.
        space: Hash of what they were encoded with, and of the data set.
        neighbours: Likewise.

    Raises:
        ValueError: As `share_of_wrong_classes`.
    """
    error = share_of_wrong_classes(known, known_labels, asked, labels, neighbours)
    found = share_interval(error, math.sqrt(error * (1 - error) / len(asked)), len(asked))
    return Measurement(
        measure="latent_neighbours",
        value=found.value,
        low=found.low,
        high=found.high,
        rows=len(asked),
        data_rows=len(known),
        space=space,
        settings={"neighbours": min(neighbours, len(known)), "latent_size": known.shape[1]},
    )
