"""The likelihood of a picture under flow matching, by the change of volume along its way.

After Chen et al. (2018, arXiv:1806.07366) and Grathwohl et al. (2018, arXiv:1810.01367). A picture x_1 comes
from the noise x_0 that the field leads back to, and

    log p(x_1) = log N(x_0; 0, I) - integral from t = 0 to 1 of  div v(x_t, t).

The divergence is estimated by one random direction e, of independent signs: e . dv/dx e has it as its mean
(Hutchinson). The derivative along e is a central difference,  (v(x + h e) - v(x - h e)) / (2 h),  so that
nothing but the field is needed; it errs by h^2. The way is followed by the midpoint method, whose parts are
the shorter the closer they are to the picture, t_j = 1 - (j / K)^2, as the field changes there the fastest.

A picture has 256 levels, and the model a density. A uniform number spreads each level over its 256th (Theis
et al., 2016, arXiv:1511.01844), and what is estimated is, on the average, a lower bound of the levels' log
probability. Direction and number are random; so is the estimate, and its mean over several is better.

Shapes: B batch, C channels, H = W image side, D = C * H * W.
"""

__all__ = ["LEVELS", "VolumeState", "follow_back", "parts_of", "start_of", "total"]

import math
from typing import NamedTuple

import torch
from torch import Tensor

from pentimento.models.flow.guided import Guided

LEVELS = 256
_DIFFERENCE = 1e-2  # h, where states are about 1: less of it drowns in float32's rounding


class VolumeState(NamedTuple):
    """What is kept on the way from a picture to its noise."""

    state: Tensor  # x_t, (B, C, H, W)
    volume: Tensor  # integral of the divergence from t to 1, (B,)


def start_of(image: Tensor, uniform: Tensor) -> VolumeState:
    """The picture itself, spread over its levels.

    Args:
        image: In [0, 1], of 256 levels, shape (B, C, H, W).
        uniform: In [0, 1], likewise.
    """
    spread = ((LEVELS - 1) * image + uniform) / LEVELS
    return VolumeState(2 * spread - 1, torch.zeros_like(image[:, 0, 0, 0]))


def follow_back(
    model: Guided, at: VolumeState, signs: Tensor, part: Tensor, label: Tensor | None = None
) -> VolumeState:
    """One part of the way back, from t to t - size.

    Args:
        model: Flow matching.
        at: Where the way is.
        signs: e, of 1 and -1, shape (B, C, H, W); the same on the whole way.
        part: t and size, shape (2,).
        label: Class of each row, shape (B,); without it, the density of all classes.
    """
    time, size = part.unbind()
    state, rows = at.state, torch.ones_like(at.volume)
    middle = state - size / 2 * model.ask(state, time * rows, label)
    when = (time - size / 2) * rows
    ahead, behind = (model.ask(middle + sign * _DIFFERENCE * signs, when, label) for sign in (1, -1))
    divergence = (signs * (ahead - behind)).sum((1, 2, 3)) / (2 * _DIFFERENCE)
    return VolumeState(state - size * (ahead + behind) / 2, at.volume + size * divergence)


def parts_of(count: int) -> Tensor:
    """T and size of each part of the way, from the picture to the noise, shape (count, 2)."""
    ends = 1 - (torch.arange(count + 1, dtype=torch.float64) / count).square()
    return torch.stack([ends[:-1], ends[:-1] - ends[1:]], dim=1).float()


def total(at: VolumeState) -> Tensor:
    """The estimate of the picture's log probability in nats, (B,), from the end of its way."""
    values = at.state[0].numel()
    normal = -0.5 * (at.state.square().sum((1, 2, 3)) + values * math.log(2 * math.pi))
    # Of a level: its density over [-1, 1] times its width there.
    return normal - at.volume + values * math.log(2 / LEVELS)
