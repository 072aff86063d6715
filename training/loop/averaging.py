"""Exponential moving average of a network's weights.

The average draws better than the network that learns, and its figures swing less between evaluations.
"""

__all__ = ["move_average"]

import torch
from torch import nn


@torch.no_grad()
def move_average(average: nn.Module, learning: nn.Module, limit: float, iteration: int) -> None:
    """Updates an average in place: average = decay * average + (1 - decay) * learning.

    The decay is (1 + iteration) / (10 + iteration), at most `limit`: early weights are soon forgotten.

    Args:
        average: Its parameters change; its running statistics do not.
        learning: The trained network, of the same architecture.
        limit: The decay in the long run, in [0, 1).
        iteration: Iterations done before this one.
    """
    decay = min(limit, (1 + iteration) / (10 + iteration))
    torch._foreach_lerp_(list(average.parameters()), list(learning.parameters()), 1 - decay)
