"""Tiny networks that generate and score points of the plane, for tests that look at what they learn."""

__all__ = ["distribution", "toy_config", "toy_players"]

import math
from dataclasses import replace

import torch
from torch import nn

from pentimento.models.adversarial.base import Judgement, OneShotGenerator, OneShotScorer
from pentimento.models.adversarial.config import OneShotConfig
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.families.one_shot.players import OneShotPlayers

HIDDEN = 64


class ToyGenerator(OneShotGenerator):
    """Generates a point of the plane, as a picture of one pixel with two channels."""

    def __init__(self):
        super().__init__()
        self.latent_dim, self.class_count, self.image_shape = 2, 0, (2, 1, 1)
        self.net = nn.Sequential(
            nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)
        )

    def forward(self, latent, label=None):
        return self.net(latent)[:, :, None, None]


class ToyScorer(OneShotScorer):
    """Scores a point of the plane."""

    def __init__(self):
        super().__init__()
        self.class_count = 0
        self.hidden = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
        self.last = nn.Linear(HIDDEN, 1)

    def forward(self, image, label=None):
        features = self.hidden(image.flatten(1))
        return Judgement(self.last(features)[:, 0], features, None)


def toy_config(objective, **changes):
    """A training of the toys, with an objective and its paper's settings."""
    config = OneShotTrainConfig(
        recipe="toy",
        dataset="toy",
        epochs=1,
        objective=objective,
        model=OneShotConfig(),
        **OBJECTIVES[objective].settings,
    )
    return replace(config, **changes)


def toy_players(config, seed=0):
    """Both networks with their optimisers, weights drawn from `seed`."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return OneShotPlayers(config, ToyGenerator(), ToyScorer(), torch.device("cpu"))


def distribution(name):
    """Centres of a mixture of Gaussians and their deviation, scaled as in the authors' toys."""
    if name == "ring":
        angles = 2 * math.pi * torch.arange(8) / 8
        return torch.stack([angles.cos(), angles.sin()], dim=1) * 2 / math.sqrt(2), 0.02 / math.sqrt(2)
    side = torch.arange(-4.0, 5.0, 2.0)
    return torch.cartesian_prod(side, side) / math.sqrt(8), 0.05 / math.sqrt(8)
