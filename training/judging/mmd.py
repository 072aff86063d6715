"""Kernel maximum mean discrepancy between two sets of features (Gretton et al., 2012, JMLR 13:723-773).

With k(x, y) = exp(-|x - y|^2 / (2 s)) and s the mean squared distance within the two sets together, so that
the scale of the features does not matter:

    MMD^2 = mean k(a, a') + mean k(b, b') - 2 mean k(a, b)

Unbiased, the first two means leave out a sample's similarity to itself; about 0 for two sets of one
distribution, and below it as often as above. Biased, they do not, and the root is given: the usual form in
papers on generators, and that of DRAW-GAN's.
"""

__all__ = ["MMD", "kernel_mmd", "mmd_errors"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from pentimento.training.judging.intervals import bootstrap_errors


class MMD(NamedTuple):
    """Both forms of the discrepancy."""

    squared: float  # unbiased, MMD^2
    biased: float  # the root of the biased one


class _Kernels(NamedTuple):
    within_a: NDArray[np.float64]  # (N, N)
    within_b: NDArray[np.float64]  # (M, M)
    between: NDArray[np.float64]  # (N, M)


def kernel_mmd(a: NDArray[np.floating], b: NDArray[np.floating]) -> MMD:
    """The discrepancy between features of shape (N, F) and (M, F).

    Raises:
        ValueError: There are fewer than two rows, or the two have other numbers of features.
    """
    return _weighted(_kernels(a, b), np.ones(len(a)), np.ones(len(b)))


def mmd_errors(a: NDArray[np.floating], b: NDArray[np.floating], *, replicates: int, seed: int) -> MMD:
    """Standard errors of both forms, by a bootstrap of both sets with the scale of the whole.

    For two sets of one distribution they come out too large, by up to a factor of the root of three: the
    statistic is degenerate there (Arcones and Gine, 1992, Annals of Statistics 20:655-674).

    Raises:
        ValueError: As `kernel_mmd`.
    """
    kernels = _kernels(a, b)

    def drawn_again(rows: Sequence[NDArray[np.intp]]) -> MMD:
        weights = (np.bincount(part, minlength=n) for part, n in zip(rows, (len(a), len(b)), strict=True))
        return _weighted(kernels, *(weight.astype(np.float64) for weight in weights))

    errors = bootstrap_errors(drawn_again, (len(a), len(b)), replicates=replicates, seed=seed)
    return MMD(*map(float, errors))


def _kernels(a: NDArray[np.floating], b: NDArray[np.floating]) -> _Kernels:
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"need two rows of as many features of both, got {a.shape} and {b.shape}")
    within_a, within_b, between = (cdist(x, y, "sqeuclidean") for x, y in ((a, a), (b, b), (a, b)))
    scale = (within_a.sum() + within_b.sum() + 2 * between.sum()) / (len(a) + len(b)) ** 2 or 1.0
    return _Kernels(*(np.exp(-distance / (2 * scale)) for distance in (within_a, within_b, between)))


def _weighted(kernels: _Kernels, a: NDArray[np.float64], b: NDArray[np.float64]) -> MMD:
    """Both forms, with each row as often as its weight, shapes (N,) and (M,), says.

    Unbiased, pairs of a row with itself are left out, those with its repetition too.
    """
    between = a @ kernels.between @ b / (a.sum() * b.sum())
    unbiased = biased = 0.0
    for weight, within in ((a, kernels.within_a), (b, kernels.within_b)):
        total, pairs, own = weight @ within @ weight, weight.sum() ** 2, weight @ weight
        unbiased += (total - own) / (pairs - own)  # k(x, x) = 1
        biased += total / pairs
    return MMD(squared=float(unbiased - 2 * between), biased=float(np.sqrt(max(0.0, biased - 2 * between))))
