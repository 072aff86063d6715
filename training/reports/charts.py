"""The geometry of a report's charts; the page draws them as SVG, in the colours of its theme.

Not by matplotlib: its SVG has colours written out, so that a page of two themes would need each chart twice,
and ten times the bytes.
"""

__all__ = ["Curve", "Histogram", "Marks", "curve", "histogram", "marks"]

import math
from collections.abc import Sequence
from typing import NamedTuple

from pentimento.training.reports.lines import Line

_MARGIN = 0.06  # of a scale, beyond its extremes


class Marks(NamedTuple):
    """Two figures with their intervals on one scale; places lie in 0..100."""

    drawn: tuple[float, float, float]  # low, value, high
    test: tuple[float, float, float]


class Curve(NamedTuple):
    """A figure by steps; x and y lie in 0..100, y downwards."""

    points: tuple[tuple[float, float], ...]
    test: float  # y of test images
    least: float  # at the lower edge
    most: float


class Histogram(NamedTuple):
    """Shares in equal parts of 0..1, as heights in 0..100."""

    drawn: tuple[float, ...]
    test: tuple[float, ...]
    most: float  # the share whose height is 100


def marks(line: Line) -> Marks:
    """A line's figures and intervals; an end that nothing bounds lies at the edge of the scale.

    Raises:
        ValueError: There is no figure of test images.
    """
    if line.test is None:
        raise ValueError(f"{line.name} has no figure of test images")
    given = (line.value, line.low, line.high, line.test, line.test_low, line.test_high)
    scale = _Scale([each for each in given if each is not None])

    def place(value: float, low: float | None, high: float | None) -> tuple[float, float, float]:
        start = value if low is None else low
        unbounded = low is not None and high is None
        end = 100.0 if unbounded else scale.place(value if high is None else high)
        return scale.place(start), scale.place(value), end

    return Marks(
        drawn=place(line.value, line.low, line.high), test=place(line.test, line.test_low, line.test_high)
    )


def curve(at: Sequence[int], values: Sequence[float], test: float) -> Curve:
    """A figure after each of some steps, with that of test images on the same scale."""
    scale = _Scale([*values, test])
    span = max(at[-1] - at[0], 1)
    return Curve(
        points=tuple(
            (round(100 * (step - at[0]) / span, 2), round(100 - scale.place(value), 2))
            for step, value in zip(at, values, strict=True)
        ),
        test=round(100 - scale.place(test), 2),
        least=scale.least,
        most=scale.most,
    )


def histogram(drawn: Sequence[float], test: Sequence[float]) -> Histogram:
    """Heights by the root of a share, so that small ones can be seen beside large ones."""
    most = max(*drawn, *test) or 1.0

    def heights(shares: Sequence[float]) -> tuple[float, ...]:
        return tuple(round(100 * math.sqrt(share / most), 2) for share in shares)

    return Histogram(drawn=heights(drawn), test=heights(test), most=most)


class _Scale:
    """From values to 0..100, with a margin."""

    def __init__(self, values: Sequence[float]) -> None:
        finite = [value for value in values if math.isfinite(value)] or [0.0]
        self.least, self.most = min(finite), max(finite)
        span = self.most - self.least or abs(self.most) or 1.0
        self._start, self._span = self.least - _MARGIN * span, span * (1 + 2 * _MARGIN)

    def place(self, value: float) -> float:
        """Where a value lies; what is no number, or too large, at an edge."""
        if math.isnan(value):
            return 0.0
        return round(min(100.0, max(0.0, 100 * (value - self._start) / self._span)), 2)
