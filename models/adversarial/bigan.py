"""BiGAN: adversarial feature learning (Donahue, Krähenbühl and Darrell, 2016, arXiv:1605.09782).

    min over G, E, max over D:  E_x log D(x, E(x)) + E_z log(1 - D(G(z), z)),   z ~ U[-1, 1]^Z

At the optimum E inverts G. Encoder and generator never see each other's output: all they know comes through
the discriminator. This is the authors' permutation-invariant model of MNIST: three networks of two hidden
layers, which see a picture as a list of numbers.

What differs from the authors' code, and why:
- Hidden layers of 320 instead of 1,024, so that a bundle is small.
- The discriminator and the encoder normalise each row by itself (layer normalisation) where the authors'
  normalise over the batch: the score and the encoding of a picture must not depend on its neighbours.
- The generator's batch normalisation is frozen for drawing, over many latents (`collect_statistics`).

Shapes: B batch, C channels, H = W = image_size, Z latent_dim; there is one step, T = 1.
"""

__all__ = ["BiGAN", "BiGANConfig"]

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.models.shared.blocks import StepBatchNorm

_SLOPE = 0.2  # of leaky rectifiers below zero


@dataclass(frozen=True, kw_only=True, slots=True)
class BiGANConfig:
    """Sizes of a BiGAN."""

    image_size: int = 28  # pixels
    channels: int = 1
    latent_dim: int = 50
    hidden: int = 320  # of both hidden layers of each network

    def __post_init__(self) -> None:
        """Raises ValueError for sizes that cannot be built; the message names field, limit and value."""
        for name in ("image_size", "channels", "latent_dim", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def pixels(self) -> int:
        """Numbers of an image."""
        return self.channels * self.image_size**2


class _Reader(nn.Module):
    """Two leaky hidden layers, the second normalised row by row, and a linear map."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.last = nn.Linear(hidden, outputs)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees: (B, inputs) -> (B, hidden)."""
        x = nn.functional.leaky_relu(self.first(x), _SLOPE)
        return nn.functional.leaky_relu(self.norm(self.second(x)), _SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        return self.last(self.features(x))


class _Generator(nn.Module):
    """Two normalised hidden layers with rectifiers, and a linear map to the logits of the pixels."""

    def __init__(self, config: BiGANConfig) -> None:
        super().__init__()
        self.first = nn.Linear(config.latent_dim, config.hidden)
        self.second = nn.Linear(config.hidden, config.hidden)
        self.norms = nn.ModuleList(StepBatchNorm(config.hidden, 1) for _ in range(2))
        self.last = nn.Linear(config.hidden, config.pixels)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, Z) -> (B, pixels), in [0, 1]."""
        step = torch.zeros_like(latent[:, 0], dtype=torch.int64)  # of the one set of statistics
        x = torch.relu(self.norms[0](self.first(latent), step))
        x = torch.relu(self.norms[1](self.second(x), step))
        return torch.sigmoid(self.last(x))


class BiGAN(BidirectionalGAN):
    """The model."""

    def __init__(self, config: BiGANConfig) -> None:
        super().__init__()
        self.config = config
        self.prior = "uniform"
        self.step_count, self.group_size, self.latent_dim = 1, 1, config.latent_dim
        self.encoder: _Reader = _Reader(config.pixels, config.hidden, config.latent_dim)
        self.generator = _Generator(config)
        self.discriminator = _Reader(config.pixels + config.latent_dim, config.hidden, 1)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02 if module.out_features == 1 else _gain(module))
                nn.init.zeros_(module.bias)

    def encode(self, image: Tensor, eps: Tensor) -> Tensor:
        """The latent of each image, (B, 1, Z); `eps` is not used."""
        return self.encoder(image.flatten(1))[:, None]

    def features(self, image: Tensor) -> Tensor:
        """The layer before the encoder's output, (B, hidden)."""
        return self.encoder.features(image.flatten(1))

    def draw(self, latent: Tensor) -> Tensor:
        """Images, (B, 1, C, H, W), from latents, (B, 1, Z)."""
        size = (1, self.config.channels, self.config.image_size, self.config.image_size)
        return self.generator(latent[:, 0]).unflatten(1, size)

    def judge(self, images: Tensor, latent: Tensor, group_size: int | None = None) -> Tensor:
        """Logits of pairs, (B, 1, 1), from (B, 1, C, H, W) and (B, 1, Z)."""
        return self.discriminator(torch.cat([images.flatten(1), latent.flatten(1)], dim=1))[:, :, None]


def _gain(linear: nn.Linear) -> float:
    """Standard deviation that keeps a signal's size through a rectifier."""
    return math.sqrt(2 / linear.in_features)
