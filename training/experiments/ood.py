"""Does a generator notice a kind of image that it never saw? Ahmed (2017), M.Sc. thesis, chapter 4.

For each class and system a model is trained on all other classes, and asked how unlike them each test image
is: minus its log-likelihood or bound, or minus a discriminator's logit. How well the class that was held out
is found is the area under the precision-recall curve, beside the share of that class, which chance gives.

The systems are the recipes' at a part of their size: four times ten trainings are to fit on two cores. An
update takes 0.12 s of VAE, 0.34 of PixelCNN, 0.27 of PixelVAE and 0.05 of DCGAN, measured as time of one CPU
core in float32 on a busy machine; with 1,250 updates each, that is 16 minutes a class and less than three
hours for all ten. A GAN's discriminator is not normalised, as batch statistics would tell which images come
together.

Another data set is another entry of `SYSTEMS`, by its name; one of 28 grey pixels that is not there is taken
as MNIST is. CIFAR-10 has the one system that this package can train on it.
"""

__all__ = [
    "SYSTEMS",
    "OodPlan",
    "image_shape_of",
    "leave_out",
    "run_ood",
    "scores_of",
    "system_config",
    "systems_of",
]

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pentimento.models.adversarial.config import OneShotConfig
from pentimento.models.latent.pixelvae import PixelVAEConfig
from pentimento.models.latent.vae import VAEConfig
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNNConfig
from pentimento.training.data.binarise import find_binarisation
from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.data.subset import take_rows
from pentimento.training.experiments.bench import Bench, train_on
from pentimento.training.experiments.records import recorded
from pentimento.training.export.trained import Pair, Trained
from pentimento.training.families.likelihood.config import LikelihoodConfig
from pentimento.training.families.likelihood.evaluation import image_nats
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.judging.classifier import load_classifier
from pentimento.training.judging.detection import detect
from pentimento.training.loop.config import LoopConfig

_CHUNK_ROWS = 500
_SCORE_SEED = 20170801  # of binarisation, latents and intervals


@dataclass(frozen=True, kw_only=True, slots=True)
class OodPlan:
    """Settings of all trainings."""

    dataset: str  # its name, a key of SYSTEMS, or a path
    train_rows: int = 20_000  # training images of each, of those that are left
    epochs: int = 4
    asked_rows: int = 10_000  # test images, of all classes
    width: float = 1.0  # factor on all widths, for trials
    seed: int = 1

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be trained; the message names field, limit and value."""
        for name in ("train_rows", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.asked_rows < 100:
            raise ValueError(f"asked_rows must be at least 100, got {self.asked_rows}")
        if not 0 < self.width <= 8:
            raise ValueError(f"width must lie in 0..8, above 0, got {self.width}")


def _wide(plan: OodPlan, features: int) -> int:
    return max(2, round(features * plan.width))


def _likelihood(plan: OodPlan, model: Any, **changed: Any) -> LikelihoodConfig:  # noqa: ANN401
    return LikelihoodConfig(
        recipe="ood",
        model=model,
        dataset=plan.dataset,
        epochs=plan.epochs,
        seed=plan.seed,
        evaluation_rows=250,
        sheet_iterations=10**6,  # none: a sheet of pixels drawn one by one takes longer than an epoch
        rate=2e-3,
        **changed,
    )


def _vae(plan: OodPlan) -> LoopConfig:
    widths = _wide(plan, 16), _wide(plan, 32)
    return _likelihood(plan, VAEConfig(latent_dim=16, widths=widths))


def _pixelcnn(plan: OodPlan) -> LoopConfig:
    return _likelihood(plan, GatedPixelCNNConfig(features=_wide(plan, 16), layers=4, place_bias=True))


def _pixelvae(plan: OodPlan) -> LoopConfig:
    widths, features = (_wide(plan, 8), _wide(plan, 16)), _wide(plan, 16)
    model = PixelVAEConfig(latent_dim=16, widths=widths, features=features, layers=3, place_bias=True)
    return _likelihood(plan, model, kl_warm_share=0.25, free_nats=5.0)


def _dcgan(plan: OodPlan, channels: int = 1, image_size: int = 28) -> LoopConfig:
    model = OneShotConfig(
        architecture="dcgan", channels=channels, image_size=image_size, width=_wide(plan, 16), latent_dim=64
    )
    return OneShotTrainConfig(
        recipe="ood",
        model=model,
        objective="gan",
        dataset=plan.dataset,
        epochs=plan.epochs,
        seed=plan.seed,
        evaluation_rows=500,
        statistics_rows=500,
        sheet_iterations=10**6,
        **{**OBJECTIVES["gan"].settings, "real_label": 0.9},
    )


SYSTEMS: dict[str, dict[str, Callable[[OodPlan], LoopConfig]]] = {
    "mnist": {"vae": _vae, "pixelcnn": _pixelcnn, "pixelvae": _pixelvae, "dcgan": _dcgan},
    "cifar10": {"dcgan": lambda plan: _dcgan(plan, 3, 32)},
}


def systems_of(name: str) -> Mapping[str, Callable[[OodPlan], LoopConfig]]:
    """The systems of a data set, by name."""
    return SYSTEMS.get(name, SYSTEMS["mnist"])


def image_shape_of(name: str) -> tuple[int, int, int]:
    """Shape of the images that a data set's systems are trained on, (C, H, W)."""
    first = next(iter(systems_of(name).values()))
    return first(OodPlan(dataset=name)).image_shape


def system_config(plan: OodPlan, system: str, held_out: int) -> LoopConfig:
    """The training of a system without a class.

    Raises:
        ValueError: The data set has no such system.
    """
    known = systems_of(plan.dataset)
    if system not in known:
        raise ValueError(f"system must be one of {', '.join(known)} for {plan.dataset}, got {system!r}")
    return replace(known[system](plan), recipe=f"ood-{system}-without-{held_out}")


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
    bench: Bench,
) -> Iterator[dict[str, Any]]:
    """Trains and asks one model after the other; each leaves its training and `found.json` in a folder.

    Args:
        plan: Settings of all.
        dataset: All classes.
        folder: Where the models' folders go.
        systems: Which systems.
        held_out: Which classes, one after the other.
        bench: Where to compute.

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
            ask = partial(_train_and_ask, plan, config, dataset, rest, label, here, bench)
            yield {"system": system, "held_out": label, **recorded(here / "found.json", settings, ask)}


def _train_and_ask(
    plan: OodPlan, config: LoopConfig, dataset: Dataset, rest: Dataset, label: int, folder: Path, bench: Bench
) -> dict[str, Any]:
    # Only to say how the drawings of a GAN are: it neither chooses an epoch nor ends a training.
    classifier = load_classifier(rest, bench.device) if isinstance(config, OneShotTrainConfig) else None
    trained = train_on(bench, config, rest, folder, classifier)
    unlike = scores_of(trained, dataset.test, plan.asked_rows)
    asked = dataset.test.labels[: len(unlike)]
    found = detect(unlike[asked != label], unlike[asked == label], seed=_SCORE_SEED)
    figures = {name: round(value, 5) for name, value in found._asdict().items()}
    return figures | {"seconds": round(trained.record["train_seconds"], 1)}
