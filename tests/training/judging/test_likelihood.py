"""Bounds by hand, and images that are drawn for them."""

import math

import numpy as np
import pytest
import torch

from pentimento.training.data.datasets import Split
from pentimento.training.judging.likelihood import importance_curve, importance_figures, random_images


def test_bounds_by_hand():
    weights = torch.tensor([[-1.0, -2.0], [-3.0, -2.0]])  # two latents of two images
    found = importance_figures(weights, binarisation="none", seed=4)
    tight = [-math.log((math.exp(-1) + math.exp(-3)) / 2), 2.0]
    assert found["nats"] == pytest.approx(sum(tight) / 2, abs=1e-4)
    assert found["elbo_nats"] == 2.0 and found["nats"] < found["elbo_nats"]
    assert (found["rows"], found["importance_samples"], found["seed"]) == (2, 2, 4)


def test_random_images_are_not_the_first_ones_and_the_same_each_time():
    split = Split(
        images=np.arange(1000, dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(1, 0),
        labels=np.arange(1000, dtype=np.int64),
    )
    chosen = random_images(split, 50, seed=1)
    assert len(set(chosen.labels)) == 50 and chosen.labels.max() > 500
    assert (chosen.images[:, 0, 0, 0] == chosen.labels.astype(np.uint8)).all()
    assert (random_images(split, 50, seed=1).labels == chosen.labels).all()
    assert (random_images(split, 50, seed=2).labels != chosen.labels).any()
    assert random_images(split, 1000, seed=1) is split


def test_the_curve_of_a_gaussian_falls_to_its_likelihood():
    """p(z) = N(0, 1), p(x|z) = N(z, 1), so p(x) = N(0, 2); latents are drawn from q = N(x/2, 1), too wide."""
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(400, generator=draw) * math.sqrt(2)
    z = x / 2 + torch.randn(500, 400, generator=draw)

    def density(at, variance=1.0):
        return -0.5 * (math.log(2 * math.pi * variance) + at.square() / variance)

    weights = density(z) + density(x - z) - density(z - x / 2)
    curve = importance_curve(weights, binarisation="none", space="aa")
    one, fifty, all_of_them = (figure.value for figure in curve)
    truth = -density(x, 2.0).mean().item()
    assert one > fifty > all_of_them > truth - 0.01
    assert one == pytest.approx(-weights.mean().item()) and all_of_them == pytest.approx(truth, abs=0.01)
    last = importance_figures(weights, binarisation="none", seed=1)
    assert all_of_them == pytest.approx(last["nats"], abs=1e-4)
    assert [figure.settings["importance_samples"] for figure in curve] == [1, 50, 500]
    assert all(figure.rows == 400 and figure.low < figure.value < figure.high for figure in curve)


def test_a_curve_of_more_latents_than_there_are_is_refused():
    with pytest.raises(ValueError, match=r"samples must be 1\.\.3, .*, got \[1, 4\]"):
        importance_curve(torch.zeros(3, 5), binarisation="none", space="aa", samples=(1, 4))
    with pytest.raises(ValueError, match="images must be at least 2, got 1"):
        importance_curve(torch.zeros(3, 1), binarisation="none", space="aa", samples=(1,))
