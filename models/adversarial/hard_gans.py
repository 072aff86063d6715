"""Six hard architectures, of which WGAN-GP alone trained all (Gulrajani et al., 2017, arXiv:1704.00028).

Five vary the DCGAN of `dcgan.py`, with latents of 128, images of 64x64 and d = 64 in the paper:

- `constant_filters`: the generator has d features in all maps and is not normalised;
- `mlp_generator`: the generator is four ReLU layers of 8d = 512;
- `no_normalisation`: in neither player;
- `gated`: sigmoid(a) tanh(b) of twice as many features, everywhere;
- `tanh`: everywhere.

The sixth, `resnet101`, has 33 residual blocks in each player,

    shortcut(x) + 0.3 norm(1x1(ReLU(3x3(ReLU(1x1(ReLU(x)))))))

of which one changes the side from each scale to the next and the others are shared out evenly: for 64 pixels
6 at each scale and 5 at the largest. With the first and the last layer that makes 101. The generator draws
tanh(x / 5); the score is divided by 5.

The paper's normalisation is batch in the generator; in the scorer, layer for WGAN-GP and batch for the others
(`scorer_norm`). The generators draw in [0, 1], by (tanh + 1) / 2, and scorers map it back to [-1, 1].

As with the authors, `no_normalisation`, `tanh` and the scorers of the first two start from DCGAN's
N(0, 0.02^2), which suits d = 64: narrower nets without normalisation begin with hardly any signal. The others
start at the scale of rectifiers.

What differs from the authors' code, and why:
- Other sizes than 64 have fewer scales. 28 pixels take the levels of `dcgan.py`, or 4 -> 7 -> 14 -> 28.
- The halves a and b of the gated features lie one after the other, not alternately.

Shapes: B batch, C channels, H = W image size, F features.
"""

__all__ = [
    "MLPGenerator",
    "ResNet101Generator",
    "ResNet101Scorer",
    "build_constant_filters",
    "build_gated",
    "build_mlp_generator",
    "build_no_normalisation",
    "build_resnet101",
    "build_tanh",
]

from typing import Literal

import torch
from torch import Tensor, nn

from pentimento.models.adversarial.base import Judgement, OneShotGenerator, OneShotScorer
from pentimento.models.adversarial.conditioning import (
    ConditionalBatchNorm2d,
    LabelledGenerator,
    LabelledScorer,
    scorer_norm,
)
from pentimento.models.adversarial.config import OneShotConfig, map_sides
from pentimento.models.adversarial.dcgan import DCGANGenerator, DCGANScorer, dcgan_widths
from pentimento.models.adversarial.wgan_gp import init_scaled

Players = tuple[OneShotGenerator, OneShotScorer]

HIDDEN_LAYERS = 4  # of the MLP
RESIDUAL_SCALE = 0.3
OUTPUT_SCALE = 5.0


def build_constant_filters(config: OneShotConfig) -> Players:
    """DCGAN whose generator has `width` features in all maps and no normalisation."""
    widths = [config.width for _ in dcgan_widths(config)]
    generator = DCGANGenerator(config, widths=widths, normalised=False)
    return generator.apply(init_scaled), DCGANScorer(config)  # the authors start this one so


def build_no_normalisation(config: OneShotConfig) -> Players:
    """DCGAN without normalisation; the configuration refuses one for the scorer."""
    return DCGANGenerator(config, normalised=False), DCGANScorer(config)


def build_gated(config: OneShotConfig) -> Players:
    """DCGAN with gates instead of rectifiers in both players."""
    generator, scorer = DCGANGenerator(config, activation="gated"), DCGANScorer(config, activation="gated")
    return generator.apply(init_scaled), scorer.apply(init_scaled)  # the authors start this one so


def build_tanh(config: OneShotConfig) -> Players:
    """DCGAN with tanh instead of rectifiers in both players."""
    return DCGANGenerator(config, activation="tanh"), DCGANScorer(config, activation="tanh")


def build_mlp_generator(config: OneShotConfig) -> Players:
    """A generator of linear layers only, against DCGAN's discriminator."""
    return MLPGenerator(config), DCGANScorer(config)


def build_resnet101(config: OneShotConfig) -> Players:
    """A residual generator and a residual scorer, by default of 101 layers each."""
    return ResNet101Generator(config), ResNet101Scorer(config)


class MLPGenerator(LabelledGenerator):
    """Four ReLU layers of 8 `width` features, and a linear one whose outputs are the pixels."""

    def __init__(self, config: OneShotConfig) -> None:
        super().__init__(config, normalised=False)
        width = 8 * config.width
        self.layers = nn.ModuleList(
            nn.Linear(width if index else self.input_dim, width) for index in range(HIDDEN_LAYERS)
        )
        self.output = nn.Linear(width, config.channels * config.image_size**2)
        init_scaled(self.output)
        for layer in self.layers:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def draw(self, x: Tensor, label: Tensor | None) -> Tensor:
        """See `LabelledGenerator.draw`."""
        for layer in self.layers:
            x = torch.relu(layer(x))
        return (torch.tanh(self.output(x)).unflatten(1, self.image_shape) + 1) / 2  # (B, CHW) -> (B, C, H, W)


