"""The birthday test: from the near-duplicates among drawings to how many pictures a generator can draw.

Of N pictures that are equally likely, two drawings are the same with a probability of 1/N, and of about
1.2 sqrt(N) drawings some two are with a probability of a half (Arora and Zhang, 2017, arXiv:1706.08224, who
let people look at the nearest pairs). Here a pair is near if its distance over pixels is below a threshold,
which is taken from the data: what is nearer than nearly all images of the data are to each other.

If pictures are not equally likely, the estimate is 1 / sum p^2, which frequent ones determine: a lower bound
of their number.
"""

__all__ = ["NEAR_SHARE", "Birthday", "birthday_support", "near_distance"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from pentimento.training.judging.intervals import count_interval

NEAR_SHARE = 0.01  # of the data's distances to their nearest neighbour lie below the threshold


class Birthday(NamedTuple):
    """What the near-duplicates say."""

    pairs: int  # that are near
    support: float  # pairs of all over pairs that are near, of which a half is taken where there is none
    low: float  # of its interval of 95 %
    high: float | None  # None: with so few pairs, nothing bounds it


def near_distance(real: NDArray[np.floating], share: float = NEAR_SHARE) -> float:
    """Below it lies a share, in 0..1, of the distances of images, shape (N, P), to the nearest other.

    Raises:
        ValueError: There are fewer than two images, or `share` is no share.
    """
    if len(real) < 2:
        raise ValueError(f"images must be at least 2, got {len(real)}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be 0..1, got {share}")
    distances = squareform(pdist(real))
    np.fill_diagonal(distances, np.inf)
    return float(np.quantile(distances.min(1), share))


def birthday_support(drawn: NDArray[np.floating], threshold: float) -> Birthday:
    """Estimates the number of pictures.

    The interval is of a count of pairs, wider the more the same drawings are in several of them.

    Args:
        drawn: Drawings, shape (N, P).
        threshold: A pair is near if its Euclidean distance is at most this.

    Raises:
        ValueError: There are fewer than three drawings.
    """
    n = len(drawn)
    if n < 3:
        raise ValueError(f"drawings must be at least 3, got {n}")
    near = squareform(pdist(drawn) <= threshold)
    degrees = near.sum(1)
    found, pairs = int(degrees.sum()) // 2, n * (n - 1) / 2
    if not found:
        _, most = count_interval(0)
        return Birthday(0, 2 * pairs, pairs / most, None)
    rate = found / pairs
    # Variance of a mean over pairs (Hoeffding, 1948), over Poisson's: pairs that share a drawing are alike
    # as far as some drawings have more duplicates than others.
    shared = (degrees * (degrees - 1)).sum() / (n * (n - 1) * (n - 2))
    dispersion = 1 + 2 * (n - 2) * max(0.0, shared - rate**2) / rate
    fewest, most = count_interval(found, dispersion)
    return Birthday(found, 1 / rate, pairs / most, pairs / fewest)
