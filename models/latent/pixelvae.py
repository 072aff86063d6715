"""PixelVAE with one latent level (Gulrajani et al., 2016, arXiv:1611.05013).

A VAE whose decoder ends in an autoregressive model: the latent keeps what is global, the pixel layers draw
the detail. Two ways to let the pixels see the latent:

- with `upsampling`, a convolutional decoder turns z into maps of the image's size, and each pixel sees the
  maps at its own place;
- without, there is no such decoder: z is a linear bias of every gate. It is the paper's best on MNIST.

The pixel layers are gated, or with `gated=False` the plain ones of PixelCNN: the row "PixelVAE" of the
paper's table, beside "Gated PixelVAE". Plain layers have no gates for a latent to bias: they need the maps.

With few or small pixel layers the latent carries more; with a large pixel model it may carry nothing, so the
KL belongs next to every likelihood that is reported.

What differs from the paper or the authors' code, and why:
- Weights are not normalised, and the maps enter at the first layer's gates; see `gated_stack.py`.
- With 256 levels the pixel layers are the gated two-stack ones too. The authors' code for colour images has a
  masked single stack there, which has a blind spot.
- Later pixel layers have kernels of 3 x 3 by default, a third of the work; the paper's have 5 x 5.
- `place_bias` is not in the paper; see `gated_stack.py`.

Shapes: B batch, H = W = image_size, Z latent_dim, N levels.
"""

__all__ = ["PixelVAE", "PixelVAEConfig"]

from dataclasses import dataclass

from torch import Tensor

from pentimento.models.latent.vae import LatentDecoder, LatentEncoder
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN, GatedPixelCNNConfig
from pentimento.models.pixels.pixelcnn import PixelCNN, PixelCNNConfig
from pentimento.models.shared.latent_model import OnePassLatentModel
from pentimento.models.shared.likelihoods import Gaussian


@dataclass(frozen=True, kw_only=True, slots=True)
class PixelVAEConfig:
    """Sizes of a PixelVAE; the paper's best on MNIST: widths (32, 64), 12 layers of 5x5, 16 features."""

    image_size: int = 28  # pixels
    latent_dim: int = 16
    widths: tuple[int, int] = (16, 32)  # of the encoder and, with upsampling, of the decoder
    upsampling: bool = False
    levels: int = 2
    features: int = 16  # of the pixel layers
    layers: int = 6
    first_kernel: int = 7
    kernel: int = 3
    place_bias: bool = False  # of the pixel layers, see `gated_stack.py`
    gated: bool = True  # else the pixel layers are PixelCNN's: a 7x7 one and `layers` residual blocks of 3x3

    def __post_init__(self) -> None:
        """Raises ValueError for plain pixel layers with what only gated ones have."""
        if self.gated:
            return
        if not self.upsampling:
            raise ValueError("gated=False needs upsampling=True: plain layers have no gates for z to bias")
        if (self.first_kernel, self.kernel, self.place_bias) != (7, 3, False):
            raise ValueError("gated=False takes first_kernel 7, kernel 3 and no place_bias, as PixelCNN has")

    @property
    def pixels(self) -> GatedPixelCNNConfig | PixelCNNConfig:
        """The part of the configuration that describes the pixel layers."""
        if not self.gated:
            return PixelCNNConfig(
                height=self.image_size,
                width=self.image_size,
                levels=self.levels,
                features=self.features,
                blocks=self.layers,
                map_channels=self.widths[0],
            )
        return GatedPixelCNNConfig(
            height=self.image_size,
            width=self.image_size,
            levels=self.levels,
            features=self.features,
            layers=self.layers,
            first_kernel=self.first_kernel,
            kernel=self.kernel,
            place_bias=self.place_bias,
            condition_dim=0 if self.upsampling else self.latent_dim,
            map_channels=self.widths[0] if self.upsampling else 0,
        )


class PixelVAE(OnePassLatentModel):
    """The model: encoder, decoder if there is upsampling, and pixel layers.

    Attributes:
        pixels: p(x | z), to be called with what `conditions` returns.
    """

    def __init__(self, config: PixelVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.latent_dim = config.latent_dim
        self.level_sizes = (config.latent_dim,)
        self.encoder = LatentEncoder(config.image_size, config.latent_dim, config.widths)
        self.decoder = (
            LatentDecoder(config.image_size, config.latent_dim, config.widths) if config.upsampling else None
        )
        pixels = config.pixels
        self.pixels: AutoregressiveModel = (
            PixelCNN(pixels) if isinstance(pixels, PixelCNNConfig) else GatedPixelCNN(pixels)
        )

    def encode(self, image: Tensor) -> Gaussian:
        """The posterior; see `OnePassLatentModel.encode`."""
        return self.encoder(image)

    def conditions(self, latent: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """What the pixel layers are given: `condition` and `condition_map`, one of which is None.

        Args:
            latent: Shape (B, Z).
        """
        return (latent, None) if self.decoder is None else (None, self.decoder(latent))

    def log_likelihood_map(self, image: Tensor, latent: Tensor) -> Tensor:
        """Log-probability of every pixel given the latent and the pixels before it, (B, 1, H, W)."""
        return self.pixels.log_likelihood_map(image, *self.conditions(latent))
