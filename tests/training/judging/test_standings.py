"""Duels: nobody is judged by his own judge, a strict judge costs nothing, reference sets count for nobody."""

import math

import numpy as np
import pytest

from pentimento.training.judging.standings import duel_shares


def shares(fooled, judged, rivals=None, total=100):
    fooled = np.array(fooled)
    rivals = np.ones(len(fooled), bool) if rivals is None else np.array(rivals)
    return duel_shares(fooled, total, np.array(judged, bool), rivals)


def test_the_better_one_wins_before_every_judge_however_strict():
    judged = np.ones((3, 2), bool)
    found = shares([[90, 9], [50, 5], [10, 1]], judged)
    assert [each.share for each in found] == [1, 0.5, 0]
    assert all(each.low <= each.share <= each.high for each in found)
    assert found[0].low > 0.5 > found[2].high


def test_alike_drawers_share_their_duels():
    found = shares([[30, 70], [30, 70]], np.ones((2, 2), bool))
    assert [each.share for each in found] == [0.5, 0.5]
    assert found[0].low < 0.5 < found[0].high


def test_nobody_meets_another_before_a_judge_of_one_of_them():
    """Drawers 0 and 1 have the judges 0 and 1: only with drawer 2 have they a neutral judge each."""
    judged = ~np.eye(3, 2, dtype=bool)
    found = shares([[0, 80], [80, 0], [50, 50]], judged)
    assert [each.share for each in found] == [1, 1, 0], "what their own judges said, 0, counts for nothing"


def test_without_a_neutral_judge_there_is_no_share():
    found = shares([[0], [5]], [[False], [True]])
    assert all(math.isnan(figure) for each in found for figure in each)


def test_reference_sets_meet_the_others_and_count_for_nobody():
    judged = np.ones((3, 1), bool)
    found = shares([[20], [10], [95]], judged, rivals=[True, True, False])
    assert [each.share for each in found] == [1, 0, 1]


@pytest.mark.parametrize("total", [20, 2000])
def test_more_drawings_make_narrower_intervals(total):
    rates = np.array([[0.5, 0.5], [0.55, 0.55], [0.6, 0.6]])
    found = shares((rates * total).astype(int), np.ones((3, 2), bool), total=total)
    width = found[1].high - found[1].low
    assert width > 0.4 if total == 20 else width <= 0.25
