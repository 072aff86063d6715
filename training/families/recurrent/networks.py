"""From a model's configuration to its networks."""

__all__ = ["build_networks"]

import torch
from torch import nn

from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.models.recurrent.gran import GRAN, GRANConfig, GRANDiscriminator


def build_networks(config: GRANConfig, seed: int = 0) -> tuple[SequentialGenerator, nn.Module]:
    """The generator and the scorer, with weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GRAN(config), GRANDiscriminator(config)
