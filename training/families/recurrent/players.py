"""Generator and discriminator of a training in steps, with their optimisers and the generator's average."""

__all__ = ["RecurrentPlayers"]

import torch

from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.training.families.recurrent.config import RecurrentConfig
from pentimento.training.families.recurrent.networks import build_networks
from pentimento.training.loop.players import Players


class RecurrentPlayers(Players[SequentialGenerator]):
    """Networks, optimisers and averaged weights, all that an iteration changes.

    Attributes:
        generator: The generator that learns; `average` is what is evaluated and exported.
        scorer: The discriminator.
        generator_optimizer: Adam for the generator.
        scorer_optimizer: Adam for the discriminator.
    """

    def __init__(self, config: RecurrentConfig, device: torch.device) -> None:
        generator, scorer = build_networks(config.model, config.seed)
        # Channels last is the layout that convolutions in bfloat16 are fast in.
        layout = torch.channels_last
        self.generator = generator.to(device, memory_format=layout).train()
        self.scorer = scorer.to(device, memory_format=layout).train()
        betas = (config.beta1, config.beta2)
        self.generator_optimizer = torch.optim.Adam(generator.parameters(), config.generator_rate, betas)
        self.scorer_optimizer = torch.optim.Adam(scorer.parameters(), config.scorer_rate, betas)
        super().__init__(
            self.generator,
            {"generator": self.generator, "scorer": self.scorer},
            {"generator_optimizer": self.generator_optimizer, "scorer_optimizer": self.scorer_optimizer},
            decay=config.average_decay,
        )
