"""Configuration of an adversarial training of encoder and generator against a discriminator of pairs."""

__all__ = ["MODELS", "BidirectionalConfig", "build_model"]

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch

from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.models.adversarial.bigan import BiGAN, BiGANConfig
from pentimento.models.adversarial.bigran import BiGRAN, BiGRANConfig
from pentimento.training.loop.config import LoopConfig, refuse_unknown

MODELS: dict[str, tuple[type[BiGANConfig] | type[BiGRANConfig], type[BiGAN] | type[BiGRAN]]] = {
    "bigan": (BiGANConfig, BiGAN),
    "bigran": (BiGRANConfig, BiGRAN),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class BidirectionalConfig(LoopConfig):
    """Settings of one training; `recipes.py` holds the named ones."""

    model: BiGANConfig | BiGRANConfig
    generator_rate: float = 2e-4  # Adam, of encoder and generator
    scorer_rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.5  # share of the training after which both rates fall
    decay_to: float = 0.01  # what is left of them in the end, falling exponentially
    scorer_updates: int = 1  # for each update of encoder and generator, each on a batch of its own
    l1_penalty: float = 0.0  # on all weights, of the networks that an update changes
    l2_penalty: float = 0.0  # likewise; half the squared norm
    statistics_rows: int = 2000  # latents for the frozen normalisation, during training

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: One is out of range; the message names field, limit and value.
        """
        LoopConfig.__post_init__(self)
        if self.scorer_updates < 1:
            raise ValueError(f"scorer_updates must be at least 1, got {self.scorer_updates}")
        if not 0 <= self.decay_from <= 1:
            raise ValueError(f"decay_from must lie in 0..1, got {self.decay_from}")
        if not 0 < self.decay_to <= 1:
            raise ValueError(f"decay_to must lie in 0..1, above 0, got {self.decay_to}")
        if self.batch_rows % self.group_size:
            raise ValueError(
                f"batch_rows must be a multiple of the group of {self.group_size}, got {self.batch_rows}"
            )

    @property
    def group_size(self) -> int:
        """Samples that the discriminator judges together."""
        return self.model.group_size if isinstance(self.model, BiGRANConfig) else 1

    @property
    def family(self) -> str:
        """Name of the kind of model, a key of `MODELS`."""
        return next(name for name, (config, _) in MODELS.items() if type(self.model) is config)

    @property
    def iteration_rows(self) -> int:
        """Number of training images that one iteration takes."""
        return self.batch_rows * self.scorer_updates

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the model draws: (C, H, W)."""
        return (self.model.channels, self.model.image_size, self.model.image_size)

    def rate_factor(self, progress: float) -> float:
        """Factor on the rates: 1 up to `decay_from`, then falling exponentially to `decay_to` at the end."""
        if progress <= self.decay_from:
            return 1.0
        return float(self.decay_to ** ((progress - self.decay_from) / (1 - self.decay_from)))

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
        known = MODELS.get(values.get("family", ""))
        if known is None:
            raise ValueError(f"family must be one of {', '.join(MODELS)}, got {values.get('family')!r}")
        rest = {name: value for name, value in values.items() if name != "family"}
        refuse_unknown(rest, cls)
        return cls(**{**rest, "model": known[0](**rest["model"])})


def build_model(config: BiGANConfig | BiGRANConfig, seed: int = 0) -> BidirectionalGAN:
    """Builds a model with initial weights drawn from `seed`; torch's random state stays as it was."""
    build: Any = next(model for kind, model in MODELS.values() if type(config) is kind)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(config)
