"""PixelVAE with two latent levels (Gulrajani et al., 2016, arXiv:1611.05013, sections 3.2 and 3.3).

z2 is a vector, z1 are maps at a quarter of the image's size, and each level draws the one below it:

    p(z2) = N(0, I),  p(z1 | z2) autoregressive over places,  p(x | z1) autoregressive over pixels
    bound = E log p(x | z1) - E KL(q(z1 | x) || p(z1 | z2)) - KL(q(z2 | x) || N(0, I))

The posterior is factorised, q(z1 | x) q(z2 | x). The prior of z1 is a Gaussian for each place, its mean and
variance given by z2 and by the places before it; the channels of a place are independent given those.

The latent is one vector (z2, z1), in the order of drawing; z1 is read row by row, (M1, h, w).

What differs from the paper or the authors' code, and why:
- Sizes for 28x28 grey images: z1 has 8 maps of 7x7, z2 16 numbers, widths 16, 32 and 32. The paper's
  two-level models are for 32x32 and 64x64 colour.
- No batch normalisation in the residual blocks: rows of a batch would depend on each other.
- The prior's mean is not squashed and its variance has no floor that is lowered during training; a KL that
  is warmed up serves the same purpose.
- Both autoregressive parts are the gated two-stack layers; the authors mask a single stack, which has a
  blind spot.

Shapes: B batch, H = W = image_size, h = w = H / 4, Z latent, M1 maps of z1.
"""

__all__ = ["PixelVAETwoLevel", "PixelVAETwoLevelConfig", "draw_maps", "split_gaussian"]

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pentimento.models.latent.vae import LOG_VARIANCE_LIMIT
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN, GatedPixelCNNConfig
from pentimento.models.pixels.gated_stack import GatedStack, GatedStackConfig
from pentimento.models.shared.latent_model import OnePassLatentModel
from pentimento.models.shared.likelihoods import Gaussian, widened


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelVAETwoLevelConfig:
    """Sizes of a two-level PixelVAE."""

    image_size: int = 28  # pixels; a multiple of 4
    map_count: int = 8  # M1, of z1
    vector_dim: int = 16  # of z2
    widths: tuple[int, int, int] = (16, 32, 32)  # features at the image's size, a half and a quarter of it
    levels: int = 2
    prior_features: int = 16  # of the gated layers over z1
    prior_layers: int = 3
    features: int = 16  # of the gated layers over pixels
    layers: int = 4
    first_kernel: int = 5
    kernel: int = 3

    def __post_init__(self) -> None:
        """Raises ValueError for an image size that cannot be built."""
        if self.image_size % 4:
            raise ValueError(f"image_size must be a multiple of 4, got {self.image_size}")


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions after ELUs, beside a shortcut; it may halve or double the side."""

    def __init__(self, inputs: int, outputs: int, *, halve: bool = False, double: bool = False) -> None:
        super().__init__()
        self.double = double
        # Doubling by sub-pixels: four times the features, then laid out two by two.
        self.first = nn.Conv2d(inputs, inputs * (4 if double else 1), 3, padding=1)
        self.second = nn.Conv2d(inputs, outputs, 3, padding=1, stride=2 if halve else 1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2 if halve else 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, side, side) -> (B, outputs, side', side')."""
        y = self.first(F.elu(x))
        if self.double:
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            y = F.pixel_shuffle(y, 2)
        return self.shortcut(x) + self.second(F.elu(y))


