"""DRAW and discriminator of a training, with their optimisers and the DRAW's averaged weights."""

__all__ = ["DRAWGANPlayers"]

import torch

from pentimento.models.recurrent.draw import DRAW
from pentimento.training.families.draw_gan.config import DRAWGANTrainConfig, build_draw_gan
from pentimento.training.loop.players import Players


class DRAWGANPlayers(Players[DRAW]):
    """Networks, optimisers and averaged weights, all that an iteration changes.

    Attributes:
        model: What learns; `average`, of its DRAW, is what is evaluated and exported.
        encoder_optimizer: Adam for what names the posterior.
        decoder_optimizer: Adam for what draws: the two may wait for each other.
        scorer_optimizer: Adam for the discriminator.
    """

    def __init__(self, config: DRAWGANTrainConfig, device: torch.device) -> None:
        self.model = build_draw_gan(config.model, config.seed).to(device).train()
        betas = (config.beta1, config.beta2)
        self.encoder_optimizer = torch.optim.Adam(self.model.encoder_parameters(), config.rate, betas)
        self.decoder_optimizer = torch.optim.Adam(self.model.decoder_parameters(), config.rate, betas)
        self.scorer_optimizer = torch.optim.Adam(
            self.model.discriminator.parameters(), config.scorer_rate, (config.scorer_beta1, config.beta2)
        )
        super().__init__(
            self.model.draw,
            {"draw": self.model.draw, "scorer": self.model.discriminator},
            {
                "encoder_optimizer": self.encoder_optimizer,
                "decoder_optimizer": self.decoder_optimizer,
                "scorer_optimizer": self.scorer_optimizer,
            },
            decay=config.average_decay,
        )
