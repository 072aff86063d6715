"""Configuration of a training of DRAW against a discriminator."""

__all__ = ["DRAWGANTrainConfig", "build_draw_gan"]

import math
from dataclasses import dataclass
from typing import Any, Self

import torch

from pentimento.models.recurrent.draw_gan import DRAWGAN, DRAWGANConfig
from pentimento.training.loop.config import LoopConfig, refuse_unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class DRAWGANTrainConfig(LoopConfig):
    """Settings of one training; `recipes.py` holds the named ones.

    First the DRAW learns alone, by the cross-entropy of pixels, while the discriminator begins to learn what
    it draws; then both learn, as in the paper.
    """

    model: DRAWGANConfig
    rate: float = 2e-3  # Adam, of encoder and decoder
    joint_share: float = 0.25  # of that rate, once the discriminator teaches
    scorer_rate: float = 4e-4
    beta1: float = 0.9  # of encoder and decoder
    scorer_beta1: float = 0.5
    beta2: float = 0.999
    gradient_limit: float = 10.0  # on the norm of a player's gradient
    scorer_from: float = 0.16  # share of the training after which the discriminator learns
    pixels_until: float = 0.2  # share of the training in which pixels are what the DRAW learns by
    gamma: float = 1.0  # weight of the distance of features: one over its Gaussian's variance
    equilibrium: float = 0.68  # nats of an answer, near log 2, about which nobody has won
    margin: float = 0.35  # below: the discriminator waits; above: the decoder does

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: One is out of range; the message names field, limit and value.
        """
        LoopConfig.__post_init__(self)
        for name in ("scorer_from", "pixels_until", "joint_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in 0..1, got {getattr(self, name)}")
        if self.scorer_from > self.pixels_until:
            raise ValueError(
                f"scorer_from must be at most pixels_until, {self.pixels_until}, got {self.scorer_from}"
            )
        if not 0 <= self.margin <= self.equilibrium:
            raise ValueError(f"margin must lie in 0..{self.equilibrium}, the equilibrium, got {self.margin}")
        if self.gamma <= 0:
            raise ValueError(f"gamma must be above 0, got {self.gamma}")

    @property
    def adversarial(self) -> bool:
        """Whether the discriminator ever teaches."""
        return self.pixels_until < 1

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the model draws: (C, H, W)."""
        return (1, self.model.image_size, self.model.image_size)

    def rate_factor(self, progress: float) -> float:
        """Factor on the rates: half a cosine, from 1 down to 0."""
        return 0.5 * (1 + math.cos(math.pi * progress))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuilds a configuration from what `to_json` gave.

        Raises:
            ValueError: An entry is unknown to this version, or a value is out of range.
        """
        refuse_unknown(values, cls)
        widths = {"scorer_widths": tuple(values["model"]["scorer_widths"])}
        return cls(**{**values, "model": DRAWGANConfig(**{**values["model"], **widths})})


def build_draw_gan(config: DRAWGANConfig, seed: int = 0) -> DRAWGAN:
    """Builds the networks with initial weights drawn from `seed`; torch's random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DRAWGAN(config)
