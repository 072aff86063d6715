"""What an iteration changes: networks, optimisers, and the running average that is evaluated and exported."""

__all__ = ["Players"]

import copy
from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import nn

from pentimento.training.loop.averaging import move_average

N = TypeVar("N", bound=nn.Module)


class _Stateful(Protocol):
    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any]) -> object: ...


class Players(Generic[N]):
    """Base of a family's players: averages, checkpoints and learning rates are the same in all of them.

    Attributes:
        average: Exponential moving average of the weights of `averaged`, in inference mode: it draws better,
            and its figures swing less than those of the network that learns.
    """

    def __init__(
        self,
        averaged: N,
        networks: Mapping[str, nn.Module],
        optimizers: Mapping[str, torch.optim.Optimizer],
        *,
        decay: float,
    ) -> None:
        """Starts the average at the network's weights.

        Args:
            averaged: The network whose weights are averaged.
            networks: All networks by their names in a checkpoint, `averaged` among them.
            optimizers: The optimisers by their names in a checkpoint, at the recipe's learning rates.
            decay: Of the average, per iteration, in 0..1.
        """
        self.average: N = copy.deepcopy(averaged).requires_grad_(False).eval()
        self._averaged, self._decay = averaged, decay
        self._parts: dict[str, _Stateful] = {**networks, "average": self.average, **optimizers}
        self._rates = [
            (optimizer, [group["lr"] for group in optimizer.param_groups])
            for optimizer in optimizers.values()
        ]

    def set_rates(self, factor: float) -> None:
        """Sets every learning rate to `factor` times the recipe's."""
        for optimizer, rates in self._rates:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor

    def update_average(self, iteration: int) -> None:
        """Moves the average towards the network that learns; see `move_average`."""
        move_average(self.average, self._averaged, self._decay, iteration)

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold to go on, by name."""
        return {name: part.state_dict() for name, part in self._parts.items()}

    def load(self, state: dict[str, Any]) -> None:
        """Takes up what `state` gave."""
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
