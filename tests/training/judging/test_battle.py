"""The battle: exchanged sides invert it, its intervals cover at their rate, each decides by its own label."""

import math

import numpy as np
import pytest

from pentimento.training.judging.battle import (
    Corner,
    decision_logit,
    drawing_errors,
    image_errors,
    meet,
)


def said(wrong, total, *, of_data):
    """Logits of which so many are wrong: +-1, about data or about drawings."""
    right = 1.0 if of_data else -1.0
    return np.array([-right] * wrong + [right] * (total - wrong))


def corner(test_wrong, rival_wrong, total=1000, real_label=1.0):
    return Corner(
        real_label=real_label,
        test=said(test_wrong, total, of_data=True),
        rival=said(rival_wrong, total, of_data=False),
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (corner(100, 50), corner(110, 200)),
        (corner(10, 300), corner(200, 1)),
        (corner(0, 0), corner(5, 0)),
        (corner(70, 90), corner(70, 90)),
    ],
)
def test_exchanged_sides_invert_everything(first, second):
    one, two = meet(first, second), meet(second, first)
    for ours, theirs in ((one.test_ratio, two.test_ratio), (one.sample_ratio, two.sample_ratio)):
        assert ours.ratio == pytest.approx(1 / theirs.ratio, rel=1e-12)
        assert ours.low == pytest.approx(1 / theirs.high, rel=1e-12)
        assert ours.high == pytest.approx(1 / theirs.low, rel=1e-12)
        assert 0 < ours.low <= ours.ratio <= ours.high < math.inf
    other = {"first": "second", "second": "first"}
    assert two.outcome == other.get(one.outcome, one.outcome)
    assert one.accuracy_ratio == pytest.approx(1 / two.accuracy_ratio)


def test_the_ratios_are_those_of_the_paper():
    found = meet(corner(100, 50), corner(110, 200))
    assert found.test_ratio.ratio == pytest.approx(100.5 / 110.5)
    assert found.sample_ratio.ratio == pytest.approx(50.5 / 200.5)
    assert [errors.wrong for errors in found.test_errors] == [100, 110]
    assert [errors.rate for errors in found.rival_errors] == [0.05, 0.2]
    assert found.outcome == "first" and found.decided


def test_against_itself_both_ratios_are_one():
    same = corner(80, 120)
    found = meet(same, same)
    assert found.test_ratio.ratio == found.sample_ratio.ratio == found.accuracy_ratio == 1
    assert found.outcome == "undecided" and not found.decided
    assert found.test_ratio.high - 1 < found.sample_ratio.high - 1, (
        "the same test images, not the same drawings"
    )


@pytest.mark.parametrize(
    ("wrong", "tolerance", "outcome"),
    [
        (100, 0.3, "first"),
        (130, 0.3, "first"),
        (131, 0.3, "not applicable"),
        (77, 0.3, "first"),
        (76, 0.3, "not applicable"),
        (131, 0.5, "first"),
        (110, 0.05, "not applicable"),
    ],
)
def test_a_test_ratio_out_of_tolerance_is_not_applicable(wrong, tolerance, outcome):
    assert meet(corner(wrong, 50), corner(100, 200), tolerance=tolerance).outcome == outcome
    swapped = {"first": "second"}.get(outcome, outcome)
    assert meet(corner(100, 200), corner(wrong, 50), tolerance=tolerance).outcome == swapped


def test_near_one_it_is_undecided():
    assert meet(corner(100, 100), corner(100, 110)).outcome == "undecided"
    assert meet(corner(1000, 1000, 10_000), corner(1000, 1200, 10_000)).outcome == "first"


def test_each_side_decides_at_half_of_its_own_label():
    """A logit of -0.1 is data to a discriminator of smoothed labels, and drawn to the other."""
    assert decision_logit(1.0) == 0
    assert decision_logit(0.9) == pytest.approx(math.log(0.45 / 0.55))
    logits = np.full(10, -0.1)
    assert image_errors(logits, 0.9).wrong == 0 and image_errors(logits, 1.0).wrong == 10
    assert drawing_errors(logits, 0.9).wrong == 10 and drawing_errors(logits, 1.0).wrong == 0
    smooth = Corner(real_label=0.9, test=logits, rival=logits)
    plain = Corner(real_label=1.0, test=logits, rival=logits)
    found = meet(smooth, plain)
    assert [errors.wrong for errors in found.test_errors] == [0, 10]
    assert [errors.wrong for errors in found.rival_errors] == [10, 0]
    assert found.accuracy_ratio == 1, "the authors' program decides at 1/2 whatever the labels were"
    at = np.array([decision_logit(0.9)])
    assert drawing_errors(at, 0.9).wrong == 1 and image_errors(at, 0.9).wrong == 0, "as likely as not is data"


def test_the_ratio_of_accuracies_agrees_in_its_direction_only():
    found = meet(corner(100, 300), corner(100, 600))
    assert found.sample_ratio.ratio < 1 < found.accuracy_ratio
    assert found.accuracy_ratio == pytest.approx(0.7 / 0.4)
    assert math.isnan(meet(corner(1, 1, 9), corner(1, 9, 9)).accuracy_ratio)


def test_intervals_cover_at_their_rate():
    """Test images are judged alike by both, so that a third of the errors are shared; drawings are not."""
    random = np.random.default_rng(3)
    shares = [0.04, 0.04, 0.08, 0.84]  # both wrong, the first, the second, none
    true_test, true_sample = 0.08 / 0.12, 0.05 / 0.15
    covered = {"test": 0, "sample": 0}
    repeats, rows = 400, 400
    for _ in range(repeats):
        kinds = random.choice(4, rows, p=shares)
        rivals = [np.where(random.random(rows) < rate, 1.0, -1.0) for rate in (0.05, 0.15)]
        tests = [np.where(np.isin(kinds, wrong), -1.0, 1.0) for wrong in ((0, 1), (0, 2))]
        found = meet(*(Corner(real_label=1.0, test=t, rival=r) for t, r in zip(tests, rivals, strict=True)))
        covered["test"] += found.test_ratio.low <= true_test <= found.test_ratio.high
        covered["sample"] += found.sample_ratio.low <= true_sample <= found.sample_ratio.high
    for name, count in covered.items():
        assert 0.92 <= count / repeats <= 0.98, name


def test_what_cannot_be_counted_is_refused():
    side = corner(1, 1, 10)
    for tolerance in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="tolerance must be above 0 and finite"):
            meet(side, side, tolerance=tolerance)
    with pytest.raises(ValueError, match="the same test images, got 10 and 20"):
        meet(side, corner(1, 1, 20))
    nothing = Corner(real_label=1.0, test=np.zeros(0), rival=np.zeros(0))
    with pytest.raises(ValueError, match="at least one test image"):
        meet(nothing, nothing)
    with pytest.raises(ValueError, match=r"must be in \(0, 1\], got 1.2"):
        decision_logit(1.2)