class PixelVAETwoLevel(OnePassLatentModel):
    """The model: one encoder for both levels, the prior of z1 given z2, and pixel layers given z1.

    Attributes:
        prior_maps: p(z1 | z2): mean and log-variance of each place, to be called with `prior_condition`.
        pixels: p(x | z1), to be called with the `condition_map` that `pixel_map` returns.
    """

    def __init__(self, config: PixelVAETwoLevelConfig) -> None:
        super().__init__()
        self.config = config
        large, middle, small = config.widths
        side = config.image_size // 4
        self.map_shape = (config.map_count, side, side)
        self.level_sizes = (config.vector_dim, config.map_count * side**2)
        self.latent_dim = sum(self.level_sizes)
        self.down = nn.Sequential(
            nn.Conv2d(1, large, 3, padding=1),
            ResidualBlock(large, middle, halve=True),
            ResidualBlock(middle, small, halve=True),
            ResidualBlock(small, small),
        )
        self.posterior_maps = nn.Conv2d(small, 2 * config.map_count, 1)
        self.down_further = ResidualBlock(small, small, halve=True)
        self.posterior_vector = nn.Linear(small * (-(-side // 2)) ** 2, 2 * config.vector_dim)
        self.prior_maps = GatedStack(
            GatedStackConfig(
                height=side,
                width=side,
                inputs=config.map_count,
                outputs=2 * config.map_count,
                features=config.prior_features,
                layers=config.prior_layers,
                first_kernel=3,
                kernel=3,
                condition_dim=config.vector_dim,
                map_channels=small,
            )
        )
        self.prior_linear = nn.Linear(config.vector_dim, small * side**2)
        self.prior_block = ResidualBlock(small, small)
        self.up = nn.Sequential(
            nn.Conv2d(config.map_count, small, 3, padding=1),
            ResidualBlock(small, small),
            ResidualBlock(small, middle, double=True),
            ResidualBlock(middle, large, double=True),
            nn.ELU(),
        )
        self.pixels = GatedPixelCNN(
            GatedPixelCNNConfig(
                height=config.image_size,
                width=config.image_size,
                levels=config.levels,
                features=config.features,
                layers=config.layers,
                first_kernel=config.first_kernel,
                kernel=config.kernel,
                map_channels=large,
            )
        )

    def split(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """The latent, shape (B, Z), as z2, shape (B, Z2), and z1, shape (B, M1, h, w)."""
        vector, maps = latent.split(self.level_sizes, dim=1)
        return vector, maps.unflatten(1, self.map_shape)

    def encode(self, image: Tensor) -> Gaussian:
        """The posterior of both levels; see `OnePassLatentModel.encode`."""
        x = self.down(image)
        maps = widened(self.posterior_maps(F.elu(x))).flatten(2)  # (B, 2 M1, h * w)
        vector = widened(self.posterior_vector(F.elu(self.down_further(x)).flatten(1)))
        parts = [vector.chunk(2, dim=1), [half.flatten(1) for half in maps.chunk(2, dim=1)]]
        mean, log_variance = (torch.cat(part, dim=1) for part in zip(*parts, strict=True))
        return Gaussian(mean, log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT))

    def prior_condition(self, vector: Tensor) -> Tensor:
        """The maps that z2, shape (B, Z2), gives to the prior of z1, shape (B, widths[2], h, w)."""
        start = self.prior_linear(vector).unflatten(1, (-1, *self.map_shape[1:]))
        return F.elu(self.prior_block(start))

    def prior(self, latent: Tensor) -> Gaussian:
        """Standard normal for z2; for z1 given z2 and, at each place, the places before it."""
        vector, maps = self.split(latent)
        mean, log_variance = split_gaussian(self.prior_maps(maps, vector, self.prior_condition(vector)))
        nought = torch.zeros_like(vector)
        return Gaussian(
            torch.cat([nought, mean.flatten(1)], dim=1),
            torch.cat([nought, log_variance.flatten(1)], dim=1),
        )

    def pixel_map(self, maps: Tensor) -> Tensor:
        """Decodes z1, shape (B, M1, h, w), to maps that the pixels are given, shape (B, widths[0], H, W)."""
        return self.up(maps)

    def log_likelihood_map(self, image: Tensor, latent: Tensor) -> Tensor:
        """Log-probability of every pixel given z1 and the pixels before it, (B, 1, H, W)."""
        _, maps = self.split(latent)
        return self.pixels.log_likelihood_map(image, None, self.pixel_map(maps))


def draw_maps(outputs: Tensor, noise: Tensor) -> Tensor:
    """Draws z1 at one place, shape (B, M1), from the prior's outputs there and standard normal noise."""
    return split_gaussian(outputs).sample(noise)


def split_gaussian(outputs: Tensor) -> Gaussian:
    """Reads outputs as a Gaussian: (B, 2 M1, ...) -> mean and log-variance, (B, M1, ...) each."""
    mean, log_variance = widened(outputs).chunk(2, dim=1)
    return Gaussian(mean, log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT))
