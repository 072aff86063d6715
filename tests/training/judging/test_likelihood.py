"""Bounds by hand, and images that are drawn for them."""

import math

import numpy as np
import pytest
import torch

from pentimento.training.data.datasets import Split
from pentimento.training.judging.likelihood import importance_figures, random_images


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
