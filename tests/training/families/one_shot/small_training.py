"""Configurations of one-shot trainings that take seconds, for tests."""

__all__ = ["CLASSIFIED", "CONDITIONED", "SMALL", "players_of", "small", "weights_of"]

from dataclasses import replace

import torch

from pentimento.models.adversarial.architectures import build_one_shot
from pentimento.models.adversarial.config import OneShotConfig
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.families.one_shot.players import OneShotPlayers

CONDITIONED = {"class_count": 10, "conditioning": "concat"}
CLASSIFIED = {"class_count": 10, "conditioning": "classifier"}

SMALL = OneShotTrainConfig(
    recipe="small",
    model=OneShotConfig(width=4, latent_dim=6),
    objective="wgan_gp",
    dataset="slice",
    epochs=2,
    batch_rows=10,
    evaluation_iterations=4,
    log_iterations=2,
    checkpoint_iterations=3,  # at other times than the log's lines and the epochs
    sheet_iterations=6,
    evaluation_rows=60,
    statistics_rows=60,
    held_out_rows=30,
    **{**OBJECTIVES["wgan_gp"].settings, "scorer_updates": 2},
)


def small(objective="wgan_gp", *, model=None, **changes):
    """A small training with another objective and other values; `model` holds changes of the networks."""
    plain = {"gradient_penalty": 0.0, "weight_clip": None}
    settings = {**plain, **OBJECTIVES[objective].settings, "scorer_updates": 2}
    chosen = replace(SMALL.model, **(model or {}))
    return replace(SMALL, **{"objective": objective, "model": chosen, **settings, **changes})


def players_of(config):
    """Both networks with their optimisers, at the start of a training."""
    return OneShotPlayers(config, *build_one_shot(config.model, config.seed), torch.device("cpu"))


def weights_of(network):
    """All weights of a network as one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
