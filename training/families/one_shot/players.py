"""Generator and scorer of a training in one step: their optimisers, the running average, their own past."""

__all__ = ["OneShotPlayers"]

import copy
from typing import Any

import torch
from torch import nn

from pentimento.models.adversarial.base import OneShotGenerator, OneShotScorer
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.penalties import HistoricalAverage
from pentimento.training.loop.averaging import move_average

_PARTS = ("generator", "scorer", "average", "generator_optimizer", "scorer_optimizer")


class OneShotPlayers:
    """Everything that an iteration changes.

    Attributes:
        generator: The generator that plays.
        scorer: The discriminator or critic.
        average: Exponential moving average of the generator's weights, which is evaluated and exported. Its
            normalisation has statistics only once they are collected (`training.families.one_shot.drawing`).
        histories: What each player has been, by its name; empty without historical averaging.
    """

    def __init__(
        self,
        config: OneShotTrainConfig,
        generator: OneShotGenerator,
        scorer: OneShotScorer,
        device: torch.device,
    ) -> None:
        # Channels last is the layout that convolutions in bfloat16 are fast in.
        layout = torch.channels_last
        self.generator = generator.to(device, memory_format=layout).train()
        self.scorer = scorer.to(device, memory_format=layout).train()
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self._config = config
        self.generator_optimizer = _optimizer(config, generator, config.generator_rate)
        self.scorer_optimizer = _optimizer(config, scorer, config.scorer_rate)
        self.histories: dict[str, HistoricalAverage] = {}
        if config.historical_averaging:
            networks = {"generator": generator, "scorer": scorer}
            self.histories = {name: HistoricalAverage(net.parameters()) for name, net in networks.items()}

    def set_rates(self, factor: float) -> None:
        """Sets both learning rates to `factor` times the recipe's."""
        self.generator_optimizer.param_groups[0]["lr"] = self._config.generator_rate * factor
        self.scorer_optimizer.param_groups[0]["lr"] = self._config.scorer_rate * factor

    def update_average(self, iteration: int) -> None:
        """Moves the average towards the generator; see `move_average`."""
        move_average(self.average, self.generator, self._config.average_decay, iteration)

    def state(self) -> dict[str, Any]:
        """For checkpoints."""
        histories = {name: history.state_dict() for name, history in self.histories.items()}
        return {name: getattr(self, name).state_dict() for name in _PARTS} | {"histories": histories}

    def load(self, state: dict[str, Any]) -> None:
        """Takes up a checkpoint's state."""
        for name in _PARTS:
            getattr(self, name).load_state_dict(state[name])
        for name, history in self.histories.items():
            history.load_state_dict(state["histories"][name])


def _optimizer(config: OneShotTrainConfig, network: nn.Module, rate: float) -> torch.optim.Optimizer:
    if config.optimizer == "adam":
        return torch.optim.Adam(network.parameters(), rate, (config.beta1, config.beta2))
    return torch.optim.RMSprop(network.parameters(), rate)
