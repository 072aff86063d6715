"""Generator and scorer of a training in one step, with optimisers, averaged weights and past weights."""

__all__ = ["OneShotPlayers", "make_optimizer"]

from typing import Any

import torch
from torch import nn

from pentimento.models.adversarial.base import OneShotGenerator, OneShotScorer
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.penalties import HistoricalAverage
from pentimento.training.loop.players import Players


class OneShotPlayers(Players[OneShotGenerator]):
    """Networks, optimisers and averaged weights, all that an iteration changes.

    Attributes:
        generator: The generator that learns; `average` is what is evaluated and exported. The average's
            normalisation has statistics only once they are collected (`drawing.py`).
        scorer: The discriminator or critic.
        histories: The mean of each network's past weights, by its name; empty without historical averaging.
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
        self.generator_optimizer = make_optimizer(config, generator, config.generator_rate)
        self.scorer_optimizer = make_optimizer(config, scorer, config.scorer_rate)
        super().__init__(
            self.generator,
            {"generator": self.generator, "scorer": self.scorer},
            {"generator_optimizer": self.generator_optimizer, "scorer_optimizer": self.scorer_optimizer},
            decay=config.average_decay,
        )
        self.histories: dict[str, HistoricalAverage] = {}
        if config.historical_averaging:
            networks = {"generator": generator, "scorer": scorer}
            self.histories = {name: HistoricalAverage(net.parameters()) for name, net in networks.items()}

    def state(self) -> dict[str, Any]:
        """State dicts of networks, average, optimisers and past weights by name: all that resuming needs."""
        histories = {name: history.state_dict() for name, history in self.histories.items()}
        return super().state() | {"histories": histories}

    def load(self, state: dict[str, Any]) -> None:
        """Restores what `state` returned."""
        super().load(state)
        for name, history in self.histories.items():
            history.load_state_dict(state["histories"][name])


def make_optimizer(config: OneShotTrainConfig, network: nn.Module, rate: float) -> torch.optim.Optimizer:
    """The recipe's optimiser of a network's weights, at a learning rate."""
    if config.optimizer == "adam":
        return torch.optim.Adam(network.parameters(), rate, (config.beta1, config.beta2))
    return torch.optim.RMSprop(network.parameters(), rate)
