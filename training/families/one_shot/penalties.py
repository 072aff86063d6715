"""Terms beside an adversarial objective that keep its networks in bounds.

Shapes: B batch, C channels, H = W image size, F features.
"""

__all__ = [
    "HistoricalAverage",
    "clip_weights",
    "feature_distance",
    "gradient_norms",
    "interpolate",
    "norm_penalty",
]

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_TINY = 1e-12  # below float32's resolution of any norm that matters; the root's slope at 0 is infinite


def interpolate(real: Tensor, drawn: Tensor, epsilon: Tensor) -> Tensor:
    """Points on the segments between data and drawings, row by row (Gulrajani et al., 2017, algorithm 1).

    Args:
        real: Data, shape (B, ...).
        drawn: Drawings, shape (B, ...).
        epsilon: The share of the data in each row, in (0, 1), shape (B,): one for the whole image.
    """
    share = epsilon.view(-1, *(1,) * (real.dim() - 1))  # (B,) -> (B, 1, ...)
    return share * real + (1 - share) * drawn


def gradient_norms(score: Callable[[Tensor], Tensor], image: Tensor, *, learn: bool = True) -> Tensor:
    """L2 norm of each score's gradient with respect to its image, over all pixels and channels.

    Never in less than float32: a penalty on the slope of a slope needs more than a bfloat16's eight bits.

    Args:
        score: Images to scores of shape (B,), each score depending on its own image only.
        image: Shape (B, ...).
        learn: Whether the norms are to be differentiated in their turn.

    Returns:
        Shape (B,). Where a gradient is zero, so is the slope of its norm, which else would not be a number.
    """
    image = image.detach().to(torch.promote_types(image.dtype, torch.float32)).requires_grad_()
    with torch.autocast(image.device.type, enabled=False):
        total = score(image).sum()  # rows do not interact, so one gradient holds every row's
        (gradient,) = torch.autograd.grad(total, image, create_graph=learn)
    return (gradient.flatten(1).square().sum(1) + _TINY).sqrt()


def norm_penalty(norms: Tensor) -> Tensor:
    """Gradient penalty of WGAN-GP, without its weight: mean of (norm - 1)^2 over norms of shape (B,)."""
    return (norms - 1).square().mean()


@torch.no_grad()
def clip_weights(network: nn.Module, limit: float) -> None:
    """Clips all parameters in place to [-limit, limit] (Arjovsky et al., 2017)."""
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def feature_distance(real: Tensor, drawn: Tensor) -> Tensor:
    """Feature matching: squared L2 distance of mean features (Salimans et al., 2016, section 3.1).

    Args:
        real: Features of data, shape (B, F).
        drawn: Features of drawings, shape (B, F).
    """
    return (real.float().mean(0) - drawn.float().mean(0)).square().sum()


class HistoricalAverage:
    """Historical averaging: the mean of all weights that a network has had (Salimans et al., 2016)."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self._parameters = list(parameters)
        self._means = [parameter.detach().clone() for parameter in self._parameters]
        self._count = 1

    def distance(self) -> Tensor:
        """Squared L2 distance of the present weights from their mean, summed over all parameters."""
        pairs = zip(self._parameters, self._means, strict=True)
        return torch.stack([(parameter - mean).square().sum() for parameter, mean in pairs]).sum()

    @torch.no_grad()
    def update(self) -> None:
        """Includes the present weights in the mean."""
        self._count += 1
        torch._foreach_lerp_(self._means, self._parameters, 1 / self._count)

    def state_dict(self) -> dict[str, Any]:
        """Means and their count, for a checkpoint."""
        return {"means": self._means, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        torch._foreach_copy_(self._means, state["means"])
        self._count = state["count"]
