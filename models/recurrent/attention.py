"""The attention of DRAW: a grid of Gaussian filters that reads a patch of an image, or writes one.

A box is five numbers a row (Gregor et al., 2015, arXiv:1502.04623, equations 19 to 26): the centre of a grid
of N x N filters, the distance between neighbouring filters, their width, and an intensity. With F_Y and F_X,
the filters along the rows and columns of the image, each (N, side):

    read(x) = gamma F_Y x F_X^T,    write(w) = (1 / gamma) F_Y^T w F_X

What differs from the paper, and why:
- Pixels are counted from 0, so the paper's centre moves by -1: a centre of 0 before scaling is the middle
  of the image exactly. A widely copied implementation mixes both countings; its grid is off by one stride.
- A filter is divided by its sum over the image by a softmax. Where the paper's sum is not zero that is the
  same; where it is, for a box outside of the image, the filter reads the nearest pixel instead of nothing.
- The three logarithms are clamped to -6..6; early in training exp of more is not a number.

Shapes: B batch, S image side, N filters a side.
"""

__all__ = ["BOX_NUMBERS", "Box", "box_from", "filter_bank", "read_patch", "write_patch"]

from typing import NamedTuple

import torch
from torch import Tensor

BOX_NUMBERS = 5
"""Numbers of a network's output that make a box: centre x and y, log variance, log stride, log intensity."""

_LOG_LIMIT = 6.0


class Box(NamedTuple):
    """Where a grid of filters lies; lengths in pixels, counted from the centre of the first pixel."""

    x: Tensor  # of the grid's centre, (B,)
    y: Tensor  # (B,)
    stride: Tensor  # from one filter to the next, (B,)
    width: Tensor  # standard deviation of each filter, (B,)
    intensity: Tensor  # gamma, (B,)

    def geometry(self) -> Tensor:
        """What can be drawn of it: x, y, stride and width, shape (B, 4)."""
        return torch.stack([self.x, self.y, self.stride, self.width], dim=1)


def box_from(numbers: Tensor, side: int, points: int) -> Box:
    """The box that a network's output means.

    Args:
        numbers: Unbounded, shape (B, 5), see `BOX_NUMBERS`; zeros are a grid over the whole image.
        side: S, in pixels.
        points: N, at least 2.
    """
    x, y, *logs = numbers.unbind(1)
    log_variance, log_stride, log_intensity = (log.clamp(-_LOG_LIMIT, _LOG_LIMIT) for log in logs)
    return Box(
        x=(side + 1) / 2 * (x + 1) - 1,
        y=(side + 1) / 2 * (y + 1) - 1,
        stride=(side - 1) / (points - 1) * torch.exp(log_stride),
        width=torch.exp(0.5 * log_variance),
        intensity=torch.exp(log_intensity),
    )


def filter_bank(centre: Tensor, stride: Tensor, width: Tensor, points: int, side: int) -> Tensor:
    """Filters along one axis of the image; each sums to one.

    Args:
        centre: Of grids, in pixels, of any shape (...).
        stride: In pixels, of a shape that goes with it.
        width: In pixels, likewise.
        points: N.
        side: S.

    Returns:
        Shape (..., N, S): the weight of each pixel for each filter.
    """
    offsets = torch.arange(points, device=centre.device) - (points - 1) / 2  # (N,)
    means = centre[..., None] + offsets * stride[..., None]  # (..., N)
    distance = torch.arange(side, device=centre.device) - means[..., None]  # (..., N, S)
    return torch.softmax(-0.5 * (distance / width[..., None, None]) ** 2, dim=-1)


def _filters(box: Box, points: int, side: int) -> tuple[Tensor, Tensor]:
    """F_Y and F_X, (B, N, S) each, from one pass over both centres."""
    centres = torch.stack([box.y, box.x], dim=1)  # (B, 2)
    both = filter_bank(centres, box.stride[:, None], box.width[:, None], points, side)  # (B, 2, N, S)
    down, across = both.unbind(1)
    return down, across


def read_patch(images: Tensor, box: Box, points: int) -> Tensor:
    """Reads a patch of images through a box.

    Args:
        images: Of one kind or several, all read through the same box: shape (B, K, S, S).
        box: Where.
        points: N.

    Returns:
        Shape (B, K, N, N).
    """
    down, across = _filters(box, points, images.shape[-1])
    patch = down[:, None] @ images @ across[:, None].transpose(2, 3)  # (B, K, N, N)
    return box.intensity[:, None, None, None] * patch


def write_patch(patch: Tensor, box: Box, side: int) -> Tensor:
    """Spreads a patch over an image.

    Args:
        patch: Shape (B, N, N).
        box: Where; its intensity divides.
        side: S.

    Returns:
        Shape (B, S, S).
    """
    down, across = _filters(box, patch.shape[-1], side)
    return down.transpose(1, 2) @ patch @ across / box.intensity[:, None, None]
