"""What every training's configuration has, whatever its family minimises: one frozen value."""

__all__ = ["LoopConfig", "refuse_unknown"]

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopConfig(ABC):
    """What the loop and its bookkeeping need; a family adds its model, objective and optimiser.

    It decides the outcome: the same configuration and the same data give the same weights.
    """

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
        """Refuses values that cannot train, with a ValueError that names field, limit and value."""
        for name in ("epochs", "batch_rows", "log_iterations", "checkpoint_iterations"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def iterations(self, train_rows: int) -> int:
        """Iterations of the whole training; an epoch leaves out the rows that fill no batch."""
        return self.epochs * self.epoch_iterations(train_rows)

    @property
    def iteration_rows(self) -> int:
        """Training images that one iteration takes."""
        return self.batch_rows

    def used_rows(self, train_rows: int) -> int:
        """Training images that are used, of `train_rows` that there are."""
        return train_rows

    def pass_iterations(self, train_rows: int) -> int:
        """Iterations of one pass over the training images.

        Raises:
            ValueError: There are fewer images than one batch.
        """
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
        """Shape of the images that the model draws: (C, H, W)."""

    @abstractmethod
    def rate_factor(self, progress: float) -> float:
        """What the learning rates are multiplied with when `progress`, in 0..1, of the training is done."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`; a ValueError for entries that this version does not know."""

    def to_json(self) -> dict[str, Any]:
        """The configuration as JSON values, for checkpoints, logs and manifests."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values


def refuse_unknown(values: dict[str, Any], config: type[LoopConfig]) -> None:
    """Raises a ValueError that names an entry which the configuration does not have."""
    unknown = set(values) - {field.name for field in fields(config)}
    if unknown:
        raise ValueError(f"the training's configuration has an unknown entry {sorted(unknown)[0]!r}")
