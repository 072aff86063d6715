"""Builds generator and discriminator from a model's configuration."""

__all__ = ["build_networks"]

import torch
from torch import nn

from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.models.recurrent.gran import GRAN, GRANConfig, GRANDiscriminator


def build_networks(config: GRANConfig, seed: int = 0) -> tuple[SequentialGenerator, nn.Module]:
    """Generator and discriminator with initial weights from `seed`; torch's random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GRAN(config), GRANDiscriminator(config)
