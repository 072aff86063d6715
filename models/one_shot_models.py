"""From the name of an architecture to its networks: generators that draw in one step, and their scorers."""

__all__ = ["ARCHITECTURES", "Builder", "OneShotConfig", "build_one_shot"]

from collections.abc import Callable

import torch

from models.one_shot import OneShotGenerator, OneShotScorer
from models.one_shot_config import OneShotConfig

Builder = Callable[[OneShotConfig], tuple[OneShotGenerator, OneShotScorer]]

ARCHITECTURES: dict[str, Builder] = {}


def build_one_shot(config: OneShotConfig, seed: int = 0) -> tuple[OneShotGenerator, OneShotScorer]:
    """The generator and the scorer, with weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[config.architecture](config)
