"""Everything that decides the outcome of an adversarial training, in one frozen value."""

__all__ = ["LoopConfig", "TrainConfig", "config_from_json", "config_to_json", "refuse_unknown"]

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pentimento.models.recurrent.gran import GRANConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopConfig(ABC):
    """What every training has, whatever it minimises."""

    recipe: str
    dataset: str  # name or path, see training.data.datasets
    epochs: int
    batch_rows: int = 100
    average_decay: float = 0.999  # of the averaged weights, per iteration
    seed: int = 1
    log_iterations: int = 50
    checkpoint_iterations: int = 150
    sheet_iterations: int = 300
    evaluation_rows: int = 2000  # judged after every epoch

    def __post_init__(self) -> None:
        """Refuses values that cannot train."""
        for name in ("epochs", "batch_rows", "log_iterations", "checkpoint_iterations"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def iterations(self, train_rows: int) -> int:
        """Iterations of the whole training; an epoch leaves out the rows that fill no batch."""
        return self.epochs * self.epoch_iterations(train_rows)

    @property
    def iteration_rows(self) -> int:
        """Training images of an iteration."""
        return self.batch_rows

    def used_rows(self, train_rows: int) -> int:
        """Training images that are used, of `train_rows` that there are."""
        return train_rows

    def pass_iterations(self, train_rows: int) -> int:
        """Iterations of one pass over the training images."""
        used = self.used_rows(train_rows)
        if used < self.iteration_rows:
            raise ValueError(f"the data set has {used} images, fewer than one batch of {self.iteration_rows}")
        return used // self.iteration_rows

    def epoch_iterations(self, train_rows: int) -> int:
        """Iterations of one epoch, after which there is an evaluation: by default one pass."""
        return self.pass_iterations(train_rows)

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""

    @abstractmethod
    def rate_factor(self, progress: float) -> float:
        """What the learning rates are multiplied with when `progress`, in 0..1, is done."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`; a ValueError for entries that this version does not know."""

    def to_json(self) -> dict[str, Any]:
        """JSON values, for checkpoints, logs and manifests."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig(LoopConfig):
    """One adversarial training; `training.families.recurrent.recipes` holds the named ones."""

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
        """Refuses values that cannot train."""
        LoopConfig.__post_init__(self)
        if self.scorer_updates < 1:
            raise ValueError(f"scorer_updates must be at least 1, got {self.scorer_updates}")
        if not 0 <= self.decay_from <= 1:
            raise ValueError(f"decay_from must lie in 0..1, got {self.decay_from}")

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`; entries that this version does not know are refused."""
        refuse_unknown(values, cls)
        model = {**values["model"], "widths": tuple(values["model"]["widths"])}
        return cls(**{**values, "model": GRANConfig(**model)})

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.model.channels, self.model.image_size, self.model.image_size)

    def rate_factor(self, progress: float) -> float:
        """What both learning rates are multiplied with when `progress`, in 0..1, is done."""
        if progress <= self.decay_from:
            return 1.0
        return (1 - progress) / (1 - self.decay_from)


def refuse_unknown(values: dict[str, Any], config: type[LoopConfig]) -> None:
    """Raises a ValueError that names an entry which the configuration does not have."""
    unknown = set(values) - {field.name for field in fields(config)}
    if unknown:
        raise ValueError(f"the training's configuration has an unknown entry {sorted(unknown)[0]!r}")


def config_to_json(config: LoopConfig) -> dict[str, Any]:
    """JSON values, for checkpoints, logs and manifests."""
    return config.to_json()


def config_from_json(values: dict[str, Any]) -> TrainConfig:
    """The inverse of `config_to_json`; entries that this version does not know are refused."""
    return TrainConfig.from_json(values)
