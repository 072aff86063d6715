"""Toys of the plane, as in the WGAN-GP authors' code (igul222/improved_wgan_training, gan_toy.py).

    ring        eight narrow Gaussians
    grid        twenty-five of them
    swiss_roll  a spiral of one and a half turns

A point is a picture of one pixel with two channels, so that scorers and objectives take it as any other.

Shapes: B batch, P pairs.
"""

__all__ = ["TOYS", "PlaneCritic", "pairs_of", "sample"]

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from pentimento.models.adversarial.base import Judgement, OneShotScorer

TOYS = ("ring", "grid", "swiss_roll")
_FIRST_ANGLE, _TURN = 1.5 * math.pi, 2 * math.pi  # of the spiral, whose radius is its angle
_ROLL_SCALE, _ROLL_NOISE, _ROLL_PAIRS = 7.5, 0.25, 8


def sample(toy: str, rows: int) -> Tensor:
    """Points of a toy, from torch's generator: shape (B, 2), within -2..2 or nearly.

    Raises:
        ValueError: There is no such toy.
    """
    if toy == "swiss_roll":
        angle = _FIRST_ANGLE * (1 + 2 * torch.rand(rows))
        noise = _ROLL_NOISE * torch.randn(rows, 2)
        return _spiral(angle) + noise / _ROLL_SCALE
    centres, deviation = _mixture(toy)
    return centres[torch.randint(len(centres), (rows,))] + deviation * torch.randn(rows, 2)


def pairs_of(toy: str) -> Tensor:
    """Neighbouring places full of data with nothing between them, shape (P, 2, 2): pair, end, coordinate.

    Of the mixtures these are neighbouring centres, of the spiral places on two arms, one behind the other.

    Raises:
        ValueError: There is no such toy.
    """
    if toy == "swiss_roll":
        inner = torch.linspace(_FIRST_ANGLE, 3 * _FIRST_ANGLE - _TURN, _ROLL_PAIRS)
        return torch.stack([_spiral(inner), _spiral(inner + _TURN)], dim=1)
    centres, _ = _mixture(toy)
    distances = torch.cdist(centres, centres)
    nearest = distances[distances > 0].min()
    ends = [(i, j) for i, j in ((distances - nearest).abs() < 1e-3).nonzero().tolist() if i < j]
    return centres[torch.tensor(ends)]


def _spiral(angle: Tensor) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], dim=1) * angle[:, None] / _ROLL_SCALE


def _mixture(toy: str) -> tuple[Tensor, float]:
    """Centres, shape (N, 2), and the deviation around them."""
    if toy == "ring":
        angles = _TURN * torch.arange(8) / 8
        return torch.stack([angles.cos(), angles.sin()], dim=1) * 2 / math.sqrt(2), 0.02 / math.sqrt(2)
    if toy == "grid":
        side = torch.arange(-4.0, 5.0, 2.0)
        return torch.cartesian_prod(side, side) / math.sqrt(8), 0.05 / math.sqrt(8)
    raise ValueError(f"toy must be one of {', '.join(TOYS)}, got {toy!r}")


class PlaneCritic(OneShotScorer):
    """Dense layers with rectifiers, and one number.

    Args:
        depth: Hidden layers.
        hidden: Features of each.
    """

    def __init__(self, depth: int, hidden: int) -> None:
        super().__init__()
        self.class_count = 0
        sides = [2] + [hidden] * depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sides))
        self.last = nn.Linear(hidden, 1)

    def activations(self, image: Tensor) -> list[Tensor]:
        """What each hidden layer puts out, (B, hidden), the one next to the image first."""
        outputs, x = [], image.flatten(1)
        for layer in self.layers:
            x = layer(x).relu()
            outputs.append(x)
        return outputs

    def forward(self, image: Tensor, label: Tensor | None = None) -> Judgement:
        """Points, (B, 2, 1, 1), or (B, 2) -> scores."""
        features = self.activations(image)[-1]
        return Judgement(self.last(features)[:, 0], features, None)
