"""Places of figures on their scales."""

import math

import pytest

from pentimento.training.reports.charts import curve, histogram, marks
from pentimento.training.reports.lines import Line


def line(**more):
    values = {"value": 2.0, "low": 1.0, "high": 3.0, "test": 9.0, "test_low": 8.0, "test_high": 11.0}
    about = {
        "name": "name",
        "title": "title",
        "meaning": "meaning",
        "good": "low",
        "rows": 10,
        "test_rows": 10,
    }
    return Line(**{**about, **values, **more})


def test_two_figures_share_a_scale():
    found = marks(line())
    assert 0 < found.drawn[0] < found.drawn[1] < found.drawn[2] < found.test[0] < found.test[2] < 100
    assert found.drawn[1] - found.drawn[0] == pytest.approx(found.drawn[2] - found.drawn[1], abs=0.02)


def test_what_nothing_bounds_goes_to_the_edge():
    assert marks(line(high=None)).drawn[2] == 100
    lonely = marks(line(low=None, high=None))
    assert lonely.drawn[0] == lonely.drawn[1] == lonely.drawn[2]
    assert marks(line(value=math.inf, high=None)).drawn[1] == 100
    with pytest.raises(ValueError, match="name has no figure of test images"):
        marks(line(test=None))


def test_a_curve_goes_from_the_left_to_the_right_and_down_where_it_falls():
    found = curve([1, 2, 5], [3.0, 2.0, 1.0], test=0.0)
    assert [x for x, _ in found.points] == [0, 25, 100]
    assert [y for _, y in found.points] == sorted(y for _, y in found.points)
    assert found.points[-1][1] < found.test <= 100 and (found.least, found.most) == (0.0, 3.0)
    flat = curve([1, 2], [1.0, 1.0], test=1.0)
    assert {y for _, y in flat.points} == {flat.test} and 0 < flat.test < 100
    lost = curve([1, 2], [math.nan, 1.0], test=0.0)
    assert all(0 <= y <= 100 for _, y in lost.points)


def test_small_shares_can_be_seen():
    found = histogram([0.0, 0.01, 0.99], [0.5, 0.5, 0.0])
    assert found.most == 0.99 and found.drawn == (0, pytest.approx(10.05, abs=0.01), 100)
    assert histogram([0.0], [0.0]).drawn == (0,)
