"""Who draws best, when some draw and judge and others only draw: the shares of duels won.

A duel is two drawers before a discriminator that belongs to neither. Who is taken for data more often wins
it, and alike they share it. Nobody is judged by the discriminator that it was trained against, which knows
its faults best, and both sides of a duel have the same judge: a strict one costs nobody anything.
"""

__all__ = ["Standing", "duel_shares"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 1000
_SEED = 1
_PRIOR = 0.5  # of each answer, as in `judging.battle`


class Standing(NamedTuple):
    """The share of its duels that a drawer won, 0..1, with its interval of 95 %; NaN without a duel."""

    share: float
    low: float
    high: float


def duel_shares(
    fooled: NDArray[np.integer], total: int, judged: NDArray[np.bool_], rivals: NDArray[np.bool_]
) -> list[Standing]:
    """Lets all drawers meet in duels before all judges.

    Args:
        fooled: Of each drawer and judge, how many drawings were taken for data, 0..total, (D, J).
        total: Drawings of each.
        judged: Which of these count: judged, and not by its own judge, (D, J).
        rivals: Whom each drawer's duels are with, (D,); the others have duels with these, and they none with
            them, so that reference sets count for nobody.

    Returns:
        One a drawer. The interval is of the Bayesian bootstrap over drawings.
    """
    best = _shares(fooled.astype(np.float64), judged, rivals)
    random = np.random.default_rng(_SEED)
    drawn = [
        _shares(random.beta(fooled + _PRIOR, total - fooled + _PRIOR), judged, rivals)
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    # Where drawers are alike, the bootstrap has no ties, and can leave the share itself outside.
    return [
        Standing(float(share), float(min(share, a)), float(max(share, b)))
        for share, a, b in zip(best, low, high, strict=True)
    ]


def _shares(
    rates: NDArray[np.float64], judged: NDArray[np.bool_], rivals: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The share of duels that each drawer won, (D,)."""
    meets = judged[:, None] & judged[None] & rivals[None, :, None]  # (D, D, J)
    meets &= ~np.eye(len(rates), dtype=bool)[..., None]
    points = np.sign(rates[:, None] - rates[None]) / 2 + 0.5
    count = meets.sum((1, 2))
    won = (points * meets).sum((1, 2))
    return np.where(count > 0, won / np.maximum(count, 1), np.nan)
