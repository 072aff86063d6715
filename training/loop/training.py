"""What a family gives the training loop: a training that is ready to begin."""

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
    """One batch of training images, as an iteration gets it."""

    image: Tensor  # training images in [0, 1], (B, C, H, W)
    label: Tensor  # their classes, int64, (B,)
    progress: float  # share of the training that is done, 0..1


class Trainee(Protocol):
    """What the loop needs of a training's networks; `training.loop.players.Players` has it."""

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold to resume, as tensors and plain values."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Restores what `state` returned."""
        ...

    def set_rates(self, factor: float) -> None:
        """Sets the learning rates to `factor` times the recipe's."""
        ...

    def update_average(self, iteration: int) -> None:
        """Moves the averaged weights towards the trained ones; `iteration` counts those done before."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """A training ready to begin: configuration, data, networks, evaluator, and what an iteration does."""

    config: LoopConfig
    dataset: Dataset  # with the training images that are used
    players: Trainee
    judge: Judge[Any]
    iterate: Callable[[Batch], dict[str, float]]  # one iteration; returns its figures by name
    device: torch.device
    precision: Precision  # of matrix products and convolutions; weights are float32
    family: str = ""  # name of its family, for checkpoints; the table fills it in
