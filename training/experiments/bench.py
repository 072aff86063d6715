"""Where the trainings of an experiment run, and one of them: taken up again, or begun."""

__all__ = ["Bench", "train_on"]

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from pentimento.training.data.datasets import Dataset
from pentimento.training.export.trained import Trained
from pentimento.training.families.table import load_result, prepare
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.checkpoints import LATEST
from pentimento.training.loop.config import LoopConfig
from pentimento.training.loop.device import Precision
from pentimento.training.loop.loop import train


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """Where trainings compute, and where they say how far they are."""

    device: torch.device
    precision: Precision  # of matrix products and convolutions
    console: Console = field(default_factory=lambda: Console(quiet=True))


def train_on(
    bench: Bench, config: LoopConfig, dataset: Dataset, folder: Path, classifier: Classifier | None = None
) -> Trained[Any, Any]:
    """Runs a training to its end, from where an interrupted call left it, and loads its last state.

    Args:
        bench: Where.
        config: The training.
        dataset: Its data.
        folder: Where it leaves its checkpoint, log and curves.
        classifier: Judges drawings of the families that want one.

    Raises:
        CheckpointError: The folder's checkpoint is of another training, or none could be written.
    """
    bench.console.print(f"{config.recipe}:")
    training = prepare(config, dataset, classifier, device=bench.device, precision=bench.precision)
    train(training, folder, resume=(folder / LATEST).is_file(), console=bench.console)
    return load_result(folder / LATEST, bench.device)
