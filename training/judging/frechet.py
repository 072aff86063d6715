"""Frechet distance between two sets of features, as if both were Gaussian.

    |m_a - m_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2))

with means m and covariances C (Heusel et al., 2017, arXiv:1706.08500, in features of an Inception network).
It depends on the features and on the number of samples, which bias it upwards: only figures with the same of
both may be compared.
"""

__all__ = ["frechet_distance", "frechet_error"]

import numpy as np
from numpy.typing import NDArray

from pentimento.training.judging.intervals import bootstrap_errors


def frechet_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The distance, not its root, between features of shape (N, F) each; 0 for equal moments.

    Raises:
        ValueError: There are fewer than two rows, or the two have other numbers of features.
    """
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"need two rows of as many features of both, got {a.shape} and {b.shape}")
    mean = a.mean(0, dtype=np.float64) - b.mean(0, dtype=np.float64)
    of_a, of_b = (np.cov(part.astype(np.float64), rowvar=False).reshape(a.shape[1], -1) for part in (a, b))
    # The trace of the root is the sum of the roots of the eigenvalues. A product of two covariances has
    # none below zero, but for rounding.
    values = np.linalg.eigvals(of_a @ of_b).real.clip(min=0)
    return float(mean @ mean + np.trace(of_a) + np.trace(of_b) - 2 * np.sqrt(values).sum())


def frechet_error(a: NDArray[np.floating], b: NDArray[np.floating], *, replicates: int, seed: int) -> float:
    """Standard error of the distance, by a bootstrap of both sets.

    Raises:
        ValueError: As `frechet_distance`.
    """
    (error,) = bootstrap_errors(
        lambda rows: [frechet_distance(a[rows[0]], b[rows[1]])],
        (len(a), len(b)),
        replicates=replicates,
        seed=seed,
    )
    return float(error)
