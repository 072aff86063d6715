"""Does a generator notice a kind of image that it never saw? Ahmed (2017), M.Sc. thesis, chapter 4.

For each class and system a model is trained on all other classes, and asked how unlike them each test image
is: minus its log-likelihood or bound, or minus a discriminator's logit. How well the class that was held out
is found is the area under the precision-recall curve, beside the share of that class, which chance gives.
"""

__all__ = ["leave_out", "run_ood", "scores_of"]

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pentimento.training.data.binarise import find_binarisation
from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.data.subset import take_rows
from pentimento.training.experiments.ood_systems import OodPlan, system_config
from pentimento.training.experiments.records import recorded
from pentimento.training.experiments.trainer import Trainer
from pentimento.training.export.trained import Pair, Trained
from pentimento.training.families.likelihood.evaluation import image_nats
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.judging.classifier import load_classifier
from pentimento.training.judging.detection import detect
from pentimento.training.loop.config import LoopConfig

_CHUNK_ROWS = 500
_SCORE_SEED = 20170801  # of binarisation, latents and intervals


def leave_out(dataset: Dataset, held_out: int, train_rows: int) -> Dataset:
    """A data set without the images of a class, and without its name; the classes after it move up.

    Args:
        dataset: All of it.
        held_out: The class.
        train_rows: Training images to take of those that are left, always the same; all if there are no more.

    Raises:
        ValueError: There is no such class, or no other.
    """
    classes = len(dataset.class_names)
    if not 0 <= held_out < classes or classes < 2:
        raise ValueError(f"held_out must be 0..{classes - 1}, one of at least 2 classes, got {held_out}")

    def others(split: Split) -> Split:
        left = split.labels != held_out
        labels = split.labels[left]
        return Split(images=split.images[left], labels=labels - (labels > held_out))

    names = tuple(name for index, name in enumerate(dataset.class_names) if index != held_out)
    rest = replace(
        dataset,
        name=f"{dataset.name}-without-{held_out}",
        class_names=names,
        train=others(dataset.train),
        test=others(dataset.test),
    )
    rest = take_rows(rest, train_rows)
    used = hashlib.sha256(rest.train.images.tobytes() + rest.train.labels.tobytes())
    return replace(rest, sha256=used.hexdigest())


def scores_of(trained: Trained[Any, Any], split: Split, rows: int) -> NDArray[np.float64]:
    """How unlike the training data each of the first images is, shape (rows,): high is unlike.

    It is minus the log-likelihood or its bound, in nats, or minus the scorer's logit.
    """
    rows = min(rows, len(split.images))
    if not isinstance(trained.networks, Pair):
        model = trained.networks
        rule = find_binarisation(split.images, trained.config.levels)
        nats, _ = image_nats(model, split, rows=rows, rule=rule, seed=_SCORE_SEED)
        return np.asarray(nats.cpu().numpy(), np.float64)
    scorer = trained.networks.scorer
    device = next(scorer.parameters()).device
    said = []
    with torch.no_grad():
        for chunk in torch.from_numpy(split.images[:rows]).split(_CHUNK_ROWS):
            said.append(-scorer(chunk.to(device).float() / 255).score.double().cpu())
    return torch.cat(said).numpy()


def run_ood(
    plan: OodPlan,
    dataset: Dataset,
    folder: Path,
    *,
    systems: tuple[str, ...],
    held_out: tuple[int, ...],
    trainer: Trainer,
) -> Iterator[dict[str, Any]]:
    """Trains and asks one model after the other; each leaves its training and `found.json` in a folder.

    Args:
        plan: Settings of all.
        dataset: All classes.
        folder: Where the models' folders go.
        systems: Which systems.
        held_out: Which classes, one after the other.
        trainer: Runs them.

    Yields:
        `system`, `held_out`, the fields of `Detection` and the training's `seconds`, of each model when it is
        finished, or at once if it was before.

    Raises:
        ValueError: The folder holds a model that was trained with other settings, or a class has too few
            test images.
    """
    for label in held_out:
        rest = leave_out(dataset, label, plan.train_rows)
        for system in systems:
            config = system_config(plan, system, label)
            here = folder / f"{system}-without-{label}"
            settings = {"config": config.to_json(), "plan": asdict(plan), "dataset_sha256": dataset.sha256}
            ask = partial(_train_and_ask, plan, config, dataset, rest, label, here, trainer)
            yield {"system": system, "held_out": label, **recorded(here / "found.json", settings, ask)}


def _train_and_ask(
    plan: OodPlan,
    config: LoopConfig,
    dataset: Dataset,
    rest: Dataset,
    label: int,
    folder: Path,
    trainer: Trainer,
) -> dict[str, Any]:
    # Only to say how the drawings of a GAN are: it neither chooses an epoch nor ends a training.
    classifier = load_classifier(rest, trainer.device) if isinstance(config, OneShotTrainConfig) else None
    trained = trainer.run(config, rest, folder, classifier)
    unlike = scores_of(trained, dataset.test, plan.asked_rows)
    asked = dataset.test.labels[: len(unlike)]
    found = detect(unlike[asked != label], unlike[asked == label], seed=_SCORE_SEED)
    figures = {name: round(value, 5) for name, value in found._asdict().items()}
    return figures | {"seconds": round(trained.record["train_seconds"], 1)}
