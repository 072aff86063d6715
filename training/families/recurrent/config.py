"""Everything that decides the outcome of an adversarial training in steps, in one frozen value."""

__all__ = ["RecurrentConfig"]

from dataclasses import dataclass
from typing import Any, Self

from pentimento.models.recurrent.gran import GRANConfig
from pentimento.training.loop.config import LoopConfig, refuse_unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class RecurrentConfig(LoopConfig):
    """One training of a generator that draws in steps; `recipes.py` holds the named ones."""

    model: GRANConfig
    generator_rate: float = 2e-4  # Adam
    scorer_rate: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.999
    decay_from: float = 0.5  # share of the training after which both rates fall linearly to zero
    real_label: float = 0.9  # one-sided label smoothing
    scorer_updates: int = 1  # per generator update
    weight_penalty: float = 5e-6  # on the scorer's dense layers
    statistics_rows: int = 2000  # latents for the frozen normalisation, during training

    def __post_init__(self) -> None:
        """Refuses values that cannot train, with a ValueError that names field, limit and value."""
        LoopConfig.__post_init__(self)
        if self.scorer_updates < 1:
            raise ValueError(f"scorer_updates must be at least 1, got {self.scorer_updates}")
        if not 0 <= self.decay_from <= 1:
            raise ValueError(f"decay_from must lie in 0..1, got {self.decay_from}")

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`; a ValueError for entries that this version does not know."""
        refuse_unknown(values, cls)
        model = {**values["model"], "widths": tuple(values["model"]["widths"])}
        return cls(**{**values, "model": GRANConfig(**model)})

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the model draws: (C, H, W)."""
        return (self.model.channels, self.model.image_size, self.model.image_size)

    def rate_factor(self, progress: float) -> float:
        """What both learning rates are multiplied with when `progress`, in 0..1, of the training is done."""
        if progress <= self.decay_from:
            return 1.0
        return (1 - progress) / (1 - self.decay_from)
