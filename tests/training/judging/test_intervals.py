"""Intervals cover at their rate: on toys whose mean figure is known, or found from many more samples."""

import numpy as np
import pytest
from scipy import stats

from pentimento.training.judging.classifier_score import classifier_scores
from pentimento.training.judging.frechet import frechet_distance, frechet_error
from pentimento.training.judging.intervals import (
    bootstrap_errors,
    count_interval,
    half_sample_errors,
    normal_interval,
    share_interval,
    student_interval,
)
from pentimento.training.judging.manifolds import Manifold, manifold, manifold_errors
from pentimento.training.judging.mmd import kernel_mmd, mmd_errors
from pentimento.training.judging.two_sample import naive_bayes_errors, spread_of_errors

AGAIN = {"replicates": 40, "seed": 1}


def coverage(intervals, truth):
    return np.mean([low <= truth <= high for _, low, high in intervals])


def pairs(count, rows=100):
    """Samples of two Gaussians that lie apart."""
    normal = np.random.default_rng(7).standard_normal
    return [(normal((rows, 2)), 1.2 * normal((rows, 2)) + 0.7) for _ in range(count)]


def test_a_bootstrap_and_halves_have_the_error_of_a_mean():
    sample = np.random.default_rng(0).standard_normal(400)
    expected = sample.std() / 20
    for errors in (bootstrap_errors, half_sample_errors):
        (found,) = errors(lambda rows: [sample[rows[0]].mean()], [400], replicates=2000, seed=3)
        assert found == pytest.approx(expected, rel=0.07)


def test_the_frechet_distance_is_covered():
    truth = np.mean([frechet_distance(*pair) for pair in pairs(400)])
    found = [
        normal_interval(frechet_distance(*pair), frechet_error(*pair, **AGAIN), 0.0) for pair in pairs(100)
    ]
    assert 0.9 <= coverage(found, truth) <= 0.99


def test_both_forms_of_the_discrepancy_are_covered():
    truth = np.mean([kernel_mmd(*pair) for pair in pairs(400)], axis=0)
    asked = [(kernel_mmd(*pair), mmd_errors(*pair, **AGAIN)) for pair in pairs(100)]
    for form in range(2):
        found = [normal_interval(values[form], errors[form]) for values, errors in asked]
        assert 0.9 <= coverage(found, truth[form]) <= 0.99


def test_what_balls_say_is_covered():
    truth = np.mean([manifold(*pair) for pair in pairs(400)], axis=0)
    asked = [(manifold(*pair), manifold_errors(*pair, **AGAIN)) for pair in pairs(100)]
    for name, mean in zip(Manifold._fields, truth, strict=True):
        each = [(getattr(values, name), getattr(errors, name)) for values, errors in asked]
        if name == "density":
            found = [normal_interval(value, error, 0.0) for value, error in each]
        else:
            found = [share_interval(value, error, 100) for value, error in each]
        assert 0.9 <= coverage(found, mean) <= 1, name


def test_errors_of_a_two_sample_test_are_covered():
    truth = np.mean([naive_bayes_errors(*pair).on_drawn for pair in pairs(200)])
    found = []
    for pair in pairs(40):
        error = spread_of_errors(naive_bayes_errors, *pair, replicates=12, seed=1)
        found.append(share_interval(naive_bayes_errors(*pair).on_drawn, error.on_drawn, 50))
    assert 0.9 <= coverage(found, truth) <= 1


def test_the_classifier_score_is_covered():
    draw = np.random.default_rng(2)

    def interval():
        return student_interval(classifier_scores(draw.dirichlet([0.3] * 5, 300)))

    truth = np.mean([interval().value for _ in range(1000)])
    assert 0.92 <= coverage([interval() for _ in range(300)], truth) <= 0.98


def test_shares_at_an_end_have_an_interval_and_wilsons_elsewhere():
    assert share_interval(0.0, 0.0, 100)[1:] == pytest.approx((0, 0.037), abs=1e-3)
    assert share_interval(1.0, 0.0, 100)[1:] == pytest.approx((0.963, 1), abs=1e-3)
    expected = stats.binomtest(30, 100).proportion_ci(method="wilson")
    assert share_interval(0.3, np.sqrt(0.3 * 0.7 / 100), 100)[1:] == pytest.approx(tuple(expected))
    wide = share_interval(0.3, 2 * np.sqrt(0.3 * 0.7 / 100), 100)
    assert wide[1:] == pytest.approx(share_interval(0.3, 0, 25)[1:])


def test_counts_have_poissons_exact_interval():
    assert count_interval(0) == pytest.approx((0, 3.689), abs=1e-3)
    assert count_interval(10) == pytest.approx((4.795, 18.39), abs=1e-2)
    assert count_interval(10, dispersion=5)[1] > 25


def test_students_interval_is_scipys():
    values = [1.0, 2.0, 4.0]
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert student_interval(values)[1:] == pytest.approx(tuple(expected))


@pytest.mark.parametrize("errors", [bootstrap_errors, half_sample_errors])
def test_too_few_rows_or_replicates_are_refused(errors):
    with pytest.raises(ValueError, match="at least 10 rows of each set, got 9"):
        errors(lambda rows: [0.0], [20, 9], replicates=5, seed=0)
    with pytest.raises(ValueError, match=r"replicates must be 2\.\.10000, got 1"):
        errors(lambda rows: [0.0], [20], replicates=1, seed=0)
