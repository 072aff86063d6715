"""PixelCNN (van den Oord, Kalchbrenner and Kavukcuoglu, 2016, arXiv:1601.06759).

One stack of masked convolutions: the first, 7x7, sees the pixels before its own (mask A), the later ones, 3x3
in residual blocks, also their own place (mask B). The image's likelihood is the product of its pixels':

    p(x) = prod_i p(x_i | x_1, ..., x_{i-1}),  in raster order

The stack has the *blind spot* that Gated PixelCNN removed: stacked masked squares never see a wedge of
earlier pixels to the right, since a 3x3 reaches one column to the right for each row that it goes up.

What differs from the paper, and why:
- Grey images only, of two or 256 levels: colour orders three values within a pixel, which no picture here
  has.
- A map (B, M, H, W), which PixelVAE has, is added to the first layer by a 1x1 convolution, after its mask:
  each place sees the map's value at its own, which gives nothing of the image away.
- The 1x1 layer of the head is as wide as the stack, one size fewer to choose; for MNIST that is the paper's.

Shapes: B batch, H = height, W = width, C features, M map channels, N levels.
"""

__all__ = ["MaskedConv", "PixelCNN", "PixelCNNConfig"]

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.shared.likelihoods import check_levels, logit_count


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelCNNConfig:
    """Sizes of a PixelCNN; the defaults are the paper's for MNIST."""

    height: int = 28  # pixels
    width: int = 28
    levels: int = 2
    features: int = 32  # the residual stream; a block works at half of it
    blocks: int = 7
    map_channels: int = 0  # of a condition with a value for every place, such as a decoder's

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that cannot be built."""
        check_levels(self.levels)
        if self.features % 2:
            raise ValueError(f"features must be even, got {self.features}")


class MaskedConv(nn.Conv2d):
    """A square convolution that sees only what comes before its own place, and with mask B that place too."""

    def __init__(self, inputs: int, outputs: int, kernel: int, mask: Literal["A", "B"]) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        middle = kernel // 2
        seen = torch.ones(kernel, kernel)
        seen[middle, middle + (mask == "B") :] = 0
        seen[middle + 1 :] = 0
        self.seen: Tensor
        self.register_buffer("seen", seen, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H, W)."""
        return nn.functional.conv2d(x, self.weight * self.seen, self.bias, padding=self.padding)


class _Block(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        half = features // 2
        self.narrow = nn.Conv2d(features, half, 1)
        self.masked = MaskedConv(half, half, 3, "B")
        self.widen = nn.Conv2d(half, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.narrow(torch.relu(x)))
        return x + self.widen(torch.relu(self.masked(y)))


class PixelCNN(AutoregressiveModel):
    """The model: a masked 7x7 convolution, residual blocks and a head. Its condition can only be a map."""

    def __init__(self, config: PixelCNNConfig) -> None:
        super().__init__()
        self.config = config
        self.height, self.width, self.levels = config.height, config.width, config.levels
        self.first = MaskedConv(1, config.features, 7, "A")
        self.map = (
            nn.Conv2d(config.map_channels, config.features, 1, bias=False) if config.map_channels else None
        )
        self.blocks = nn.Sequential(*(_Block(config.features) for _ in range(config.blocks)))
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(config.features, config.features, 1),
            nn.ReLU(),
            nn.Conv2d(config.features, logit_count(config.levels), 1),
        )

    def forward(
        self, image: Tensor, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> Tensor:
        """Logits of every pixel given the pixels before it; see `AutoregressiveModel.forward`."""
        if condition is not None:
            raise ValueError("a PixelCNN takes no condition; GatedPixelCNN does")
        if (condition_map is None) != (self.map is None):
            raise ValueError(f"this PixelCNN takes a map of {self.config.map_channels} channels, no other")
        x = self.first(image)
        if condition_map is not None and self.map is not None:
            x = x + self.map(condition_map)
        return self.head(self.blocks(x))
