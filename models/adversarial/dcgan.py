"""DCGAN: strided convolutions throughout (Radford, Metz and Chintala, 2015, arXiv:1511.06434).

    generator: linear -> BN -> ReLU -> transposed convolutions, each but the last with BN and ReLU -> tanh
    discriminator: convolutions with LeakyReLU(0.2), normalised but for the first -> linear

Maps double from 4x4, or from 7x7 for 28 pixels, while their features halve down to `width`. All weights start
from N(0, 0.02^2). The generator draws in [0, 1], by (tanh + 1) / 2; the discriminator takes that and maps it
back to the paper's [-1, 1] itself. Options give the harder skeletons of `hard_gans.py`.

What differs from the paper or the authors' code, and why:
- Latents are normal, not uniform: one kind of noise for all models.
- The script for 28x28 has a hidden linear layer of 1024 in both; the paper's own rules forbid it.
- How the discriminator is normalised is `scorer_norm`: batch is the paper's.

Shapes: B batch, C channels, H = W image size, F features.
"""

__all__ = ["ACTIVATIONS", "DCGANGenerator", "DCGANScorer", "build_dcgan", "dcgan_widths", "init_dcgan"]

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pentimento.models.adversarial.conditioning import (
    ConditionalBatchNorm2d,
    LabelledGenerator,
    LabelledScorer,
    scorer_norm,
)
from pentimento.models.adversarial.config import OneShotConfig
from pentimento.models.shared.blocks import KERNEL


def _gated(x: Tensor) -> Tensor:
    """sigmoid(a) tanh(b) of the two halves of the features: (B, 2F, H, W) -> (B, F, H, W)."""
    a, b = x.chunk(2, dim=1)
    return torch.sigmoid(a) * torch.tanh(b)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "tanh": torch.tanh,
    "gated": _gated,
}


def init_dcgan(module: nn.Module) -> None:
    """Draws a layer's weights from N(0, 0.02^2)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def dcgan_widths(config: OneShotConfig) -> tuple[int, ...]:
    """Features from the smallest maps up: (2d, d) for 28 pixels, (4d, 2d, d) for 32, (8d, ..., d) for 64."""
    levels = {28: 2, 32: 3, 64: 4}[config.image_size]
    return tuple(config.width * 2**level for level in reversed(range(levels)))


class DCGANGenerator(LabelledGenerator):
    """DCGAN's generator: a linear layer, then transposed convolutions up to the image.

    Args:
        config: Sizes and conditioning.
        widths: Features of the maps before each transposed convolution; None for the paper's.
        normalised: Whether all but the output is batch-normalised.
        activation: Of `ACTIVATIONS`.
    """

    def __init__(
        self,
        config: OneShotConfig,
        *,
        widths: Sequence[int] | None = None,
        normalised: bool = True,
        activation: str = "relu",
    ) -> None:
        super().__init__(config, normalised=normalised)
        widths = dcgan_widths(config) if widths is None else widths
        side = config.image_size // 2 ** len(widths)
        before = [width * (2 if activation == "gated" else 1) for width in widths]  # before its activation
        self.activation = ACTIVATIONS[activation]
        self.base_shape = (before[0], side, side)
        self.linear = nn.Linear(self.input_dim, before[0] * side * side, bias=not normalised)
        self.norms = nn.ModuleList(
            ConditionalBatchNorm2d(width, self.norm_classes) if normalised else nn.Identity()
            for width in before
        )
        self.deconvs = nn.ModuleList(
            # The normalisation that follows has a bias; the output has none.
            nn.ConvTranspose2d(a, b, KERNEL, stride=2, padding=2, output_padding=1, bias=not normalised)
            for a, b in zip(widths[:-1], before[1:], strict=True)
        )
        self.deconvs.append(
            nn.ConvTranspose2d(widths[-1], config.channels, KERNEL, stride=2, padding=2, output_padding=1)
        )
        self.normalised = normalised
        self.apply(init_dcgan)

    def draw(self, x: Tensor, label: Tensor | None) -> Tensor:
        """See `LabelledGenerator.draw`."""
        x = self.linear(x).unflatten(1, self.base_shape)  # -> (B, F, h, w)
        for norm, deconv in zip(self.norms, self.deconvs, strict=True):
            x = deconv(self.activation(norm(x, label) if self.normalised else x))
        return (torch.tanh(x) + 1) / 2


class DCGANScorer(LabelledScorer):
    """DCGAN's discriminator, or a critic: strided convolutions, then a linear output.

    Args:
        config: Sizes, conditioning and normalisation.
        activation: Of `ACTIVATIONS`.
    """

    def __init__(self, config: OneShotConfig, *, activation: str = "leaky_relu") -> None:
        widths = dcgan_widths(config)[::-1]
        side = config.image_size // 2 ** len(widths)
        super().__init__(config, features=widths[-1] * side * side)
        factor = 2 if activation == "gated" else 1
        self.activation = ACTIVATIONS[activation]
        self.convs = nn.ModuleList(
            nn.Conv2d(
                a, factor * b, KERNEL, stride=2, padding=2, bias=not index or config.scorer_norm != "batch"
            )
            for index, (a, b) in enumerate(zip([self.inputs, *widths[:-1]], widths, strict=True))
        )
        self.norms = nn.ModuleList(
            scorer_norm(config.scorer_norm if index else "none", factor * width)
            for index, width in enumerate(widths)
        )
        self.apply(init_dcgan)

    def hidden(self, x: Tensor) -> Tensor:
        """See `LabelledScorer.hidden`."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = self.activation(norm(conv(x)))
        return x.flatten(1)


def build_dcgan(config: OneShotConfig) -> tuple[DCGANGenerator, DCGANScorer]:
    """Builds DCGAN's generator and discriminator."""
    return DCGANGenerator(config), DCGANScorer(config)
