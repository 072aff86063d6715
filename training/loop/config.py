"""The part of a training's configuration that all families share."""

__all__ = ["LoopConfig", "refuse_unknown"]

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pentimento.pictures.shaping import FITS, Fit


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopConfig(ABC):
    """Settings of the training loop; a family's subclass adds its model, objective and optimiser.

    The configuration decides the outcome: the same one with the same data gives the same weights.
    """

    recipe: str  # its name
    dataset: str  # name or path, see training.data.datasets; empty where it must be named for each training
    epochs: int
    batch_rows: int = 100  # images in a batch
    average_decay: float = 0.999  # of the weights' moving average, per iteration
    seed: int = 1
    log_iterations: int = 50  # from one log line to the next
    checkpoint_iterations: int = 150  # from one checkpoint to the next
    sheet_iterations: int = 300  # from one sheet of drawings to the next
    evaluation_rows: int = 2000  # drawings or test images that are judged after every epoch
    fit: Fit = "crop"  # what becomes of pictures of another size or kind, see pictures.shaping

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: One is out of range; the message names field, limit and value.
        """
        counts = ("epochs", "batch_rows", "log_iterations", "checkpoint_iterations", "sheet_iterations")
        for name in (*counts, "evaluation_rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.fit not in FITS:
            raise ValueError(f"fit must be one of {', '.join(FITS)}, got {self.fit!r}")
        if not 0 <= self.average_decay < 1:
            raise ValueError(f"average_decay must lie in 0..1, below 1, got {self.average_decay}")

    def iterations(self, train_rows: int) -> int:
        """Number of iterations of the whole training, given the number of training images."""
        return self.epochs * self.epoch_iterations(train_rows)

    @property
    def iteration_rows(self) -> int:
        """Number of training images that one iteration takes."""
        return self.batch_rows

    def used_rows(self, train_rows: int) -> int:
        """Number of training images that are used, of `train_rows` in the data set; by default all."""
        return train_rows

    def pass_iterations(self, train_rows: int) -> int:
        """Iterations of one pass over the training images; those left over that fill no batch are skipped.

        Raises:
            ValueError: There are fewer images than one batch.
        """
        used = self.used_rows(train_rows)
        if used < self.iteration_rows:
            batches = self.iteration_rows // self.batch_rows
            of = f", {batches} batches of {self.batch_rows}" if batches > 1 else ""
            raise ValueError(
                f"the data set has {used} training images, fewer than the {self.iteration_rows} of an "
                f"iteration{of}; take smaller batches with --batch-rows"
            )
        return used // self.iteration_rows

    @property
    def class_count(self) -> int:
        """Number of classes that the model is told; 0 for one that is told none."""
        return 0

    def refuse_dataset(self, name: str, train_rows: int, classes: int) -> None:
        """Refuses a data set that this cannot be trained on, before anything takes time.

        Args:
            name: The data set's.
            train_rows: Its training images.
            classes: Its classes.

        Raises:
            ValueError: It has fewer images than one iteration takes, or other classes than the model.
        """
        self.pass_iterations(train_rows)
        if self.class_count not in (0, classes):
            raise ValueError(f"the model has {self.class_count} classes, but data set {name!r} has {classes}")

    def epoch_iterations(self, train_rows: int) -> int:
        """Iterations from one evaluation to the next, which is what an epoch is; by default one pass."""
        return self.pass_iterations(train_rows)

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of the images that the model draws: (C, H, W)."""

    @abstractmethod
    def rate_factor(self, progress: float) -> float:
        """Factor on the learning rates once `progress`, in 0..1, of the training is done."""

    @classmethod
    @abstractmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuilds a configuration from what `to_json` gave.

        Raises:
            ValueError: An entry is unknown to this version, or has a value out of range.
        """

    def to_json(self) -> dict[str, Any]:
        """The configuration as JSON values, for checkpoints, logs and manifests."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values


def refuse_unknown(values: dict[str, Any], config: type[LoopConfig]) -> None:
    """Raises a ValueError that names an entry which the configuration does not have."""
    unknown = set(values) - {field.name for field in fields(config)}
    if unknown:
        raise ValueError(f"the training's configuration has an unknown entry {sorted(unknown)[0]!r}")
