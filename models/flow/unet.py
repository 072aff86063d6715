"""A small U-Net that is told the time and a class: the network of flow matching and of diffusion here.

    image -> patches -> convolution -> [blocks, halve] per level -> middle -> [double, blocks] per level
          -> convolution -> pixels

A block is twice (group normalisation, SiLU, 3x3 convolution) beside a shortcut, as of Ho et al. (2020,
arXiv:2006.11239); time and class scale and shift what its second normalisation puts out (FiLM, as of Dhariwal
and Nichol, 2021, arXiv:2105.05233). The smallest maps have one layer of self-attention. Group normalisation
knows nothing of other rows. Patches of 2 x 2 pixels are the channels of a map of half the size, as in
Shi et al. (2016, arXiv:1609.05158): most of the work is at the largest maps, and a quarter of it is left.

Shapes: B batch, C channels, H = W image side, F features of a map, E numbers of the embedding.
"""

__all__ = ["UNet", "UNetConfig"]

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, slots=True)
class UNetConfig:
    """Sizes of a U-Net."""

    image_size: int = 28  # pixels; each level but the first halves its maps, rounded up
    channels: int = 1
    patch: int = 1  # side of the squares of pixels that are a place of the first level
    widths: tuple[int, ...] = (32, 64, 96)  # F of each level, the first at the image's size over `patch`
    blocks: int = 1  # a level, on the way down and on the way up
    embedding: int = 128  # E
    groups: int = 8  # of a normalisation
    class_count: int = 0  # K; 0 for a network that is told no class

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that cannot be built; the message names field, limit and value."""
        for name in ("image_size", "channels", "patch", "blocks", "embedding", "groups"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.image_size % self.patch:
            raise ValueError(f"patch must divide image_size, {self.image_size}, got {self.patch}")
        if not self.widths or any(width < 1 or width % self.groups for width in self.widths):
            raise ValueError(f"widths must be multiples of groups, {self.groups}, got {self.widths}")
        if self.embedding % 2:
            raise ValueError(f"embedding must be even, got {self.embedding}")
        if self.class_count < 0:
            raise ValueError(f"class_count must be at least 0, got {self.class_count}")


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, config: UNetConfig) -> None:
        super().__init__()
        # The number of inputs on the way up is a sum of widths, and so a multiple of the groups.
        self.norm1, self.norm2 = (nn.GroupNorm(config.groups, width) for width in (inputs, outputs))
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.told = nn.Linear(config.embedding, 2 * outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.conv2.weight)  # at the start a block is its shortcut

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(B, inputs, h, w) and (B, E) -> (B, outputs, h, w)."""
        y = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.told(embedding)[:, :, None, None].chunk(2, dim=1)
        y = self.conv2(F.silu(self.norm2(y) * (1 + scale) + shift))
        result: Tensor = self.shortcut(x) + y
        return result


class _Attention(nn.Module):
    """Self-attention over the places of a map, one head."""

    def __init__(self, width: int, config: UNetConfig) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(config.groups, width)
        self.of_place = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, h, w) -> the same."""
        query, key, value = (part.flatten(2) for part in self.of_place(self.norm(x)).chunk(3, dim=1))
        weights = torch.softmax(query.transpose(1, 2) @ key / math.sqrt(key.shape[1]), dim=2)
        seen = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        result: Tensor = x + self.out(seen)
        return result


class UNet(nn.Module):
    """From a picture, a time and maybe a class to a picture of the same shape.

    Attributes:
        config: Sizes.
        nobody: The label that means no class, K.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        self.nobody = config.class_count
        widths, first = config.widths, config.widths[0]
        self.time = nn.Sequential(
            nn.Linear(config.embedding, config.embedding),
            nn.SiLU(),
            nn.Linear(config.embedding, config.embedding),
        )
        self.of_class = nn.Embedding(config.class_count + 1, config.embedding) if config.class_count else None
        values = config.channels * config.patch**2
        self.enter = nn.Conv2d(values, first, 3, padding=1)
        self.down, self.halve, kept, width = nn.ModuleList(), nn.ModuleList(), [first], first
        for level, outputs in enumerate(widths):
            blocks = nn.ModuleList()
            for _ in range(config.blocks):
                blocks.append(_Block(width, outputs, config))
                width = outputs
                kept.append(width)
            self.down.append(blocks)
            if level < len(widths) - 1:
                self.halve.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                kept.append(width)
        self.middle = nn.ModuleList([_Block(width, width, config), _Block(width, width, config)])
        self.attention = _Attention(width, config)
        self.up, self.widen = nn.ModuleList(), nn.ModuleList()
        for level, outputs in reversed(list(enumerate(widths))):
            blocks = nn.ModuleList()
            for _ in range(config.blocks + 1):
                blocks.append(_Block(width + kept.pop(), outputs, config))
                width = outputs
            self.up.append(blocks)
            if level:
                self.widen.append(nn.Conv2d(width, width, 3, padding=1))
        self.norm = nn.GroupNorm(config.groups, width)
        self.leave = nn.Conv2d(width, values, 3, padding=1)
        for part in (self.leave.weight, self.leave.bias):
            assert part is not None
            nn.init.zeros_(part)  # at the start the field is nothing

    def forward(self, x: Tensor, time: Tensor, label: Tensor | None = None) -> Tensor:
        """What the network makes of pictures.

        Args:
            x: Shape (B, C, H, W).
            time: In [0, 1], shape (B,).
            label: Class of each row, 0..K - 1, or K for none, int64, shape (B,); where there are classes,
                leaving it out means none.

        Returns:
            Shape (B, C, H, W).
        """
        embedding = self.time(_waves(time, self.config.embedding))
        if self.of_class is not None:
            told = torch.full_like(time, self.nobody, dtype=torch.int64) if label is None else label
            embedding = embedding + self.of_class(told)
        embedding = F.silu(embedding)
        x = self.enter(F.pixel_unshuffle(x, self.config.patch))
        kept = [x]
        for level, blocks in enumerate(self.down):
            for block in blocks:
                x = block(x, embedding)
                kept.append(x)
            if level < len(self.halve):
                x = self.halve[level](x)
                kept.append(x)
        x = self.middle[1](self.attention(self.middle[0](x, embedding)), embedding)
        for level, blocks in enumerate(self.up):
            for block in blocks:
                x = block(torch.cat([x, kept.pop()], dim=1), embedding)
            if level < len(self.widen):
                x = self.widen[level](F.interpolate(x, size=kept[-1].shape[2:], mode="nearest"))
        return F.pixel_shuffle(self.leave(F.silu(self.norm(x))), self.config.patch)


def _waves(time: Tensor, size: int) -> Tensor:
    """Sines and cosines of a time at rates from 1 to 1,000, (B,) -> (B, size)."""
    rates = torch.exp(torch.linspace(0, math.log(1000.0), size // 2, device=time.device))
    angles = 2 * math.pi * time[:, None] * rates
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)
