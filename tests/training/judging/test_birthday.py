"""The birthday test on generators of known support."""

import numpy as np
import pytest

from pentimento.training.judging.birthday import birthday_support, near_distance


def drawn(pictures, count, seed, probabilities=None):
    """Drawings of so many pictures, with a little noise; two pictures are at least 10 apart."""
    draw = np.random.default_rng(seed)
    chosen = draw.choice(pictures, count, p=probabilities)
    return 10.0 * chosen[:, None] + 0.01 * draw.standard_normal((count, 1))


def test_the_support_is_found_and_covered():
    found = [birthday_support(drawn(500, 200, seed), threshold=1) for seed in range(200)]
    assert np.median([each.support for each in found]) == pytest.approx(500, rel=0.1)
    assert 0.92 <= np.mean([each.low <= 500 <= (each.high or np.inf) for each in found]) <= 1


def test_frequent_pictures_count_more_and_widen_the_interval():
    """A tenth of the drawings is one picture: 1 / sum p^2 of about 84, not 900."""
    shares = np.full(900, 0.9 / 899)
    shares[0] = 0.1
    truth = 1 / (shares**2).sum()
    found = [birthday_support(drawn(900, 200, seed, shares), threshold=1) for seed in range(200)]
    assert 0.9 <= np.mean([each.low <= truth <= each.high for each in found]) <= 1


def test_without_a_pair_there_is_only_a_lower_end():
    found = birthday_support(10.0 * np.arange(50)[:, None], threshold=1)
    assert found.pairs == 0 and found.high is None
    assert found.support == 50 * 49 and found.low == pytest.approx(50 * 49 / 2 / 3.689, rel=1e-3)


def test_one_picture_alone():
    found = birthday_support(np.zeros((30, 4)), threshold=0)
    assert found.pairs == 435 and found.support == 1


def test_the_threshold_is_the_datas_own():
    real = np.array([0.0, 1, 3, 6, 10])[:, None]  # nearest others: 1, 1, 2, 3, 4
    assert near_distance(real, share=0) == 1 and near_distance(real, share=1) == 4
    assert near_distance(real, share=0.5) == 2


def test_too_few_drawings_are_refused():
    with pytest.raises(ValueError, match="drawings must be at least 3, got 2"):
        birthday_support(np.zeros((2, 4)), 1)
    with pytest.raises(ValueError, match="images must be at least 2, got 1"):
        near_distance(np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"share must be 0\.\.1, got 2"):
        near_distance(np.zeros((9, 4)), 2)
