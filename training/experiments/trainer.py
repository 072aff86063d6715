"""Runs the trainings of an experiment: each is taken up where an interrupted call left it, or begun."""

__all__ = ["Trainer"]

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from rich.console import Console

from pentimento.training.data.datasets import Dataset
from pentimento.training.export.trained import Trained
from pentimento.training.families.table import load_result, prepare
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.checkpoints import LATEST
from pentimento.training.loop.config import LoopConfig
from pentimento.training.loop.device import Precision, choose_device, choose_precision
from pentimento.training.loop.loop import train


@dataclass(frozen=True, kw_only=True, slots=True)
class Trainer:
    """Where trainings compute, and where they say how far they are."""

    device: torch.device
    precision: Precision  # of matrix products and convolutions
    console: Console = field(default_factory=lambda: Console(quiet=True))

    @classmethod
    def chosen(cls, device: str | None, precision: Precision | None, console: Console) -> Self:
        """Where and how a command was asked to compute; None leaves it to the machine.

        Args:
            device: `cpu` or `cuda`.
            precision: Of matrix products and convolutions.
            console: Told how far trainings are.

        Raises:
            ValueError: There is no such device.
        """
        where = choose_device(device)
        return cls(device=where, precision=choose_precision(where, precision), console=console)

    def run(
        self, config: LoopConfig, dataset: Dataset, folder: Path, classifier: Classifier | None = None
    ) -> Trained[Any, Any]:
        """Runs a training to its end, and loads its last state.

        Args:
            config: The training.
            dataset: Its data.
            folder: Where it leaves its checkpoint, log and curves.
            classifier: Judges drawings of the families that want one.

        Raises:
            CheckpointError: The folder's checkpoint is of another training, or none could be written.
        """
        self.console.print(f"{config.recipe}:")
        training = prepare(config, dataset, classifier, device=self.device, precision=self.precision)
        train(training, folder, resume=(folder / LATEST).is_file(), console=self.console)
        return load_result(folder / LATEST, self.device)
