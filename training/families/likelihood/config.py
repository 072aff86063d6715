"""Configuration of a training by maximum likelihood, and the models that it can train."""

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

from pentimento.models.latent.pixelvae import PixelVAE, PixelVAEConfig
from pentimento.models.latent.pixelvae_two_level import PixelVAETwoLevel, PixelVAETwoLevelConfig
from pentimento.models.latent.vae import VAE, VAEConfig
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN, GatedPixelCNNConfig
from pentimento.models.pixels.pixelcnn import PixelCNN, PixelCNNConfig
from pentimento.models.recurrent.draw import DRAW, DRAWConfig
from pentimento.models.shared.latent_model import LatentModel
from pentimento.training.loop.config import LoopConfig, refuse_unknown

ModelConfig = (
    PixelCNNConfig | GatedPixelCNNConfig | VAEConfig | PixelVAEConfig | PixelVAETwoLevelConfig | DRAWConfig
)
LikelihoodModel = AutoregressiveModel | LatentModel

FAMILIES: dict[str, tuple[type[ModelConfig], type[nn.Module]]] = {
    "pixelcnn": (PixelCNNConfig, PixelCNN),
    "gated_pixelcnn": (GatedPixelCNNConfig, GatedPixelCNN),
    "vae": (VAEConfig, VAE),
    "pixelvae": (PixelVAEConfig, PixelVAE),
    "pixelvae_two_level": (PixelVAETwoLevelConfig, PixelVAETwoLevel),
    "draw": (DRAWConfig, DRAW),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodConfig(LoopConfig):
    """Settings of one training; `training.families.likelihood.recipes` holds the named ones."""

    model: ModelConfig
    batch_rows: int = 64
    sheet_iterations: int = 1500  # a hundred drawings, pixel after pixel, take seconds
    rate: float = 3e-3  # Adam, after the warm-up
    beta1: float = 0.9
    beta2: float = 0.999
    warm_share: float = 0.01  # of the training, over which the rate rises
    kl_warm_share: float = 0.1  # of the training, over which the weight of the KL rises from 0 to 1
    free_nats: float = 0.0  # nats of each level's KL that are free, so that the latent gets used
    gradient_limit: float = 100.0  # on the norm of the loss's gradient; the loss is in nats an image
    average_decay: float = 0.998
    importance_samples: int = 50  # samples an image of the tighter bound, when a bundle is exported

    def __post_init__(self) -> None:
        """Refuses values that cannot train, with a ValueError that names field, limit and value."""
        LoopConfig.__post_init__(self)
        if not 0 < self.warm_share <= 1:
            raise ValueError(f"warm_share must lie in 0..1, above 0, got {self.warm_share}")
        if not 0 <= self.kl_warm_share <= 1:
            raise ValueError(f"kl_warm_share must lie in 0..1, got {self.kl_warm_share}")
        if self.importance_samples < 1:
            raise ValueError(f"importance_samples must be at least 1, got {self.importance_samples}")

    @property
    def levels(self) -> int:
        """Number of values that a pixel can take."""
        return getattr(self.model, "levels", 2)

    @property
    def class_count(self) -> int:
        """Number of classes of a model that is told the class, as a one-hot condition; 0 for any other."""
        return self.model.condition_dim if isinstance(self.model, GatedPixelCNNConfig) else 0

    @property
    def family(self) -> str:
        """Name of the kind of model, a key of `FAMILIES`."""
        return next(name for name, (config, _) in FAMILIES.items() if type(self.model) is config)

    def rate_factor(self, progress: float) -> float:
        """Factor on the learning rate: a linear rise over `warm_share`, then half a cosine down to 0."""
        return min(1.0, (progress + 1e-4) / self.warm_share) * 0.5 * (1 + math.cos(math.pi * progress))

    def to_json(self) -> dict[str, Any]:
        """The configuration as JSON values, which also name the kind of model."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {"family": self.family, **values}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuilds a configuration from what `to_json` gave.

        Raises:
            ValueError: The kind of model or an entry is unknown to this version, or a value is out of range.
        """
        family = FAMILIES.get(values.get("family", ""))
        if family is None:
            raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {values.get('family')!r}")
        rest = {name: value for name, value in values.items() if name != "family"}
        refuse_unknown(rest, cls)
        model = {name: tuple(v) if isinstance(v, list) else v for name, v in rest["model"].items()}
        return cls(**{**rest, "model": family[0](**model)})

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the model draws: (C, H, W)."""
        if isinstance(self.model, PixelCNNConfig | GatedPixelCNNConfig):
            return (1, self.model.height, self.model.width)
        return (1, self.model.image_size, self.model.image_size)

    def kl_weight(self, progress: float) -> float:
        """Weight of the KL at `progress`, in 0..1: from 0 linearly to 1 over `kl_warm_share`, then 1."""
        return 1.0 if progress >= self.kl_warm_share else progress / self.kl_warm_share


def class_condition(model: LikelihoodModel, label: Tensor) -> Tensor | None:
    """A class-conditional model's condition: labels, int64, (B,), as one-hot, (B, K); else None."""
    if not isinstance(model, GatedPixelCNN) or not model.config.condition_dim:
        return None
    return one_hot(label, model.config.condition_dim).to(torch.float32)


def build_model(config: ModelConfig, seed: int = 0) -> LikelihoodModel:
    """Builds a model with initial weights drawn from `seed`; torch's random state stays as it was."""
    build: Any = next(model for kind, model in FAMILIES.values() if type(config) is kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(config)
