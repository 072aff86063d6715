"""Precision and recall of drawings, density and coverage: how two sets of features lie in each other.

Around each image lies a ball that reaches to its k-th nearest neighbour in its own set.

- Precision: share of drawings that lie in the ball of some image of the data.
- Recall: share of the data that lie in the ball of some drawing (Kynkaanniemi et al., 2019, arXiv:1904.06991;
  k = 3).
- Density: number of the data's balls that a drawing lies in, on the mean, over k. An outlier among the data,
  whose large ball makes precision high, weighs little in it; about 1 for two sets of one distribution, and no
  upper limit.
- Coverage: share of the data in whose ball there is a drawing (Naeem et al., 2020, arXiv:2002.09797; k = 5);
  for two sets of N of one distribution about 1 - 2^-k.

All depend on k and on the numbers of images. As in the authors' code, the first two count a drawing on a
ball's surface, and the other two do not.
"""

__all__ = ["BALL_NEIGHBOURS", "COUNT_NEIGHBOURS", "Manifold", "manifold", "manifold_errors"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from pentimento.training.judging.intervals import half_sample_errors

BALL_NEIGHBOURS = 3  # of precision and recall
COUNT_NEIGHBOURS = 5  # of density and coverage

Distances = NDArray[np.float64]


class Manifold(NamedTuple):
    """The four figures, or their standard errors."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(
    real: NDArray[np.floating],
    drawn: NDArray[np.floating],
    *,
    ball_neighbours: int = BALL_NEIGHBOURS,
    count_neighbours: int = COUNT_NEIGHBOURS,
) -> Manifold:
    """The figures of features of data, shape (N, F), and of drawings, shape (M, F).

    Args:
        real: Features of data.
        drawn: Features of drawings.
        ball_neighbours: k of precision and recall.
        count_neighbours: k of density and coverage.

    Raises:
        ValueError: There are not more rows than neighbours, or the two have other numbers of features.
    """
    most = max(ball_neighbours, count_neighbours)
    if min(ball_neighbours, count_neighbours) < 1 or min(len(real), len(drawn)) <= most:
        raise ValueError(
            f"neighbours must be 1..{min(len(real), len(drawn)) - 1} for so many images, got {most}"
        )
    return _figures(_distances(real, drawn), ball_neighbours, count_neighbours)


def manifold_errors(
    real: NDArray[np.floating], drawn: NDArray[np.floating], *, replicates: int, seed: int
) -> Manifold:
    """Standard errors of the figures with the papers' numbers of neighbours, by half-samples of both sets.

    Raises:
        ValueError: There are too few rows for halves, or the two have other numbers of features.
    """
    if (fewest := min(len(real), len(drawn))) < 2 * (COUNT_NEIGHBOURS + 1):
        raise ValueError(f"halves need at least {2 * (COUNT_NEIGHBOURS + 1)} rows of each set, got {fewest}")
    within_real, within_drawn, between = _distances(real, drawn)

    def of_halves(rows: Sequence[NDArray[np.intp]]) -> Manifold:
        i, j = rows
        parts = within_real[np.ix_(i, i)], within_drawn[np.ix_(j, j)], between[np.ix_(i, j)]
        return _figures(parts, BALL_NEIGHBOURS, COUNT_NEIGHBOURS)

    errors = half_sample_errors(of_halves, between.shape, replicates=replicates, seed=seed)
    return Manifold(*map(float, errors))


def _distances(
    real: NDArray[np.floating], drawn: NDArray[np.floating]
) -> tuple[Distances, Distances, Distances]:
    """Within the data, (N, N), within the drawings, (M, M), each without itself, and between, (N, M)."""
    if real.shape[1] != drawn.shape[1]:
        raise ValueError(f"need as many features of both, got {real.shape} and {drawn.shape}")
    within_real, within_drawn = cdist(real, real), cdist(drawn, drawn)
    for within in (within_real, within_drawn):
        np.fill_diagonal(within, np.inf)
    return within_real, within_drawn, cdist(real, drawn)


def _figures(
    distances: tuple[Distances, Distances, Distances], ball_neighbours: int, count_neighbours: int
) -> Manifold:
    within_real, within_drawn, between = distances
    around_real, around_drawn = (
        np.partition(within, ball_neighbours - 1, axis=1)[:, ball_neighbours - 1]
        for within in (within_real, within_drawn)
    )
    counted = np.partition(within_real, count_neighbours - 1, axis=1)[:, count_neighbours - 1]
    return Manifold(
        precision=float((between <= around_real[:, None]).any(0).mean()),
        recall=float((between <= around_drawn).any(1).mean()),
        density=float((between < counted[:, None]).sum(0).mean() / count_neighbours),
        coverage=float((between.min(1) < counted).mean()),
    )
