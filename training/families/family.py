"""What a family of trainings is: one frozen object, by which commands, loop and export know it."""

__all__ = ["Family"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import Draft
from pentimento.training.export.trained import Trained
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.config import LoopConfig
from pentimento.training.loop.device import Precision
from pentimento.training.loop.training import Training

C = TypeVar("C", bound=LoopConfig)
N = TypeVar("N")


@dataclass(frozen=True, kw_only=True, slots=True)
class Family(Generic[C, N]):
    """A kind of training; `training.families.table` lists all."""

    name: str  # in checkpoints
    config: type[C]  # each family has a type of its own: by it a configuration finds its family
    recipes: Mapping[str, Callable[[], C]]  # the named trainings, each with a docstring of what it measured
    wants_classifier: bool  # whether a classifier of the data set judges its drawings
    # The networks, their judge and the iteration; the data set holds the training images that are used.
    prepare: Callable[[C, Dataset, Classifier | None, torch.device, Precision], Training]
    # Reads a checkpoint: its networks on the device, in inference mode, ready to draw.
    load: Callable[[Path, torch.device], Trained[C, N]]
    # What its bundle will be; judged by so many drawings or test images, the data set's.
    draft: Callable[[Trained[C, N], Dataset, Classifier | None, int], Draft]
