"""What a logit of a discriminator is taken to mean: the probability of being real, whatever its label was."""

import numpy as np
import pytest

from pentimento.bundle.facts import Scorer
from pentimento.service.engine.job import Emission
from pentimento.service.operations.drawing import read_scores


def scores(kind, logits, real_label=1.0):
    emission = Emission(step=1, tensors={"logit": np.array(logits, np.float32)}, elapsed_us=0)
    return read_scores(kind, [emission], real_label)


def test_without_smoothing_the_probability_is_the_sigmoid():
    found = scores("discriminator", [0.0, 2.0, -200.0]).probability
    np.testing.assert_allclose(found, [0.5, 1 / (1 + np.exp(-2)), 0.0], rtol=1e-6)


@pytest.mark.parametrize("ratio", [0.01, 1.0, 30.0])
def test_the_best_smoothed_discriminator_tells_the_true_probability(ratio):
    """For p / q = ratio it says a p / (p + q), and data are real with p / (p + q)."""
    label, real = 0.9, ratio / (1 + ratio)
    said = label * real
    logit = np.log(said / (1 - said))
    np.testing.assert_allclose(scores("discriminator", [logit], label).probability, [real], rtol=1e-5)


def test_a_discriminator_surer_than_its_label_says_one_and_no_more():
    assert scores("discriminator", [10.0], 0.9).probability == 1.0


def test_a_critic_has_no_probability_and_no_label():
    assert scores("critic", [3.0]).probability is None
    with pytest.raises(ValueError, match=r"a critic has no labels: real_label must be 1, got 0\.9"):
        Scorer(kind="critic", real_label=0.9)
    for label in (0.0, 1.1):
        with pytest.raises(ValueError, match="real_label"):
            Scorer(kind="discriminator", real_label=label)
