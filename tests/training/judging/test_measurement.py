"""Figures say what they depend on, and those that differ in it are neither compared nor combined."""

from dataclasses import replace

import numpy as np
import pytest

from pentimento.training.judging.measurement import Measurement, combine, compare

FIGURE = Measurement(
    measure="frechet",
    value=5.0,
    low=4.0,
    high=7.0,
    rows=100,
    data_rows=90,
    space="aa",
    settings={"neighbours": 1},
)


def test_a_difference_has_an_interval_of_both():
    other = replace(FIGURE, value=1.0, low=-2.0, high=1.5)
    found = compare(FIGURE, other)
    assert (found.value, found.low) == (4.0, pytest.approx(4 - np.hypot(1, 0.5)))
    assert found.high == pytest.approx(4 + np.hypot(2, 3))
    assert found.verdict(-1) == "worse" and found.verdict(1) == "better"
    back = compare(other, FIGURE)
    assert (back.value, back.low, back.high) == (-4.0, -found.high, -found.low)
    assert back.verdict(-1) == "better" and compare(FIGURE, FIGURE).verdict(-1) == "undecided"


def test_what_nothing_bounds_stays_unbounded():
    found = compare(replace(FIGURE, high=None), replace(FIGURE, value=1.0, low=0.0, high=2.0))
    assert found.high is None and found.low == pytest.approx(4 - np.hypot(1, 1))
    assert found.verdict(1) == "better"
    assert compare(FIGURE, replace(FIGURE, high=None)).low is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"space": "bb"}, r"same features \(hash of classifier and data\), got aa and bb"),
        ({"rows": 99}, "same number of images, got 100 and 99"),
        ({"data_rows": 80}, "same number of images of data, got 90 and 80"),
        ({"measure": "mmd"}, "same measure, got frechet and mmd"),
        ({"settings": {"neighbours": 3}}, r"same settings, got \{'neighbours': 1\} and \{'neighbours': 3\}"),
    ],
)
def test_figures_that_were_measured_otherwise_are_refused(changed, sentence):
    with pytest.raises(ValueError, match=f"frechet can be compared only with the {sentence}"):
        compare(FIGURE, replace(FIGURE, **changed))
    with pytest.raises(ValueError, match=f"frechet can be combined only with the {sentence}"):
        combine([FIGURE, FIGURE, replace(FIGURE, **changed)])


def test_parts_are_combined_to_their_mean():
    found = combine([replace(FIGURE, value=value, low=None, high=None) for value in (1.0, 2.0, 4.0)])
    assert found.value == pytest.approx(7 / 3) and found.settings == {"neighbours": 1, "parts": 3}
    assert found.high - found.value == pytest.approx(4.303 * np.std([1, 2, 4], ddof=1) / np.sqrt(3), rel=1e-3)
    with pytest.raises(ValueError, match="parts must be at least 2, got 1"):
        combine([FIGURE])


def test_a_figure_without_an_interval_is_not_compared():
    with pytest.raises(ValueError, match="frechet has a figure without an interval"):
        compare(FIGURE, replace(FIGURE, low=None, high=None))
