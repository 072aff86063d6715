"""Measures of drawings by features: known distances, chance for equal sets, certainty for unequal ones."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import KNeighborsClassifier

from pentimento.training.judging.frechet import frechet_distance
from pentimento.training.judging.mmd import kernel_mmd
from pentimento.training.judging.two_sample import TwoSampleErrors, naive_bayes_errors, neighbour_errors


@pytest.fixture
def normal():
    return np.random.default_rng(3).standard_normal


def test_the_frechet_distance_of_gaussians_is_the_known_one(normal):
    """Between N(0, I) and N(m, s^2 I) in F dimensions it is |m|^2 + F (1 - s)^2."""
    a, b = normal((200_000, 3)), 2 * normal((200_000, 3)) + np.array([1.0, 0.0, 2.0])
    assert frechet_distance(a, b) == pytest.approx(5 + 3, rel=0.02)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))


def test_the_frechet_distance_is_the_formula_with_a_matrix_root(normal):
    mixing = normal((5, 5))
    a, b = normal((300, 5)) @ mixing, normal((400, 5)) + 1
    covariances = [np.cov(part, rowvar=False) for part in (a, b)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(sum(covariances) - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_features_that_never_vary_have_a_frechet_distance(normal):
    a, b = normal((50, 4)), normal((50, 4))
    a[:, 1] = b[:, 1] = 0.0
    assert 0 <= frechet_distance(a, b) < 2
    assert frechet_distance(a[:, 1:2], b[:, 1:2] + 3) == pytest.approx(9)


def test_the_discrepancy_is_the_formula(normal):
    a, b = normal((40, 3)), normal((30, 3)) + 0.5
    both = np.concatenate([a, b])
    mean_squared = ((both[:, None] - both[None]) ** 2).sum(-1).mean()
    gamma = 1 / (2 * mean_squared)
    kaa, kbb, kab = (rbf_kernel(x, y, gamma=gamma) for x, y in ((a, a), (b, b), (a, b)))
    found = kernel_mmd(a, b)
    assert found.biased == pytest.approx(np.sqrt(kaa.mean() + kbb.mean() - 2 * kab.mean()))
    off = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (kaa, kbb)]
    assert found.squared == pytest.approx(sum(off) - 2 * kab.mean())
    assert kernel_mmd(7 * a, 7 * b).squared == pytest.approx(found.squared)


def test_the_unbiased_discrepancy_of_two_equal_sets_is_zero_on_the_mean(normal):
    values = np.array([kernel_mmd(normal((40, 4)), normal((40, 4))).squared for _ in range(200)])
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(200)
    assert 0.3 < (values < 0).mean() < 0.8
    assert kernel_mmd(normal((40, 4)), normal((40, 4)) + 1).squared > 5 * values.std()


def test_two_equal_samples_that_do_not_vary_do_not_differ():
    same = np.ones((5, 2))
    assert kernel_mmd(same, same) == (0.0, 0.0)


@pytest.mark.parametrize("errors", [neighbour_errors, naive_bayes_errors])
def test_a_two_sample_classifier_is_at_chance_for_halves_and_sure_of_noise(errors, normal):
    same = errors(normal((2000, 6)), normal((2000, 6)))
    assert same.mean == pytest.approx(0.5, abs=0.05)
    apart = errors(normal((400, 6)), normal((400, 6)) + 5)
    assert apart == (0.0, 0.0)


def test_naive_bayes_says_data_to_both_kinds_where_drawings_are_within_them(normal):
    """So the larger error alone looks good, and the two together do not."""
    wide, narrow = normal((4000, 1)), 0.3 * normal((4000, 1))
    found = naive_bayes_errors(wide, narrow)
    assert found.on_real > 0.35 and found.on_drawn < 0.15 and found.worst == found.on_real


def test_errors_are_asked_of_those_that_did_not_teach(normal):
    """Drawings that copy data of the teaching half do not look like the other half's."""
    real = normal((200, 8))
    assert neighbour_errors(real, real.copy()).mean > 0.3
    assert TwoSampleErrors(0.2, 0.6).worst == 0.6 and TwoSampleErrors(0.2, 0.6).mean == 0.4


@pytest.mark.parametrize("measure", [frechet_distance, kernel_mmd])
def test_too_few_rows_or_other_features_are_refused(measure, normal):
    with pytest.raises(ValueError, match=r"got \(1, 3\) and \(9, 3\)"):
        measure(normal((1, 3)), normal((9, 3)))
    with pytest.raises(ValueError, match=r"got \(9, 2\) and \(9, 3\)"):
        measure(normal((9, 2)), normal((9, 3)))


@pytest.mark.parametrize("errors", [neighbour_errors, naive_bayes_errors])
def test_a_kind_of_one_sample_is_refused(errors, normal):
    with pytest.raises(ValueError, match="need two rows of both kinds, got 1 and 9"):
        errors(normal((1, 3)), normal((9, 3)))


def test_more_neighbours_vote_as_scikit_learns(normal):
    real, drawn = normal((60, 3)), normal((40, 3)) + 0.5
    known, asked = np.concatenate([real[:30], drawn[:20]]), np.concatenate([real[30:], drawn[20:]])
    kinds = np.repeat([0, 1], [30, 20])
    said = KNeighborsClassifier(5).fit(known, kinds).predict(asked)
    assert neighbour_errors(real, drawn, 5) == pytest.approx((said[:30].mean(), 1 - said[30:].mean()))
    for wrong in (4, 0, 51):
        with pytest.raises(ValueError, match=rf"neighbours must be odd and 1\.\.50 .*, got {wrong}"):
            neighbour_errors(real, drawn, wrong)


@pytest.mark.parametrize("errors", [neighbour_errors, naive_bayes_errors])
def test_halves_of_the_data_are_told_apart_by_chance_and_noise_surely(errors, dataset):
    pixels = dataset.train.images.reshape(len(dataset.train.images), -1) / 255
    order = np.random.default_rng(0).permutation(len(pixels))
    half = len(order) // 2
    same = errors(pixels[order[:half]], pixels[order[half:]])
    assert same.mean == pytest.approx(0.5, abs=0.1)
    noise = np.random.default_rng(1).random((half, pixels.shape[1]))
    apart = errors(pixels[:half], noise)  # by so few digits, naive Bayes knows not all that pixels can be
    assert apart.on_drawn == 0 and apart.mean < 0.2
