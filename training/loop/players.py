"""Networks, optimisers and averaged weights: everything that a training iteration changes."""

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
    """Base class for a family's networks and optimisers: averaging, checkpoints and learning rates.

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
        """Starts the average at the network's present weights.

        Args:
            averaged: The network whose weights are averaged.
            networks: All networks by their names in a checkpoint, `averaged` among them.
            optimizers: The optimisers by their names in a checkpoint, at the recipe's learning rates.
            decay: Long-run decay of the average, per iteration, in [0, 1).
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
        """Moves the average towards the trained network, after an iteration; see `move_average`."""
        move_average(self.average, self._averaged, self._decay, iteration)

    def state(self) -> dict[str, Any]:
        """State dicts of all networks, the average and the optimisers by name: all that resuming needs."""
        return {name: part.state_dict() for name, part in self._parts.items()}

    def load(self, state: dict[str, Any]) -> None:
        """Restores what `state` returned."""
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
