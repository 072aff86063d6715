"""The result of a training, whatever its kind: loaded from its checkpoint, exported as a bundle."""

__all__ = ["Result", "export_result", "load_result"]

from pathlib import Path

import torch

from pentimento.bundle.manifest import Manifest
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import Trained, export_bundle, load_trained
from pentimento.training.families.likelihood.export import (
    TrainedLikelihood,
    export_likelihood_bundle,
    load_likelihood,
)
from pentimento.training.families.one_shot.export import TrainedOneShot, export_one_shot_bundle, load_one_shot
from pentimento.training.judging.classifier import load_classifier
from pentimento.training.loop.checkpoints import read_checkpoint

Result = Trained | TrainedLikelihood | TrainedOneShot


def load_result(run_folder: Path, device: torch.device, *, checkpoint: str) -> Result:
    """Loads a checkpoint's networks and freezes their statistics.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    config = read_checkpoint(run_folder / checkpoint)["config"]
    if "family" in config:
        return load_likelihood(run_folder, checkpoint=checkpoint)
    load = load_one_shot if "objective" in config else load_trained
    return load(run_folder, device, checkpoint=checkpoint)


def export_result(
    result: Result, folder: Path, *, dataset: Dataset, device: torch.device, rows: int, bundle_version: str
) -> Manifest:
    """Exports a bundle.

    Args:
        result: The networks.
        folder: Where the bundle goes; its name is the bundle's.
        dataset: What they were trained on.
        device: Where a classifier is trained, if its data set has none yet.
        rows: Drawings or test images to judge.
        bundle_version: Version of the bundle.

    Raises:
        ParityError: The graphs differ from the networks; nothing is written.
    """
    if isinstance(result, TrainedLikelihood):
        return export_likelihood_bundle(
            result, folder, dataset=dataset, rows=rows, bundle_version=bundle_version
        )
    classifier = load_classifier(dataset, device)
    if isinstance(result, TrainedOneShot):
        return export_one_shot_bundle(
            result, folder, classifier=classifier, dataset=dataset, rows=rows, bundle_version=bundle_version
        )
    return export_bundle(
        result, folder, classifier=classifier, dataset=dataset, rows=rows, bundle_version=bundle_version
    )
