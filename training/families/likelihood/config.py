"""A training by maximum likelihood, in one frozen value; `training.loop.config` has the adversarial one."""

__all__ = [
    "FAMILIES",
    "LikelihoodConfig",
    "LikelihoodModel",
    "ModelConfig",
    "build_model",
    "class_condition",
]

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from pentimento.models.latent.base import LatentModel
from pentimento.models.latent.pixelvae import PixelVAE, PixelVAEConfig
from pentimento.models.latent.pixelvae_two_level import PixelVAETwoLevel, PixelVAETwoLevelConfig
from pentimento.models.latent.vae import VAE, VAEConfig
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN, GatedPixelCNNConfig
from pentimento.models.pixels.pixelcnn import PixelCNN, PixelCNNConfig
from pentimento.training.loop.config import LoopConfig, refuse_unknown

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
    """One training; `training.families.recurrent.recipes` holds the named ones."""

    model: ModelConfig
    batch_rows: int = 64
    sheet_iterations: int = 1500  # a hundred drawings, pixel after pixel, take seconds
    rate: float = 3e-3  # Adam, after the warm-up
    beta1: float = 0.9
    beta2: float = 0.999
    warm_share: float = 0.01  # of the training, over which the rate rises
    kl_warm_share: float = 0.1  # of the training, over which the weight of the KL rises from 0 to 1
    free_nats: float = 0.0  # KL of each level that the loss does not count, so that the latent gets used
    gradient_limit: float = 100.0  # on the norm, in nats an image
    average_decay: float = 0.998
    importance_samples: int = 50  # K of the tighter bound, when a bundle is exported

    @property
    def levels(self) -> int:
        """Values that a pixel can take."""
        return getattr(self.model, "levels", 2)

    @property
    def class_count(self) -> int:
        """Classes that the model is told of, as a one-hot condition; 0 for none."""
        return self.model.condition_dim if isinstance(self.model, GatedPixelCNNConfig) else 0

    @property
    def family(self) -> str:
        """Name of the model's family."""
        return next(name for name, (config, _) in FAMILIES.items() if type(self.model) is config)

    def rate_factor(self, progress: float) -> float:
        """What the learning rate is multiplied with: a short rise, then half a cosine down to zero."""
        return min(1.0, (progress + 1e-4) / self.warm_share) * 0.5 * (1 + math.cos(math.pi * progress))

    def to_json(self) -> dict[str, Any]:
        """JSON values, for checkpoints, logs and manifests; they name the model's family."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {"family": self.family, **values}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`; entries that this version does not know are refused."""
        family = FAMILIES.get(values.get("family", ""))
        if family is None:
            raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {values.get('family')!r}")
        rest = {name: value for name, value in values.items() if name != "family"}
        refuse_unknown(rest, cls)
        model = {name: tuple(v) if isinstance(v, list) else v for name, v in rest["model"].items()}
        return cls(**{**rest, "model": family[0](**model)})

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        if isinstance(self.model, PixelCNNConfig | GatedPixelCNNConfig):
            return (1, self.model.height, self.model.width)
        return (1, self.model.image_size, self.model.image_size)

    def kl_weight(self, progress: float) -> float:
        """The weight of the KL when `progress`, in 0..1, of the training is done."""
        return 1.0 if progress >= self.kl_warm_share else progress / self.kl_warm_share


def class_condition(model: LikelihoodModel, label: Tensor) -> Tensor | None:
    """What a class-conditional model is told of labels, int64, (B,): one-hot, (B, K); None for any other."""
    if not isinstance(model, GatedPixelCNN) or not model.config.condition_dim:
        return None
    return one_hot(label, model.config.condition_dim).to(torch.float32)


def build_model(config: ModelConfig, seed: int = 0) -> LikelihoodModel:
    """The model, with weights drawn from `seed`."""
    build: Any = next(model for kind, model in FAMILIES.values() if type(config) is kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(config)
