"""Gated PixelCNN (van den Oord et al., 2016, arXiv:1606.05328): no blind spot, conditioning.

The likelihood is the product of the pixels', p(x) = prod_i p(x_i | x_1 .. x_{i-1}, condition), in raster
order. A vertical stack sees everything above a pixel and a horizontal stack everything to its left; the
layers, their conventions and their departures are described in `gated_stack.py`.

The condition is a vector for the whole image (PixelVAE's latent; a class as a one-hot vector) or a map with a
value for every place (a decoder's). Grey images only, of two or 256 levels: colour orders three values within
a pixel, which no picture here has.

Shapes: B batch, H = height, W = width, N levels, D condition, M map channels.
"""

__all__ = ["GatedPixelCNN", "GatedPixelCNNConfig"]

from dataclasses import dataclass

from torch import Tensor

from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.pixels.gated_stack import GatedStack, GatedStackConfig
from pentimento.models.shared.likelihoods import check_levels, logit_count


@dataclass(frozen=True, kw_only=True, slots=True)
class GatedPixelCNNConfig:
    """Sizes of a Gated PixelCNN."""

    height: int = 28  # pixels
    width: int = 28
    levels: int = 2
    features: int = 16
    layers: int = 6  # gated layers, the first one included
    first_kernel: int = 7
    kernel: int = 3
    condition_dim: int = 0  # D; 0 for none
    map_channels: int = 0  # M; 0 for none
    place_bias: bool = False  # see `gated_stack.py`

    def __post_init__(self) -> None:
        """Raises ValueError unless pixels have 2 or 256 levels."""
        check_levels(self.levels)

    @property
    def stack(self) -> GatedStackConfig:
        """The part of the configuration that describes the gated layers."""
        return GatedStackConfig(
            height=self.height,
            width=self.width,
            outputs=logit_count(self.levels),
            features=self.features,
            layers=self.layers,
            first_kernel=self.first_kernel,
            kernel=self.kernel,
            condition_dim=self.condition_dim,
            map_channels=self.map_channels,
            place_bias=self.place_bias,
        )


class GatedPixelCNN(AutoregressiveModel):
    """The model: a `GatedStack` whose outputs are the logits of the pixels."""

    def __init__(self, config: GatedPixelCNNConfig) -> None:
        super().__init__()
        self.config = config
        self.height, self.width, self.levels = config.height, config.width, config.levels
        self.stack = GatedStack(config.stack)

    def forward(
        self, image: Tensor, condition: Tensor | None = None, condition_map: Tensor | None = None
    ) -> Tensor:
        """Logits of every pixel given the pixels before it; see `AutoregressiveModel.forward`."""
        return self.stack(image, condition, condition_map)
