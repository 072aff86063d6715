"""The nets for MNIST of the authors of WGAN-GP (Gulrajani et al., 2017, arXiv:1704.00028).

    generator: linear to 4d maps of 4x4 -> ReLU and transposed convolution to 2d, d, C -> sigmoid
    critic: convolutions with stride 2 to d, 2d, 4d with LeakyReLU(0.2) -> linear

All kernels are 5x5; the authors' d is 64. To end at 28 pixels the authors crop the 8x8 maps to 7x7; leaving
the last row and column out of the transposed convolution is the same. For 32 pixels nothing is cropped.
Images are in [0, 1] for both players. Nothing is normalised; the paper's remedy for critics that need it is
`scorer_norm` layer.

What differs from the authors' code, and why:
- Strided convolutions pad both sides alike; TensorFlow pads the far side more, which only moves the maps.
- The labels, which their nets for MNIST do not have, come as in `conditioning.py`.
- In mode `wgan` they batch-normalise the generator; it has no normalisation here in any mode.

Shapes: B batch, C channels, H = W image size, F features.
"""

__all__ = ["WGANGPCritic", "WGANGPGenerator", "build_wgan_gp", "init_scaled"]

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pentimento.models.adversarial.conditioning import LabelledGenerator, LabelledScorer, scorer_norm
from pentimento.models.adversarial.config import OneShotConfig, map_sides
from pentimento.models.shared.blocks import KERNEL


def init_scaled(module: nn.Module, *, rectified: bool = True) -> None:
    """Draws a layer's weights as the authors do: uniform, scaled for signals and gradients alike.

    Args:
        module: Convolutions are scaled for rectifiers before them, linear layers never; others stay.
        rectified: False for convolutions that no rectifier precedes.
    """
    if isinstance(module, nn.Linear):
        fan_in, fan_out, gain = module.in_features, module.out_features, 2.0
    elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        area, stride = math.prod(module.kernel_size), math.prod(module.stride)
        fan_in, fan_out = module.in_channels * area, module.out_channels * area
        gain = 4.0 if rectified else 2.0
        if isinstance(module, nn.ConvTranspose2d):
            fan_in //= stride  # a stride leaves each place a part of the kernel
        else:
            fan_out //= stride
    else:
        return
    bound = math.sqrt(3 * gain / (fan_in + fan_out))
    nn.init.uniform_(module.weight, -bound, bound)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


class WGANGPGenerator(LabelledGenerator):
    """The generator: a linear layer, then three transposed convolutions up to the image."""

    def __init__(self, config: OneShotConfig) -> None:
        super().__init__(config, normalised=False)
        d, sides = config.width, map_sides(config.image_size)
        self.base_shape = (4 * d, sides[0], sides[0])
        self.linear = nn.Linear(self.input_dim, 4 * d * sides[0] ** 2)
        self.deconvs = nn.ModuleList(
            nn.ConvTranspose2d(
                a, b, KERNEL, stride=2, padding=2, output_padding=after - (2 * before - 1)
            )  # 4 -> 7 or 8
            for a, b, before, after in zip(
                (4 * d, 2 * d, d), (2 * d, d, config.channels), sides[:-1], sides[1:], strict=True
            )
        )
        self.apply(init_scaled)

    def draw(self, x: Tensor, label: Tensor | None) -> Tensor:
        """See `LabelledGenerator.draw`."""
        x = self.linear(x).unflatten(1, self.base_shape)  # -> (B, 4d, 4, 4)
        for deconv in self.deconvs:
            x = deconv(torch.relu(x))
        return torch.sigmoid(x)


class WGANGPCritic(LabelledScorer):
    """The critic: three strided convolutions, then a linear layer."""

    signed = False

    def __init__(self, config: OneShotConfig) -> None:
        d, side = config.width, map_sides(config.image_size)[0]
        super().__init__(config, features=4 * d * side * side)
        widths = (d, 2 * d, 4 * d)
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, KERNEL, stride=2, padding=2)
            for a, b in zip((self.inputs, d, 2 * d), widths, strict=True)
        )
        self.norms = nn.ModuleList(
            scorer_norm(config.scorer_norm if index else "none", width) for index, width in enumerate(widths)
        )
        self.apply(init_scaled)

    def hidden(self, x: Tensor) -> Tensor:
        """See `LabelledScorer.hidden`."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return x.flatten(1)


def build_wgan_gp(config: OneShotConfig) -> tuple[WGANGPGenerator, WGANGPCritic]:
    """Builds the generator and the critic for MNIST."""
    return WGANGPGenerator(config), WGANGPCritic(config)
