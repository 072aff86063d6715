"""Configuration of a training of flow matching or diffusion."""

__all__ = ["MAX_DRAW_STEPS", "MAX_GUIDANCE", "FlowConfig", "build_flow"]

import math
from dataclasses import dataclass
from typing import Any, Literal, Self

import torch

from pentimento.models.flow.ddpm import DDPM
from pentimento.models.flow.flow_matching import FlowMatching
from pentimento.models.flow.guided import Guided
from pentimento.models.flow.unet import UNet, UNetConfig
from pentimento.training.loop.config import LoopConfig, refuse_unknown

MAX_DRAW_STEPS = 64  # canvases that a request may ask for

MAX_GUIDANCE = 8.0  # that a request may ask for

MAX_PARTS = 1000  # of a way back: a few thousand calls of the network for a picture


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowConfig(LoopConfig):
    """Settings of one training; `recipes.py` holds the named ones."""

    method: Literal["flow_matching", "ddpm"] = "flow_matching"
    model: UNetConfig
    heun: bool = False  # whether drawings of flow matching follow Heun's method, for twice the work
    rate: float = 2e-3  # AdamW, after the warm-up
    warm_share: float = 0.02  # of the training, over which the rate rises
    weight_decay: float = 1e-4
    gradient_limit: float = 1.0  # on the norm of the gradient
    dropped_labels: float = 0.1  # share of the labels that are hidden, for guidance
    draw_steps: int = 10  # of drawings that are judged, and the bundle's default
    guidance: float = 1.0  # likewise, where there are classes
    encode_parts: int = 32  # of the way back of the bundle's `encode`
    likelihood_parts: int = 32  # likewise of `likelihood`; each asks the network four times

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: One is out of range; the message names field, limit and value.
        """
        LoopConfig.__post_init__(self)
        if self.method not in ("flow_matching", "ddpm"):
            raise ValueError(f"method must be flow_matching or ddpm, got {self.method!r}")
        if self.heun and self.method != "flow_matching":
            raise ValueError(f"heun is a method of flow_matching, got method {self.method!r}")
        if not 0 < self.warm_share <= 1:
            raise ValueError(f"warm_share must lie in 0..1, above 0, got {self.warm_share}")
        if not 0 <= self.dropped_labels <= 1:
            raise ValueError(f"dropped_labels must lie in 0..1, got {self.dropped_labels}")
        for name in ("encode_parts", "likelihood_parts"):
            if not 1 <= getattr(self, name) <= MAX_PARTS:
                raise ValueError(f"{name} must lie in 1..{MAX_PARTS}, got {getattr(self, name)}")
        if not 1 <= self.draw_steps <= MAX_DRAW_STEPS:
            raise ValueError(f"draw_steps must lie in 1..{MAX_DRAW_STEPS}, got {self.draw_steps}")
        if not 0 <= self.guidance <= MAX_GUIDANCE:
            raise ValueError(f"guidance must lie in 0..{MAX_GUIDANCE:g}, got {self.guidance:g}")

    @property
    def class_count(self) -> int:
        """Number of classes that the model is told; 0 for one that is told none."""
        return self.model.class_count

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the model draws: (C, H, W)."""
        return (self.model.channels, self.model.image_size, self.model.image_size)

    def rate_factor(self, progress: float) -> float:
        """Factor on the rate: a linear rise over `warm_share`, then half a cosine down to 0."""
        return min(1.0, (progress + 1e-4) / self.warm_share) * 0.5 * (1 + math.cos(math.pi * progress))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuilds a configuration from what `to_json` gave.

        Raises:
            ValueError: An entry is unknown to this version, or a value is out of range.
        """
        refuse_unknown(values, cls)
        widths = {"widths": tuple(values["model"]["widths"])}
        return cls(**{**values, "model": UNetConfig(**{**values["model"], **widths})})


def build_flow(config: FlowConfig) -> Guided:
    """Builds the model with initial weights drawn from the recipe's seed; torch's random state stays."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = UNet(config.model)
    if config.method == "ddpm":
        return DDPM(network, network.nobody)
    return FlowMatching(network, network.nobody, heun=config.heun)
