"""Is an image of another kind found by its score? The area under the precision-recall curve.

Positive are images of the kind that a model never saw, and the score says how unlike its training data an
image is. The area is the average precision, without interpolation: the mean over positives of the precision
at their place in the order. Chance gives the share of positives, the *prevalence*, which therefore stands
beside it (Ahmed, 2017, chapter 4, calls it skew).
"""

__all__ = ["Detection", "detect"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentimento.training.judging.intervals import bootstrap_errors, normal_interval

_REPLICATES = 200


class Detection(NamedTuple):
    """How well held-out images are found, with an interval of 95 % for the choice of test images."""

    aupr: float  # 0..1
    low: float
    high: float
    prevalence: float  # what chance gives, 0..1
    rows: int  # images of both kinds


def detect(known: NDArray[np.floating], held_out: NDArray[np.floating], *, seed: int) -> Detection:
    """The area under the precision-recall curve of finding held-out images by high scores.

    Args:
        known: Scores of test images of kinds that the model was trained on, shape (N,).
        held_out: Those of the kind that it was not, shape (M,).
        seed: Of the interval.

    Raises:
        ValueError: There are fewer than ten of either, or a score is not a number.
    """
    both = np.concatenate([known, held_out])
    if not np.isfinite(both).all():
        raise ValueError(f"scores must be finite numbers, got {(~np.isfinite(both)).sum()} that are not")

    def area(rows: Sequence[NDArray[np.intp]]) -> float:
        return _average_precision(known[rows[0]], held_out[rows[1]])

    counts = [len(known), len(held_out)]
    error = float(bootstrap_errors(area, counts, replicates=_REPLICATES, seed=seed))
    value = area([np.arange(count) for count in counts])
    found = normal_interval(value, error, least=0.0)
    assert found.low is not None and found.high is not None
    return Detection(value, found.low, min(1.0, found.high), len(held_out) / len(both), len(both))


def _average_precision(known: NDArray[np.floating], held_out: NDArray[np.floating]) -> float:
    from sklearn.metrics import average_precision_score

    kinds = np.repeat([0, 1], [len(known), len(held_out)])
    return float(average_precision_score(kinds, np.concatenate([known, held_out])))
