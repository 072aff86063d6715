"""What a measure says: a figure with its interval, how many images it is of, and what they were seen with.

A figure means something beside another one only if both were measured alike. So each carries what it depends
on, and those that differ in it are refused.
"""

__all__ = ["Difference", "Measurement", "combine", "compare"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pentimento.training.judging.intervals import student_interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """A figure of a measure.

    Attributes:
        measure: Name of the measure, such as `frechet`.
        value: The figure.
        low: Lower end of its interval of 95 %; None if none was asked for.
        high: Upper end; None also where nothing bounds it.
        rows: Images that were measured.
        data_rows: Images of data that they were compared with; 0 for a measure without.
        space: Hash of what they were seen with, the classifier's weights, and of the data set.
        settings: What else the measure depends on, such as its number of neighbours.
    """

    measure: str
    value: float
    low: float | None = None
    high: float | None = None
    rows: int
    data_rows: int
    space: str
    settings: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How far a figure lies above another one, with an interval of 95 %; None where nothing bounds it."""

    value: float
    low: float | None
    high: float | None

    def verdict(self, better: Literal[-1, 1]) -> str:
        """`better`, `worse` or `undecided`, for a measure in which `better` is low, -1, or high, 1."""
        if self.low is not None and self.low > 0:
            return "better" if better > 0 else "worse"
        if self.high is not None and self.high < 0:
            return "worse" if better > 0 else "better"
        return "undecided"


def compare(figure: Measurement, other: Measurement) -> Difference:
    """How far `figure` lies above `other`, as if they were independent (Zou and Donner, 2008, MOVER).

    Where both were compared with the same data they are not quite, and the interval is too wide.

    Raises:
        ValueError: They were not measured alike, or one has no interval.
    """
    _refuse_unlike([figure, other], "compared")
    for each in (figure, other):
        if each.low is None:
            raise ValueError(f"{each.measure} has a figure without an interval, which cannot be compared")
    value = figure.value - other.value
    below, above = _reach(figure.value, figure.low), _reach(figure.high, figure.value)
    other_below, other_above = _reach(other.value, other.low), _reach(other.high, other.value)
    low, high = value - math.hypot(below, other_above), value + math.hypot(above, other_below)
    return Difference(
        value=value, low=low if math.isfinite(low) else None, high=high if math.isfinite(high) else None
    )


def combine(parts: Sequence[Measurement]) -> Measurement:
    """The mean of figures of parts that share no image, with its interval by Student's distribution.

    Raises:
        ValueError: There are fewer than two, or they were not measured alike.
    """
    if len(parts) < 2:
        raise ValueError(f"parts must be at least 2, got {len(parts)}")
    _refuse_unlike(parts, "combined")
    mean = student_interval([part.value for part in parts])
    settings = {**parts[0].settings, "parts": len(parts)}
    return replace(parts[0], value=mean.value, low=mean.low, high=mean.high, settings=settings)


def _reach(high: float | None, low: float | None) -> float:
    return math.inf if high is None or low is None else high - low


def _refuse_unlike(figures: Sequence[Measurement], verb: str) -> None:
    first = figures[0]
    for name, said in (
        ("measure", "measure"),
        ("space", "features (hash of classifier and data)"),
        ("rows", "number of images"),
        ("data_rows", "number of images of data"),
        ("settings", "settings"),
    ):
        for other in figures[1:]:
            if getattr(first, name) != getattr(other, name):
                raise ValueError(
                    f"{first.measure} can be {verb} only with the same {said}, "
                    f"got {getattr(first, name)} and {getattr(other, name)}"
                )
