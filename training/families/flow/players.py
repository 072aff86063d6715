"""The field of a training, with its optimiser and its averaged weights."""

__all__ = ["FlowPlayers"]

import torch

from pentimento.models.flow.guided import Guided
from pentimento.training.families.flow.config import FlowConfig, build_flow
from pentimento.training.loop.players import Players


class FlowPlayers(Players[Guided]):
    """Field, optimiser and averaged weights, all that an iteration changes.

    Attributes:
        model: What learns; `average` is what is evaluated and exported.
        optimizer: AdamW.
    """

    def __init__(self, config: FlowConfig, device: torch.device) -> None:
        # Convolutions of few channels are a sixth faster with them innermost, on a CPU without matrix units.
        self.model = build_flow(config).to(device, memory_format=torch.channels_last).train()
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), config.rate, (0.9, 0.99), weight_decay=config.weight_decay
        )
        super().__init__(
            self.model, {"model": self.model}, {"optimizer": self.optimizer}, decay=config.average_decay
        )
