"""A training by maximum likelihood, in one frozen value; `training.config` has the adversarial one."""

__all__ = ["FAMILIES", "LikelihoodConfig", "LikelihoodModel", "ModelConfig", "build_model", "model_shape"]

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from models.autoregressive import AutoregressiveModel
from models.gated_pixelcnn import GatedPixelCNN, GatedPixelCNNConfig
from models.latent import LatentModel
from models.pixelcnn import PixelCNN, PixelCNNConfig
from models.pixelvae import PixelVAE, PixelVAEConfig
from models.pixelvae_two_level import PixelVAETwoLevel, PixelVAETwoLevelConfig
from models.vae import VAE, VAEConfig
from training.config import LoopConfig

ModelConfig = PixelCNNConfig | GatedPixelCNNConfig | VAEConfig | PixelVAEConfig | PixelVAETwoLevelConfig
LikelihoodModel = AutoregressiveModel | LatentModel

FAMILIES: dict[str, tuple[type[ModelConfig], type[nn.Module]]] = {
    "pixelcnn": (PixelCNNConfig, PixelCNN),
    "gated_pixelcnn": (GatedPixelCNNConfig, GatedPixelCNN),
    "vae": (VAEConfig, VAE),
    "pixelvae": (PixelVAEConfig, PixelVAE),
    "pixelvae_two_level": (PixelVAETwoLevelConfig, PixelVAETwoLevel),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodConfig(LoopConfig):
    """One training; `training.recipes` holds the named ones."""

    model: ModelConfig
    batch_rows: int = 64
    rate: float = 3e-3  # Adam, after the warm-up
    beta1: float = 0.9
    beta2: float = 0.999
    warm_iterations: int = 100  # over which the rate rises
    last_rate: float = 0.01  # share of the rate that the half cosine ends at
    kl_warm_share: float = 0.1  # of the training, over which the weight of the KL rises from 0 to 1
    gradient_limit: float = 100.0  # on the norm, in nats an image
    average_decay: float = 0.998
    importance_samples: int = 50  # K of the tighter bound, when a bundle is exported

    @property
    def levels(self) -> int:
        """Values that a pixel can take."""
        return getattr(self.model, "levels", 2)

    @property
    def family(self) -> str:
        """Name of the model's family."""
        return next(name for name, (config, _) in FAMILIES.items() if type(self.model) is config)

    def kl_weight(self, progress: float) -> float:
        """The weight of the KL when `progress`, in 0..1, of the training is done."""
        return 1.0 if progress >= self.kl_warm_share else progress / self.kl_warm_share


def build_model(config: ModelConfig, seed: int = 0) -> LikelihoodModel:
    """The model, with weights drawn from `seed`."""
    build: Any = next(model for kind, model in FAMILIES.values() if type(config) is kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(config)


def model_shape(config: ModelConfig) -> tuple[int, int, int]:
    """(C, H, W) of the images that a model draws."""
    if isinstance(config, PixelCNNConfig | GatedPixelCNNConfig):
        return (1, config.height, config.width)
    return (1, config.image_size, config.image_size)
