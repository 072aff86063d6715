"""What a family hands to the loop: a training that is ready to begin."""

__all__ = ["Batch", "Trainee", "Training"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from pentimento.training.data.datasets import Dataset
from pentimento.training.loop.config import LoopConfig
from pentimento.training.loop.device import Precision
from pentimento.training.loop.judge import Judge


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What an iteration gets."""

    image: Tensor  # data in [0, 1], (B, C, H, W)
    label: Tensor  # its classes, int64, (B,)
    progress: float  # share of the training that is done, 0..1


class Trainee(Protocol):
    """Networks that can be saved and taken up again; `training.loop.players.Players` is one."""

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold to go on."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Takes up what `state` gave."""
        ...

    def set_rates(self, factor: float) -> None:
        """Sets the learning rates to `factor` times the recipe's."""
        ...

    def update_average(self, iteration: int) -> None:
        """Moves the averaged weights towards those that learn."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """Everything in which trainings differ."""

    config: LoopConfig
    dataset: Dataset  # with the training images that are used
    players: Trainee
    judge: Judge[Any]
    iterate: Callable[[Batch], dict[str, float]]  # one iteration; returns its figures by name
    device: torch.device
    precision: Precision  # of matrix products and convolutions; weights are float32
    family: str = ""  # name of its family, for checkpoints; the table fills it in
