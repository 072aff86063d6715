"""Likelihood models for pictures of 8x8, and a data set of such, for tests that must be quick."""

__all__ = ["MODELS", "SIZE", "crop"]

from dataclasses import replace

from pentimento.models.latent.pixelvae import PixelVAEConfig
from pentimento.models.latent.pixelvae_two_level import PixelVAETwoLevelConfig
from pentimento.models.latent.vae import VAEConfig
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNNConfig
from pentimento.models.pixels.pixelcnn import PixelCNNConfig
from pentimento.models.recurrent.draw import DRAWConfig

SIZE = 8
_PIXELS = {"features": 6, "layers": 2, "first_kernel": 5}
_ONE_LAYER = _PIXELS | {"layers": 1}  # where two would only make graphs that take twice as long to export
_DRAW = DRAWConfig(
    image_size=SIZE, step_count=2, step_latents=2, hidden=8, read_points=3, write_points=4, read_features=5
)
_PIXELVAE = PixelVAEConfig(image_size=SIZE, latent_dim=3, widths=(4, 6), place_bias=True, **_PIXELS)
MODELS = {
    "pixelcnn": PixelCNNConfig(height=SIZE, width=SIZE, features=8, blocks=2),
    "gated": GatedPixelCNNConfig(height=SIZE, width=SIZE, **_PIXELS),
    "gated with classes": GatedPixelCNNConfig(height=SIZE, width=SIZE, condition_dim=10, **_ONE_LAYER),
    "vae": VAEConfig(image_size=SIZE, latent_dim=3, widths=(4, 6)),
    "pixelvae": _PIXELVAE,
    "pixelvae upsampling 256": replace(_PIXELVAE, upsampling=True, levels=256, layers=1),
    # Wide, as with few features the maps drown what the pixels see of each other.
    "pixelvae plain": replace(
        _PIXELVAE, upsampling=True, gated=False, features=16, first_kernel=7, place_bias=False
    ),
    "pixelvae two levels": PixelVAETwoLevelConfig(
        image_size=SIZE,
        map_count=2,
        vector_dim=3,
        widths=(4, 6, 6),
        prior_features=4,
        prior_layers=1,
        **_ONE_LAYER,
    ),
    "draw": _DRAW,
    "draw plain": replace(_DRAW, attention=False, step_count=1),
}


def crop(dataset):
    """Cuts the middle out of every image of a data set, to the size that the small models have."""
    start = (dataset.train.images.shape[-1] - SIZE) // 2
    middle = slice(start, start + SIZE)

    def cut(split):
        return replace(split, images=split.images[:, :, middle, middle])

    return replace(dataset, train=cut(dataset.train), test=cut(dataset.test))
