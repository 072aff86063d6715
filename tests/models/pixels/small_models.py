"""Small autoregressive models for the tests, with weights that make every connection matter."""

__all__ = ["CONFIGS", "conditions", "make", "noisy", "random_image"]

import torch

from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN, GatedPixelCNNConfig
from pentimento.models.pixels.pixelcnn import PixelCNN, PixelCNNConfig

GATED = {"features": 6, "layers": 3, "first_kernel": 5, "kernel": 3}
CONFIGS = {
    "pixelcnn": lambda height, width: PixelCNNConfig(height=height, width=width, features=8, blocks=2),
    "pixelcnn 256": lambda height, width: PixelCNNConfig(
        height=height, width=width, features=8, blocks=2, levels=256
    ),
    "pixelcnn map": lambda height, width: PixelCNNConfig(
        height=height, width=width, features=8, blocks=3, map_channels=2
    ),
    "gated": lambda height, width: GatedPixelCNNConfig(height=height, width=width, **GATED),
    "gated wide kernel": lambda height, width: GatedPixelCNNConfig(
        height=height, width=width, features=6, layers=4, first_kernel=7, kernel=5
    ),
    "gated one layer": lambda height, width: GatedPixelCNNConfig(
        height=height, width=width, **(GATED | {"layers": 1})
    ),
    "gated condition": lambda height, width: GatedPixelCNNConfig(
        height=height, width=width, condition_dim=3, **GATED
    ),
    "gated map": lambda height, width: GatedPixelCNNConfig(
        height=height, width=width, map_channels=2, **GATED
    ),
    "gated places": lambda height, width: GatedPixelCNNConfig(
        height=height, width=width, place_bias=True, **GATED
    ),
    "gated 256": lambda height, width: GatedPixelCNNConfig(
        height=height, width=width, levels=256, condition_dim=3, map_channels=2, place_bias=True, **GATED
    ),
}


def noisy(module, std=0.5):
    """Gives every parameter a random value; biases start at zero and would hide what they do."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return module.eval()


def make(name, height=5, width=6):
    """Builds the small model of a name."""
    config = CONFIGS[name](height, width)
    return noisy((PixelCNN if isinstance(config, PixelCNNConfig) else GatedPixelCNN)(config))


def conditions(model, rows):
    """A random condition and map for a model that takes them; None for one that does not."""
    dim, channels = getattr(model.config, "condition_dim", 0), getattr(model.config, "map_channels", 0)
    return (
        torch.randn(rows, dim) if dim else None,
        torch.randn(rows, channels, model.height, model.width) if channels else None,
    )


def random_image(model, rows):
    """A random image whose pixels are the model's levels."""
    return torch.randint(model.levels, (rows, 1, model.height, model.width)).float() / (model.levels - 1)
