"""The two networks of an adversarial training, their optimisers, and the generator's running average."""

__all__ = ["Players"]

import copy
from typing import Any

import torch

from pentimento.training.families.recurrent.networks import build_networks
from pentimento.training.loop.averaging import move_average
from pentimento.training.loop.config import TrainConfig


class Players:
    """Everything that an iteration changes.

    Attributes:
        generator: The generator that plays.
        scorer: The discriminator.
        average: Exponential moving average of the generator's weights: it draws better and its class
            shares swing less than those of the playing generator. It is what is evaluated and exported.
    """

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        generator, scorer = build_networks(config.model, config.seed)
        # Channels last is the layout that convolutions in bfloat16 are fast in.
        layout = torch.channels_last
        self.generator = generator.to(device, memory_format=layout).train()
        self.scorer = scorer.to(device, memory_format=layout).train()
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self._config = config
        betas = (config.beta1, config.beta2)
        self.generator_optimizer = torch.optim.Adam(generator.parameters(), config.generator_rate, betas)
        self.scorer_optimizer = torch.optim.Adam(scorer.parameters(), config.scorer_rate, betas)

    def set_rates(self, factor: float) -> None:
        """Sets both learning rates to `factor` times the recipe's."""
        self.generator_optimizer.param_groups[0]["lr"] = self._config.generator_rate * factor
        self.scorer_optimizer.param_groups[0]["lr"] = self._config.scorer_rate * factor

    def update_average(self, iteration: int) -> None:
        """Moves the average towards the generator; see `move_average`."""
        move_average(self.average, self.generator, self._config.average_decay, iteration)

    def state(self) -> dict[str, Any]:
        """For checkpoints."""
        return {
            "generator": self.generator.state_dict(),
            "scorer": self.scorer.state_dict(),
            "average": self.average.state_dict(),
            "generator_optimizer": self.generator_optimizer.state_dict(),
            "scorer_optimizer": self.scorer_optimizer.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes up a checkpoint's state."""
        for name in ("generator", "scorer", "average", "generator_optimizer", "scorer_optimizer"):
            getattr(self, name).load_state_dict(state[name])
