"""A convolutional VAE (Kingma and Welling, 2013, arXiv:1312.6114), the baseline of the PixelVAE paper.

Encoder and decoder are those of PixelVAE on MNIST (Gulrajani et al., 2016, arXiv:1611.05013) without the
pixel layers; `pixelvae.py` uses the same parts. The likelihood is Bernoulli, every pixel on its own given z.

What differs from PixelVAE's code, and why:
- It pads 7x7 maps to 8x8 on the way down and crops on the way up. Here strides simply round up, 28 -> 14 ->
  7 -> 4, and transposed convolutions go back to the same sides, so that any image size works.
- Weights are not normalised; they start at the scale that rectifiers need.
- The encoder has eight convolutions, as in the code; the paper's appendix lists nine.

Shapes: B batch, H = W = image_size, Z latent_dim.
"""

__all__ = ["VAE", "LatentDecoder", "LatentEncoder", "VAEConfig"]

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pentimento.models.shared.latent_model import OnePassLatentModel
from pentimento.models.shared.likelihoods import Gaussian, pixel_log_likelihood, widened

LOG_VARIANCE_LIMIT = 12.0  # far beyond any posterior of use; exp of more could overflow early in training


@dataclass(frozen=True, kw_only=True, slots=True)
class VAEConfig:
    """Sizes of the VAE; widths (32, 64) are the paper's."""

    image_size: int = 28  # pixels
    latent_dim: int = 16
    widths: tuple[int, int] = (32, 64)  # features of the large maps and of the small ones


def halved(side: int) -> tuple[int, int, int, int]:
    """Sides of the maps when strides of two round up: 28 -> (28, 14, 7, 4)."""
    half, quarter = -(-side // 2), -(-side // 4)
    return side, half, quarter, -(-side // 8)


class LatentEncoder(nn.Module):
    """Image -> posterior: eight 3x3 convolutions, three of them with stride 2, and a linear layer."""

    def __init__(self, image_size: int, latent_dim: int, widths: tuple[int, int]) -> None:
        super().__init__()
        large, small = widths
        plan = [(1, large, 1), (large, large, 2), (large, large, 1), (large, small, 2), (small, small, 1)]
        plan += [(small, small, 2), (small, small, 1), (small, small, 1)]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, stride=stride, padding=1) for a, b, stride in plan)
        self.linear = nn.Linear(small * halved(image_size)[3] ** 2, 2 * latent_dim)
        for conv in self.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)

    def forward(self, image: Tensor) -> Gaussian:
        """(B, 1, H, W) in [0, 1] -> mean and log-variance, (B, Z) each."""
        x = image
        for conv in self.convs:
            x = torch.relu(conv(x))
        mean, log_variance = widened(self.linear(x.flatten(1))).chunk(2, dim=1)
        return Gaussian(mean, log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT))


class LatentDecoder(nn.Module):
    """Latent -> maps of the image's size: a linear layer, then convolutions, three doubling the side."""

    def __init__(self, image_size: int, latent_dim: int, widths: tuple[int, int]) -> None:
        super().__init__()
        large, small = widths
        full, half, quarter, eighth = halved(image_size)
        self.base_shape = (small, eighth, eighth)
        self.linear = nn.Linear(latent_dim, small * eighth**2)
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(small, small, 3, padding=1),
                nn.Conv2d(small, small, 3, padding=1),
                _doubling(small, small, eighth, quarter),
                nn.Conv2d(small, small, 3, padding=1),
                _doubling(small, large, quarter, half),
                nn.Conv2d(large, large, 3, padding=1),
                _doubling(large, large, half, full),
                nn.Conv2d(large, large, 3, padding=1),
            ]
        )
        for layer in self.layers:
            # A stride of two leaves a transposed convolution a quarter of its kernel at each place.
            share = 4 if isinstance(layer, nn.ConvTranspose2d) else 1
            inputs = layer.in_channels * 9 / share
            nn.init.normal_(layer.weight, std=(2 / inputs) ** 0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, Z) -> (B, widths[0], H, W), not negative."""
        x = torch.relu(self.linear(latent)).unflatten(1, self.base_shape)  # -> (B, small, 4, 4)
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


def _doubling(inputs: int, outputs: int, side: int, target: int) -> nn.ConvTranspose2d:
    extra = target - (2 * side - 1)
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=extra)


class VAE(OnePassLatentModel):
    """The model: `LatentEncoder`, `LatentDecoder`, and a 1x1 convolution to the logits of the pixels."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.latent_dim = config.latent_dim
        self.level_sizes = (config.latent_dim,)
        self.encoder = LatentEncoder(config.image_size, config.latent_dim, config.widths)
        self.decoder = LatentDecoder(config.image_size, config.latent_dim, config.widths)
        self.logits = nn.Conv2d(config.widths[0], 1, 1)

    def encode(self, image: Tensor) -> Gaussian:
        """The posterior; see `OnePassLatentModel.encode`."""
        return self.encoder(image)

    def decode(self, latent: Tensor) -> Tensor:
        """Logits of the pixels, shape (B, 1, H, W), from the latent, shape (B, Z)."""
        return self.logits(self.decoder(latent))

    def log_likelihood_map(self, image: Tensor, latent: Tensor) -> Tensor:
        """Log-probability of every pixel given the latent, in nats, shape (B, 1, H, W)."""
        return pixel_log_likelihood(self.decode(latent), image, 2)
