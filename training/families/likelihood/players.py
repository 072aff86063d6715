"""The model of a training by maximum likelihood, with its optimiser and its averaged weights."""

__all__ = ["LikelihoodPlayers"]

import torch

from pentimento.training.families.likelihood.config import LikelihoodConfig, LikelihoodModel, build_model
from pentimento.training.loop.players import Players


class LikelihoodPlayers(Players[LikelihoodModel]):
    """Model, optimiser and averaged weights, all that an iteration changes.

    Attributes:
        model: The model that learns; `average` is what is evaluated and exported.
        optimizer: Adam.
    """

    def __init__(self, config: LikelihoodConfig, device: torch.device) -> None:
        self.model: LikelihoodModel = build_model(config.model, config.seed).to(device).train()
        betas = (config.beta1, config.beta2)
        self.optimizer = torch.optim.Adam(self.model.parameters(), config.rate, betas)
        super().__init__(
            self.model, {"model": self.model}, {"optimizer": self.optimizer}, decay=config.average_decay
        )
