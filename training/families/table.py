"""The families of trainings, listed only here: a new one is a folder, and a line in `FAMILIES`."""

__all__ = [
    "FAMILIES",
    "export_result",
    "family_of",
    "load_result",
    "prepare",
    "recipe",
    "recipes",
    "rehearse",
]

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.store import Bundle, refuse_to_replace
from pentimento.training.data.datasets import Dataset, DatasetError, Split
from pentimento.training.data.subset import take_rows
from pentimento.training.export.bundle import EVALUATION_SEED, export_bundle
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.trained import Trained
from pentimento.training.families.bidirectional.family import BIDIRECTIONAL
from pentimento.training.families.draw_gan.family import DRAW_GAN
from pentimento.training.families.family import Family
from pentimento.training.families.flow.family import FLOW
from pentimento.training.families.likelihood.family import LIKELIHOOD
from pentimento.training.families.one_shot.family import ONE_SHOT
from pentimento.training.families.recurrent.family import RECURRENT
from pentimento.training.judging.classifier import Classifier, ReportingClassifier, load_classifier
from pentimento.training.judging.evaluation import report
from pentimento.training.loop.checkpoints import CheckpointError, read_checkpoint
from pentimento.training.loop.config import LoopConfig
from pentimento.training.loop.device import Precision
from pentimento.training.loop.training import Batch, Training

FAMILIES: tuple[Family[Any, Any], ...] = (RECURRENT, LIKELIHOOD, ONE_SHOT, BIDIRECTIONAL, DRAW_GAN, FLOW)


def recipes() -> dict[str, Callable[[], LoopConfig]]:
    """All recipes by name: functions without arguments, whose docstrings say what they measured."""
    return {name: build for family in FAMILIES for name, build in family.recipes.items()}


def recipe(name: str) -> LoopConfig:
    """The configuration of the recipe of that name.

    Raises:
        ValueError: There is none.
    """
    known = recipes()
    if name not in known:
        raise ValueError(f"there is no recipe {name!r}; there are {', '.join(known)}")
    return known[name]()


def family_of(config: LoopConfig) -> Family[Any, Any]:
    """The family of a configuration, by its type."""
    for family in FAMILIES:
        if type(config) is family.config:
            return family
    raise TypeError(f"there is no family with a {type(config).__name__}")


def prepare(
    config: LoopConfig,
    dataset: Dataset,
    classifier: Classifier | None = None,
    *,
    device: torch.device,
    precision: Precision,
) -> Training:
    """A training that is ready to begin.

    Args:
        config: The recipe.
        dataset: Its data set.
        classifier: A classifier of that data set, which judges drawings; some families need none.
        device: Where to compute.
        precision: Of matrix products and convolutions; weights are float32.

    Raises:
        ValueError: The family needs a classifier, or the configuration does not fit the data set.
    """
    family = family_of(config)
    if family.wants_classifier and classifier is None:
        raise ValueError("drawings of an adversarial training are judged by a classifier; give one")
    config.refuse_dataset(dataset.name, len(dataset.train.images), len(dataset.class_names))
    used = take_rows(dataset, config.used_rows(len(dataset.train.images)))
    training = family.prepare(config, used, classifier, device, precision)
    return replace(training, family=family.name)


def rehearse(
    config: LoopConfig, device: torch.device, precision: Precision, tries: int = 4
) -> tuple[dict[str, int], float]:
    """Counts a recipe's parameters and measures its seconds an iteration on this machine, on noise.

    The first iteration warms up and is left out.
    """
    noise = np.random.default_rng(0).integers(256, size=(config.iteration_rows, *config.image_shape))
    names = tuple("0123456789")  # every recipe's data set has ten classes
    split = Split(images=noise.astype(np.uint8), labels=np.arange(len(noise)) % len(names))
    dataset = Dataset(name="noise", class_names=names, train=split, test=split, sha256="")
    classifier = Classifier(*config.image_shape[:2], len(names))
    training = prepare(config, dataset, classifier, device=device, precision=precision)
    image = torch.from_numpy(split.images).to(device).float() / 255
    batch = Batch(image=image, label=torch.from_numpy(split.labels).to(device), progress=0.5)
    training.iterate(batch)
    started = time.perf_counter()
    for _ in range(tries):
        training.iterate(batch)
    return training.judge.parameter_counts(), (time.perf_counter() - started) / tries


def load_result(path: Path, device: torch.device) -> Trained[Any, Any]:
    """Loads a checkpoint's networks, ready to draw.

    Raises:
        CheckpointError: There is no usable checkpoint, or its family is unknown.
    """
    record = read_checkpoint(path)
    return _family_of_checkpoint(path, record).load(path, device)


def _family_of_checkpoint(path: Path, record: dict[str, Any]) -> Family[Any, Any]:
    name = record.get("family")
    for family in FAMILIES:
        if name == family.name or (name is None and _reads(family, record["config"])):
            return family
    said = f"of the family {name!r}" if name is not None else "of a configuration"
    raise CheckpointError(
        f"the checkpoint {path} is {said} that this version does not know; "
        f"it knows {', '.join(family.name for family in FAMILIES)}"
    )


def _reads(family: Family[Any, Any], values: dict[str, Any]) -> bool:
    """Whether a checkpoint from before families were named is of this one: by its configuration's entries."""
    try:
        family.config.from_json(values)
    except (KeyError, TypeError, ValueError):
        return False
    return True


def export_result(
    trained: Trained[Any, Any],
    folder: Path,
    *,
    dataset: Dataset,
    device: torch.device,
    rows: int = 10_000,
    bundle_version: str | None = None,
    overwrite: bool = False,
) -> Manifest:
    """Exports a bundle.

    Args:
        trained: The networks.
        folder: Where the bundle goes; its name is the bundle's.
        dataset: What they were trained on.
        device: Where a classifier is trained, if the family wants one and its data set has none yet.
        rows: Drawings or test images to judge.
        bundle_version: Version of the bundle; None lets `choose_version` choose.
        overwrite: Replace a bundle that is there.

    Raises:
        BundleError: There is a bundle already, or something else.
        DatasetError: The networks were trained on other data.
        ParityError: The graphs differ from the networks; nothing is written.
    """
    refuse_to_replace(folder, overwrite=overwrite)
    known = trained.record["dataset_sha256"]
    if dataset.sha256 != known:
        raise DatasetError(
            f"the training's data had the SHA-256 {known[:12]}…, those of {dataset.name} have "
            f"{dataset.sha256[:12]}…: figures would be of other data; name the training's own with --dataset"
        )
    family = family_of(trained.config)
    classifier = load_classifier(dataset, device).cpu() if family.wants_classifier else None
    draft = family.draft(trained, dataset, classifier, rows)

    def opinion(bundle: Bundle) -> dict[str, Any]:
        """Of the drawings that the bundle makes, by a classifier that has chosen nothing."""
        if bundle.manifest.drawing is None:
            return {}
        reporter = load_classifier(dataset, device, kind=ReportingClassifier).cpu()
        labels = len(bundle.manifest.labels.names) if bundle.manifest.labels else 0
        finished = (canvases[:, -1] for canvases in draw_bundle(bundle, rows=rows, seed=EVALUATION_SEED))
        return {"reporting_classifier": report(finished, reporter, dataset, labels)}

    return export_bundle(
        trained,
        draft,
        folder,
        dataset_note=dataset.note,
        bundle_version=bundle_version,
        overwrite=overwrite,
        opinion=opinion,
    )
