"""Can a simple classifier tell drawings from data? Both of its errors, where a half is what chance gives.

Half of the samples of each kind teach the classifier, the other half is asked about. Papers on generators
give the larger of the two errors alone, "misclassification", and call a higher one better; but a classifier
that says "data" to everything has an error of 1 that way. So both are given here.
"""

__all__ = ["TwoSampleErrors", "TwoSampleTest", "naive_bayes_errors", "neighbour_errors", "spread_of_errors"]

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentimento.training.judging.intervals import half_sample_errors


class TwoSampleErrors(NamedTuple):
    """Shares of wrong answers, 0..1."""

    on_real: float  # of data that are taken for drawn
    on_drawn: float  # of drawings that are taken for data

    @property
    def worst(self) -> float:
        """The larger of the two: the "misclassification" of papers."""
        return max(self)

    @property
    def mean(self) -> float:
        """The mean of the two: near 0 where all is told apart, 0.5 where nothing is."""
        return sum(self) / 2


TwoSampleTest = Callable[[NDArray[np.floating], NDArray[np.floating]], TwoSampleErrors]


def neighbour_errors(
    real: NDArray[np.floating], drawn: NDArray[np.floating], neighbours: int = 1
) -> TwoSampleErrors:
    """Errors of the nearest neighbours' majority, of features of shape (N, F) and (M, F), in their order.

    Raises:
        ValueError: There are fewer than two rows of a kind, or `neighbours` is even, which may end in a draw,
            or more than the rows that teach.
    """
    from sklearn.neighbors import KNeighborsClassifier

    teaching = -(-len(real) // 2) - (-len(drawn) // 2)
    if neighbours % 2 == 0 or not 1 <= neighbours <= max(1, teaching):
        raise ValueError(f"neighbours must be odd and 1..{teaching} for so many images, got {neighbours}")
    return _errors(KNeighborsClassifier(n_neighbors=neighbours), real, drawn)


def naive_bayes_errors(real: NDArray[np.floating], drawn: NDArray[np.floating]) -> TwoSampleErrors:
    """Errors of naive Bayes with a Gaussian a feature, of features of shape (N, F) and (M, F).

    Raises:
        ValueError: There are fewer than two rows of a kind.
    """
    from sklearn.naive_bayes import GaussianNB

    return _errors(GaussianNB(), real, drawn)


def spread_of_errors(
    test: TwoSampleTest,
    real: NDArray[np.floating],
    drawn: NDArray[np.floating],
    *,
    replicates: int,
    seed: int,
) -> TwoSampleErrors:
    """Standard errors of both errors of a test: of half of those that teach, and of those that are asked.

    Raises:
        ValueError: There are too few rows for halves of halves, or `test` refuses them.
    """
    parts = [part for kind in (real, drawn) for part in np.array_split(kind, 2)]

    def of_halves(rows: Sequence[NDArray[np.intp]]) -> TwoSampleErrors:
        taught_real, asked_real, taught_drawn, asked_drawn = (
            part[chosen] for part, chosen in zip(parts, rows, strict=True)
        )
        # Cut in two again, where it is cut here: the first part is never the shorter one.
        return test(np.concatenate([taught_real, asked_real]), np.concatenate([taught_drawn, asked_drawn]))

    errors = half_sample_errors(of_halves, [len(part) for part in parts], replicates=replicates, seed=seed)
    return TwoSampleErrors(*map(float, errors))


def _errors(
    classifier: Any,  # noqa: ANN401
    real: NDArray[np.floating],
    drawn: NDArray[np.floating],
) -> TwoSampleErrors:
    if min(len(real), len(drawn)) < 2:
        raise ValueError(f"need two rows of both kinds, got {len(real)} and {len(drawn)}")
    parts = [np.array_split(kind, 2) for kind in (real, drawn)]
    known = np.concatenate([part[0] for part in parts])
    kinds = np.repeat([0, 1], [len(part[0]) for part in parts])
    classifier.fit(known, kinds)
    said_of_real, said_of_drawn = (classifier.predict(part[1]) for part in parts)
    return TwoSampleErrors(float(np.mean(said_of_real == 1)), float(np.mean(said_of_drawn == 0)))
