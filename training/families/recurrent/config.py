"""Configuration of an adversarial training of a generator that draws in several steps."""

__all__ = ["RecurrentConfig"]

from dataclasses import dataclass
from typing import Any, Self

from pentimento.models.recurrent.gran import GRANConfig
from pentimento.training.loop.config import LoopConfig, refuse_unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class RecurrentConfig(LoopConfig):
    """Settings of one training in steps; `recipes.py` holds the named ones."""

    model: GRANConfig
    generator_rate: float = 2e-4  # Adam
    scorer_rate: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.5  # share of the training after which both rates fall linearly to zero
    real_label: float = 0.9  # target for data; below 1 it is one-sided label smoothing
    scorer_updates: int = 1  # for each update of the generator
    weight_penalty: float = 5e-6  # factor of `dense_penalty`, on the scorer's dense layers
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

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuilds a configuration from what `to_json` gave.

        Raises:
            ValueError: An entry is unknown to this version, or has a value out of range.
        """
        refuse_unknown(values, cls)
        model = {**values["model"], "widths": tuple(values["model"]["widths"])}
        return cls(**{**values, "model": GRANConfig(**model)})

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the model draws: (C, H, W)."""
        return (self.model.channels, self.model.image_size, self.model.image_size)

    def rate_factor(self, progress: float) -> float:
        """Factor on both learning rates: 1 up to `decay_from`, then falling linearly to 0 at `progress` 1."""
        if progress <= self.decay_from:
            return 1.0
        return (1 - progress) / (1 - self.decay_from)