class Bottleneck(nn.Module):
    """A residual block of 1x1, 3x3 and 1x1 convolutions with half the features inside.

    Args:
        inputs: Features before.
        outputs: Features after; they may differ only if the side does.
        norm: Takes what the block computes, and the label if the block gets one.
        side: Of the map before.
        side_after: Of the map after: the same, about half or about twice.
    """

    def __init__(self, inputs: int, outputs: int, norm: nn.Module, side: int, side_after: int) -> None:
        super().__init__()
        self.side_after = side_after
        self.resample: Literal["up", "down"] | None = None
        if side_after != side:
            self.resample = "up" if side_after > side else "down"
        stride = 2 if self.resample == "down" else 1
        self.conv1 = nn.Conv2d(inputs, inputs // 2, 1)
        self.conv2: nn.Module
        self.shortcut: nn.Module = nn.Identity()
        if self.resample == "up":
            self.conv2 = nn.ConvTranspose2d(
                inputs // 2, outputs // 2, 3, stride=2, padding=1, output_padding=side_after - (2 * side - 1)
            )
            self.shortcut = nn.Conv2d(inputs, 4 * outputs, 1)
        else:
            self.conv2 = nn.Conv2d(inputs // 2, outputs // 2, 3, stride=stride, padding=1)
            if self.resample == "down":
                self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2)
        self.conv3 = nn.Conv2d(outputs // 2, outputs, 1, bias=isinstance(norm, nn.Identity))
        self.norm = norm
        for conv in (self.conv1, self.conv2, self.conv3):
            init_scaled(conv)
        init_scaled(self.shortcut, rectified=False)

    def forward(self, x: Tensor, *label: Tensor | None) -> Tensor:
        """(B, inputs, side, side) -> (B, outputs, side_after, side_after)."""
        y = self.conv2(torch.relu(self.conv1(torch.relu(x))))
        y = self.norm(self.conv3(torch.relu(y)), *label)
        x = self.shortcut(x)
        if self.resample == "up":  # (B, 4 outputs, side, side) -> (B, outputs, 2 side, 2 side), cropped
            x = nn.functional.pixel_shuffle(x, 2)[:, :, : self.side_after, : self.side_after]
        return x + RESIDUAL_SCALE * y


def _plan(config: OneShotConfig) -> list[tuple[int, int, int, int]]:
    """The generator's blocks as (inputs, outputs, side, side after); the scorer's are these backwards."""
    sides = map_sides(config.image_size)
    scales = len(sides)
    widths = [config.width // 2 * 2**level for level in reversed(range(scales))]  # ..., 2d, d, d/2
    plain, extra = divmod(config.blocks - (scales - 1), scales)
    plan = []
    for index, (side, width) in enumerate(zip(sides, widths, strict=True)):
        plan += [(width, width, side, side)] * (plain + (index < extra))
        if index < scales - 1:
            plan.append((width, widths[index + 1], side, sides[index + 1]))
    return plan


class ResNet101Generator(LabelledGenerator):
    """A linear layer, residual blocks up to the image's size, and a 1x1 convolution."""

    def __init__(self, config: OneShotConfig) -> None:
        super().__init__(config, normalised=True)
        plan = _plan(config)
        width, _, side, _ = plan[0]
        self.base_shape = (width, side, side)
        self.linear = nn.Linear(self.input_dim, width * side * side)
        self.blocks = nn.ModuleList(
            Bottleneck(before, after, ConditionalBatchNorm2d(after, self.norm_classes), *sides)
            for before, after, *sides in plan
        )
        self.output = nn.Conv2d(plan[-1][1], config.channels, 1)
        init_scaled(self.linear)
        init_scaled(self.output, rectified=False)

    def draw(self, x: Tensor, label: Tensor | None) -> Tensor:
        """See `LabelledGenerator.draw`."""
        x = self.linear(x).unflatten(1, self.base_shape)  # -> (B, 8d, 4, 4)
        for block in self.blocks:
            x = block(x, label)
        return (torch.tanh(self.output(x) / OUTPUT_SCALE) + 1) / 2


class ResNet101Scorer(LabelledScorer):
    """A 1x1 convolution, residual blocks down to maps of 4x4, and a linear layer."""

    def __init__(self, config: OneShotConfig) -> None:
        plan = [(after, before, *sides[::-1]) for before, after, *sides in reversed(_plan(config))]
        width, side = plan[-1][1], plan[-1][3]
        super().__init__(config, features=width * side * side)
        self.input = nn.Conv2d(self.inputs, plan[0][0], 1)
        self.blocks = nn.Sequential(
            *(
                Bottleneck(before, after, scorer_norm(config.scorer_norm, after), *sides)
                for before, after, *sides in plan
            )
        )
        init_scaled(self.input, rectified=False)
        self.head.apply(init_scaled)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Judgement:
        """Scores images; see `OneShotScorer.forward`."""
        judgement = super().forward(image, label)
        return judgement._replace(score=judgement.score / OUTPUT_SCALE)

    def hidden(self, x: Tensor) -> Tensor:
        """See `LabelledScorer.hidden`."""
        return self.blocks(self.input(x)).flatten(1)
