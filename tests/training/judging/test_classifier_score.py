"""The inception score's formula: its ends, its parts, and what it does not see."""

import numpy as np
import pytest
from scipy.stats import entropy

from pentimento.training.judging.classifier_score import classifier_scores


def test_the_ends_of_the_score():
    sure = np.eye(4)[np.arange(400) % 4]
    assert classifier_scores(sure, splits=2) == pytest.approx([4, 4])
    assert classifier_scores(np.full((400, 4), 0.25), splits=1) == pytest.approx([1])
    assert classifier_scores(np.eye(4)[np.zeros(400, int)], splits=1) == pytest.approx([1])


def test_each_part_is_the_formula_by_scipy():
    probabilities = np.random.default_rng(0).dirichlet([0.4] * 5, 100)
    found = classifier_scores(probabilities, splits=4)
    for score, part in zip(found, np.split(probabilities, 4), strict=True):
        mean = part.mean(0)
        assert score == pytest.approx(np.exp(np.mean([entropy(row, mean) for row in part])))
    # Fewer images a part give lower scores.
    assert found.mean() < classifier_scores(probabilities, splits=1)[0]


def test_parts_of_one_image_are_refused():
    with pytest.raises(ValueError, match=r"splits must be 1\.\.9 for so many images, got 10"):
        classifier_scores(np.full((19, 2), 0.5))
