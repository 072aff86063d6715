"""Intervals of 95 % around figures of samples.

The spread of a smooth figure comes from a bootstrap (Efron, 1979): it is computed again of as many rows,
drawn with replacement. Where neighbours count, a row that is there twice would be its own nearest one. There
it is computed again of halves, drawn without replacement, and the spread over those is that of the whole (the
delete-d jackknife with d = n / 2; Shao and Wu, 1989, Annals of Statistics 17:1176-1197).

An interval is for the figure's mean over samples of the same number of rows, and lies around the figure
itself: replicates show its spread, but the bias that a small number of rows brings they have twice.
"""

__all__ = [
    "LEAST_ROWS",
    "MOST_REPLICATES",
    "Interval",
    "bootstrap_errors",
    "count_interval",
    "half_sample_errors",
    "normal_interval",
    "share_interval",
    "student_interval",
]

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

MOST_REPLICATES = 10_000
LEAST_ROWS = 10  # of each set; of fewer, the same few would be drawn again and again
_TAIL = 0.975
_Z = float(stats.norm.ppf(_TAIL))

Rows = NDArray[np.intp]
Statistic = Callable[[Sequence[Rows]], ArrayLike]


class Interval(NamedTuple):
    """A figure with the ends of its interval."""

    value: float
    low: float | None = None  # None: no interval was asked for
    high: float | None = None  # None beside a `low`: nothing bounds it


def bootstrap_errors(
    statistic: Statistic, counts: Sequence[int], *, replicates: int, seed: int
) -> NDArray[np.float64]:
    """Standard errors of smooth figures.

    Args:
        statistic: Figures, shape (F,), of the rows that it is given of each set, which may come repeatedly.
        counts: Rows of each set.
        replicates: How often it is asked, 2..10,000.
        seed: Of the choice of rows.

    Raises:
        ValueError: There are fewer than ten rows of a set, or `replicates` is out of range.
    """
    draw = np.random.default_rng(seed)
    return _deviations(statistic, counts, lambda n: draw.integers(0, n, n), replicates)


def half_sample_errors(
    statistic: Statistic, counts: Sequence[int], *, replicates: int, seed: int
) -> NDArray[np.float64]:
    """Standard errors of figures that depend on neighbours; as `bootstrap_errors`, no row comes twice."""
    draw = np.random.default_rng(seed)
    return _deviations(statistic, counts, lambda n: np.sort(draw.permutation(n)[: n // 2]), replicates)


def _deviations(
    statistic: Statistic, counts: Sequence[int], choose: Callable[[int], Rows], replicates: int
) -> NDArray[np.float64]:
    if not 2 <= replicates <= MOST_REPLICATES:
        raise ValueError(f"replicates must be 2..{MOST_REPLICATES}, got {replicates}")
    if min(counts) < LEAST_ROWS:
        raise ValueError(f"an interval needs at least {LEAST_ROWS} rows of each set, got {min(counts)}")
    found = [np.asarray(statistic([choose(n) for n in counts]), np.float64) for _ in range(replicates)]
    return np.std(found, axis=0, ddof=1)


def normal_interval(value: float, error: float, least: float = -math.inf) -> Interval:
    """Value and standard error of a figure that cannot be below `least`."""
    return Interval(value, max(least, value - _Z * error), value + _Z * error)


def share_interval(share: float, error: float, rows: int) -> Interval:
    """Wilson's interval of a share of rows, as many of them as its standard error says.

    A share's error is at least that of `rows` rows that were judged alone; neighbours that they have in
    common make it larger, as if the rows were fewer. Other than the normal one, this interval is not empty
    at 0 and 1.
    """
    variance = share * (1 - share)
    effective = min(rows, variance / error**2) if error > 0 and variance > 0 else rows
    centre = (share + _Z**2 / (2 * effective)) / (1 + _Z**2 / effective)
    half = _Z / (1 + _Z**2 / effective) * math.sqrt(variance / effective + (_Z / (2 * effective)) ** 2)
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


def student_interval(values: ArrayLike) -> Interval:
    """The mean of at least two independent figures, by Student's distribution."""
    each = np.asarray(values, np.float64)
    half = float(stats.t.ppf(_TAIL, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each)))
    mean = float(each.mean())
    return Interval(mean, mean - half, mean + half)


def count_interval(count: int, dispersion: float = 1.0) -> tuple[float, float]:
    """Bounds of the mean of a count: Poisson's exact ones (Garwood, 1936) at a dispersion of 1.

    Args:
        count: What was counted.
        dispersion: Variance over mean; the count is taken for `count / dispersion` independent events.
    """
    events = count / dispersion
    low = stats.chi2.ppf(1 - _TAIL, 2 * events) / 2 if events else 0.0
    high = stats.chi2.ppf(_TAIL, 2 * (events + 1)) / 2
    return float(low * dispersion), float(high * dispersion)
