"""Encoder, generator and discriminator of a bidirectional training, with their optimisers and the average."""

__all__ = ["BidirectionalPlayers"]

import torch

from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.training.families.bidirectional.config import BidirectionalConfig, build_model
from pentimento.training.loop.players import Players


class BidirectionalPlayers(Players[BidirectionalGAN]):
    """Networks, optimisers and averaged weights, all that an iteration changes.

    Attributes:
        model: What learns; `average` is what is evaluated, and of which encoder and generator are exported.
        generator_optimizer: Adam for encoder and generator.
        scorer_optimizer: Adam for the discriminator.
    """

    def __init__(self, config: BidirectionalConfig, device: torch.device) -> None:
        self.model = build_model(config.model, config.seed).to(device).train()
        betas = (config.beta1, config.beta2)
        pair = [*self.model.encoder.parameters(), *self.model.generator.parameters()]
        self.generator_optimizer = torch.optim.Adam(pair, config.generator_rate, betas)
        self.scorer_optimizer = torch.optim.Adam(
            self.model.discriminator.parameters(), config.scorer_rate, betas
        )
        super().__init__(
            self.model,
            {"model": self.model},
            {"generator_optimizer": self.generator_optimizer, "scorer_optimizer": self.scorer_optimizer},
            decay=config.average_decay,
        )
