"""Loads a generator that draws in one step from its checkpoint, and describes it as a bundle."""

__all__ = ["draft_one_shot", "load_one_shot"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pentimento.bundle.drawing import Drawing, NoiseSpec, Phase, Steps
from pentimento.bundle.manifest import ImageSpec, Labels, Paper, Scorer
from pentimento.models.adversarial.architectures import build_one_shot
from pentimento.models.adversarial.base import OneShotGenerator, OneShotScorer
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import EVALUATION_SEED, Draft
from pentimento.training.export.trained import Pair, Trained, load_trained
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.drawing import draw_chunks, freeze_statistics
from pentimento.training.families.one_shot.graphs import one_shot_graphs
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures

_STATISTICS_SEED = 31

TrainedOneShot = Trained[OneShotTrainConfig, Pair[OneShotGenerator, OneShotScorer]]


def _paper(title: str, authors: str, year: int, arxiv: str) -> Paper:
    return Paper(title=title, authors=authors, year=year, arxiv=arxiv)


_DCGAN = _paper(
    "Unsupervised representation learning with deep convolutional generative adversarial networks",
    "Alec Radford, Luke Metz, Soumith Chintala",
    2015,
    "1511.06434",
)
_LSGAN = _paper(
    "Least squares generative adversarial networks",
    "Xudong Mao, Qing Li, Haoran Xie, Raymond Y.K. Lau, Zhen Wang, Stephen Paul Smolley",
    2016,
    "1611.04076",
)
_WGAN = _paper("Wasserstein GAN", "Martin Arjovsky, Soumith Chintala, Léon Bottou", 2017, "1701.07875")
_WGAN_GP = _paper(
    "Improved training of Wasserstein GANs",
    "Ishaan Gulrajani, Faruk Ahmed, Martin Arjovsky, Vincent Dumoulin, Aaron Courville",
    2017,
    "1704.00028",
)
_CGAN = _paper("Conditional generative adversarial nets", "Mehdi Mirza, Simon Osindero", 2014, "1411.1784")
_ACGAN = _paper(
    "Conditional image synthesis with auxiliary classifier GANs",
    "Augustus Odena, Christopher Olah, Jonathon Shlens",
    2016,
    "1610.09585",
)
# Family, name and paper by the objective; how a model is conditioned says more than that.
_OBJECTIVES = {
    "gan": ("dcgan", "DCGAN", _DCGAN),
    "lsgan": ("lsgan", "LSGAN", _LSGAN),
    "wgan": ("wgan", "WGAN", _WGAN),
    "wgan_gp": ("wgan_gp", "WGAN-GP", _WGAN_GP),
}
_CONDITIONED = {"concat": ("cgan", "Conditional GAN", _CGAN), "classifier": ("acgan", "AC-GAN", _ACGAN)}


def load_one_shot(path: Path, device: torch.device, *, statistics_rows: int = 20_000) -> TrainedOneShot:
    """Loads a checkpoint's averaged generator and its scorer, and freezes the generator's statistics.

    Args:
        path: The checkpoint.
        device: Where to compute.
        statistics_rows: Latents that the statistics of the normalisation are collected over.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    trained = load_trained(path, device, OneShotTrainConfig, _build)
    generator, scorer = trained.networks
    freeze_statistics(generator.to(device), statistics_rows, _STATISTICS_SEED)
    scorer.to(device).eval()
    return trained


def _build(config: OneShotTrainConfig, players: Mapping[str, Any]) -> Pair[OneShotGenerator, OneShotScorer]:
    generator, scorer = build_one_shot(config.model)
    generator.load_state_dict(players["average"])
    scorer.load_state_dict(players["scorer"])
    return Pair(generator, scorer)


def draft_one_shot(
    trained: TrainedOneShot, dataset: Dataset, classifier: Classifier | None, rows: int = 10_000
) -> Draft:
    """Describes the bundle of a generator that draws in one step.

    Args:
        trained: From `load_one_shot`; the networks are moved to the CPU.
        dataset: What it was trained on.
        classifier: A classifier of the data set, which judges the drawings.
        rows: Drawings that are judged.
    """
    assert classifier is not None
    config, model = trained.config, trained.config.model
    generator, scorer = trained.networks.generator.cpu(), trained.networks.scorer.cpu()
    graphs = one_shot_graphs(config, generator, scorer)
    family, what, paper = _CONDITIONED.get(model.conditioning, _OBJECTIVES[config.objective])

    def judge() -> dict[str, Any]:
        drawings = draw_chunks(generator, rows, EVALUATION_SEED)
        last = trained.record["history"][-1]
        losses = {"train": last["scorer_loss_train"], "held_out": last["scorer_loss_held_out"]}
        return figures(drawings, classifier, dataset, EVALUATION_SEED, model.class_count) | {
            "scorer_loss": losses
        }

    return Draft(
        family=family,
        summary=_summary(config, what, dataset),
        paper=paper,
        image=ImageSpec(channels=model.channels, height=model.image_size, width=model.image_size),
        graphs=graphs,
        images=dataset.test.images[:64].astype(np.float32) / 255,
        drawing=Drawing(
            phases=(Phase(graph="step", shows=True),),
            steps=Steps(default=1, min=1, max=1, trained=1),
            noise=(NoiseSpec(name="latent", shape=(model.latent_dim,)),),
        ),
        scorer=_scorer(config) if "score" in graphs else None,
        labels=Labels(names=dataset.class_names) if model.class_count else None,
        judge=judge,
    )


def _scorer(config: OneShotTrainConfig) -> Scorer:
    kind = OBJECTIVES[config.objective].score_kind
    return Scorer(kind=kind, real_label=config.real_label if kind == "discriminator" else 1.0)


def _summary(config: OneShotTrainConfig, what: str, dataset: Dataset) -> str:
    data = dataset.name + (f" ({dataset.note})" if dataset.note else "")
    trained = f"trained on {data}"
    if config.model.class_count:
        trained += f" with the objective of {_OBJECTIVES[config.objective][1]}, to draw the class asked for"
    elif config.train_rows is not None:
        trained = f"trained on {config.train_rows:,} images of {data}"
    return f"{what}, {trained}."
