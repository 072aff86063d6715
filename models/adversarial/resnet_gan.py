"""The residual nets for CIFAR-10 of WGAN-GP (Gulrajani et al., 2017, arXiv:1704.00028, appendix F and code).

    generator: linear to d maps of 4x4 -> blocks that double the side -> BN -> ReLU -> convolution -> tanh
    critic: blocks that halve the side down to 8x8 -> two plain blocks -> ReLU -> mean over the map -> linear

A block is (norm, ReLU, convolution) twice beside a shortcut. The generator's blocks double before their first
convolution, as in the code and not as in the paper's text; the critic's halve after their second. The
critic's first block starts with a convolution: an image has no use for a rectifier. Every map has d features;
the authors' d is 128. The generator draws in [0, 1], by (tanh + 1) / 2; the critic takes that and maps it
back to the authors' [-1, 1] itself. A slope of 1 by the image in [0, 1] is half of one by theirs.

What differs from the authors' code, and why:
- 28 pixels: as in their nets for MNIST, the first block ends in 7x7 in place of 8x8. Nearest-neighbour
  upsampling to 7 is the same as to 8 with the last row and column cut off.
- 64 pixels: one more block of each kind. Their net for this size (`GoodGenerator`) has maps of other widths.
- 1x1 shortcuts work at the smaller side, where they cost a quarter: they commute with means and repetitions.

Shapes: B batch, C channels, H = W image size, F features.
"""

__all__ = ["ResNetCritic", "ResNetGenerator", "build_resnet"]

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pentimento.models.adversarial.conditioning import (
    ConditionalBatchNorm2d,
    LabelledGenerator,
    LabelledScorer,
    scorer_norm,
)
from pentimento.models.adversarial.config import OneShotConfig, ScorerNorm, map_sides
from pentimento.models.adversarial.wgan_gp import init_scaled

PLAIN_BLOCKS = 2  # of the critic


def _upsampled(x: Tensor, side: int) -> Tensor:
    return F.interpolate(x, size=(side, side), mode="nearest")


class UpBlock(nn.Module):
    """Doubles the side of a map; `side` is the side after."""

    def __init__(self, features: int, side: int, class_count: int) -> None:
        super().__init__()
        self.side = side
        self.norm1 = ConditionalBatchNorm2d(features, class_count)
        self.conv1 = nn.Conv2d(features, features, 3, padding=1, bias=False)  # its normalisation has one
        self.norm2 = ConditionalBatchNorm2d(features, class_count)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)
        self.shortcut = nn.Conv2d(features, features, 1)

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        """(B, F, h, w) -> (B, F, side, side)."""
        y = self.conv1(_upsampled(torch.relu(self.norm1(x, label)), self.side))
        y = self.conv2(torch.relu(self.norm2(y, label)))
        return _upsampled(self.shortcut(x), self.side) + y


class CriticBlock(nn.Module):
    """Keeps or halves the side of a map; the first block of a critic takes the image."""

    def __init__(
        self, inputs: int, features: int, norm: ScorerNorm, *, down: bool = False, first: bool = False
    ) -> None:
        super().__init__()
        self.down, self.first = down, first
        self.norm1 = nn.Identity() if first else scorer_norm(norm, inputs)
        self.conv1 = nn.Conv2d(inputs, features, 3, padding=1, bias=first or norm != "batch")
        self.norm2 = nn.Identity() if first else scorer_norm(norm, features)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, features, 1) if down else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, F, h, w), or half of that side."""
        y = self.conv1(x if self.first else torch.relu(self.norm1(x)))
        y = self.conv2(torch.relu(self.norm2(y)))
        if self.down:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        return self.shortcut(x) + y


def _init_weights(network: nn.Module) -> None:
    for name, module in network.named_modules():
        init_scaled(module, rectified=not name.endswith(("shortcut", "output")))


class ResNetGenerator(LabelledGenerator):
    """The generator: a linear layer, an `UpBlock` for each doubling of the side, and a convolution."""

    def __init__(self, config: OneShotConfig) -> None:
        super().__init__(config, normalised=True)
        d, (side, *sides) = config.width, map_sides(config.image_size)
        self.base_shape = (d, side, side)
        self.linear = nn.Linear(self.input_dim, d * side * side)
        self.blocks = nn.ModuleList(UpBlock(d, after, self.norm_classes) for after in sides)
        self.norm = ConditionalBatchNorm2d(d)  # the authors' is not told the label
        self.output = nn.Conv2d(d, config.channels, 3, padding=1)
        _init_weights(self)

    def draw(self, x: Tensor, label: Tensor | None) -> Tensor:
        """See `LabelledGenerator.draw`."""
        x = self.linear(x).unflatten(1, self.base_shape)  # -> (B, d, 4, 4)
        for block in self.blocks:
            x = block(x, label)
        return (torch.tanh(self.output(torch.relu(self.norm(x)))) + 1) / 2


class ResNetCritic(LabelledScorer):
    """The critic: blocks that halve the side, two plain blocks, the mean over the map, and a linear layer."""

    def __init__(self, config: OneShotConfig) -> None:
        d, norm = config.width, config.scorer_norm
        super().__init__(config, features=d)
        halvings = len(map_sides(config.image_size)) - 2  # to 8x8, or 7x7
        self.blocks = nn.Sequential(
            CriticBlock(self.inputs, d, norm, down=True, first=True),
            *(CriticBlock(d, d, norm, down=True) for _ in range(halvings - 1)),
            *(CriticBlock(d, d, norm) for _ in range(PLAIN_BLOCKS)),
        )
        _init_weights(self)

    def hidden(self, x: Tensor) -> Tensor:
        """See `LabelledScorer.hidden`."""
        return torch.relu(self.blocks(x)).mean(dim=(2, 3))  # -> (B, d)


def build_resnet(config: OneShotConfig) -> tuple[ResNetGenerator, ResNetCritic]:
    """Builds the residual generator and critic."""
    return ResNetGenerator(config), ResNetCritic(config)
