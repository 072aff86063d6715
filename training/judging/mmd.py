"""Kernel maximum mean discrepancy between two sets of features (Gretton et al., 2012, JMLR 13:723-773).

With k(x, y) = exp(-|x - y|^2 / (2 s)) and s the mean squared distance within the two sets together, so that
the scale of the features does not matter:

    MMD^2 = mean k(a, a') + mean k(b, b') - 2 mean k(a, b)

Unbiased, the first two means leave out a sample's similarity to itself; about 0 for two sets of one
distribution, and below it as often as above. Biased, they do not, and the root is given: the usual form in
papers on generators, and that of DRAW-GAN's.
"""

__all__ = ["MMD", "kernel_mmd"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist


class MMD(NamedTuple):
    """Both forms of the discrepancy."""

    squared: float  # unbiased, MMD^2
    biased: float  # the root of the biased one


def kernel_mmd(a: NDArray[np.floating], b: NDArray[np.floating]) -> MMD:
    """The discrepancy between features of shape (N, F) and (M, F).

    Raises:
        ValueError: There are fewer than two rows, or the two have other numbers of features.
    """
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"need two rows of as many features of both, got {a.shape} and {b.shape}")
    within_a, within_b, between = (cdist(x, y, "sqeuclidean") for x, y in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    scale = (within_a.sum() + within_b.sum() + 2 * between.sum()) / (n + m) ** 2 or 1.0
    alike_a, alike_b, alike = (np.exp(-distance / (2 * scale)) for distance in (within_a, within_b, between))
    others = (alike_a.sum() - n) / (n * (n - 1)) + (alike_b.sum() - m) / (m * (m - 1))
    biased = alike_a.mean() + alike_b.mean() - 2 * alike.mean()
    return MMD(squared=float(others - 2 * alike.mean()), biased=float(np.sqrt(max(0.0, biased))))
