"""The running average of a network's weights: it draws better, and swings less, than the one that learns."""

__all__ = ["move_average"]

import torch
from torch import nn


@torch.no_grad()
def move_average(average: nn.Module, learning: nn.Module, limit: float, iteration: int) -> None:
    """Moves an average towards the learning network, faster at first, when the weights are far from good.

    Args:
        average: Changed in place; its parameters only, not its running statistics.
        learning: A network of the same kind.
        limit: The decay that is reached in the long run, in [0, 1).
        iteration: Iterations done before this one.
    """
    decay = min(limit, (1 + iteration) / (10 + iteration))
    torch._foreach_lerp_(list(average.parameters()), list(learning.parameters()), 1 - decay)
