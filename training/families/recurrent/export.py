"""Loads a generator that draws in steps from its checkpoint, and describes it as a bundle."""

__all__ = ["draft_recurrent", "load_recurrent", "recurrent_drawing"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pentimento.bundle.manifest import Drawing, ImageSpec, NoiseSpec, Paper, Phase, Scorer, Steps
from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.models.recurrent.gran import GRANConfig
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import EVALUATION_SEED, Draft
from pentimento.training.export.trained import Pair, Trained, load_trained
from pentimento.training.families.recurrent.config import RecurrentConfig
from pentimento.training.families.recurrent.drawing import draw_chunks, freeze_statistics
from pentimento.training.families.recurrent.graphs import recurrent_graphs
from pentimento.training.families.recurrent.networks import build_networks
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures

MAX_STEPS = 16  # a drawing may go on beyond the trained steps, with the last step's statistics
_STATISTICS_SEED = 29

GRAN_PAPER = Paper(
    title="Generating images with recurrent adversarial networks",
    authors="Daniel Jiwoong Im, Chris Dongjoo Kim, Hui Jiang, Roland Memisevic",
    year=2016,
    arxiv="1602.05110",
)

TrainedRecurrent = Trained[RecurrentConfig, Pair[SequentialGenerator, nn.Module]]


def load_recurrent(path: Path, device: torch.device, *, statistics_rows: int = 20_000) -> TrainedRecurrent:
    """Loads a checkpoint's averaged generator and its discriminator, and freezes the generator's statistics.

    Args:
        path: The checkpoint.
        device: Where to compute.
        statistics_rows: Latents that the statistics of every step are collected over.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    trained = load_trained(path, device, RecurrentConfig, _build)
    generator, scorer = trained.networks
    generator.to(device)
    scorer.to(device).eval()
    freeze_statistics(generator, statistics_rows, _STATISTICS_SEED)
    return trained


def _build(config: RecurrentConfig, players: Mapping[str, Any]) -> Pair[SequentialGenerator, nn.Module]:
    generator, scorer = build_networks(config.model)
    generator.load_state_dict(players["average"])
    scorer.load_state_dict(players["scorer"])
    return Pair(generator, scorer)


def draft_recurrent(
    trained: TrainedRecurrent, dataset: Dataset, classifier: Classifier | None, rows: int = 10_000
) -> Draft:
    """Describes the bundle of a generator that draws in steps.

    Args:
        trained: From `load_recurrent`; the networks are moved to the CPU.
        dataset: What it was trained on.
        classifier: A classifier of the data set, which judges the drawings.
        rows: Drawings that are judged.
    """
    assert classifier is not None
    config, model = trained.config, trained.config.model
    generator, scorer = trained.networks.generator.cpu(), trained.networks.scorer.cpu()
    image = ImageSpec(channels=model.channels, height=model.image_size, width=model.image_size)
    return Draft(
        family="gran",
        summary=_summary(config),
        paper=GRAN_PAPER,
        image=image,
        graphs=recurrent_graphs(generator, scorer, image.shape),
        images=dataset.test.images[:64].astype(np.float32) / 255,
        drawing=recurrent_drawing(model),
        scorer=Scorer(kind="discriminator", real_label=config.real_label),
        judge=lambda: figures(
            draw_chunks(generator, rows, EVALUATION_SEED), classifier, dataset, EVALUATION_SEED
        ),
    )


def recurrent_drawing(model: GRANConfig) -> Drawing:
    """The manifest's plan of a drawing: `init` once, then `step` once a canvas."""
    same = model.noise_mode == "same"
    noise = NoiseSpec(
        name="latent" if same else "noise",
        shape=(model.latent_dim,),
        per="drawing" if same else "call",
    )
    return Drawing(
        phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
        steps=Steps(
            default=model.step_count,
            min=1,
            # With T = 1 nothing ever reads g, so it has learned nothing that a second step could use.
            max=MAX_STEPS if model.step_count > 1 else 1,
            trained=model.step_count,
        ),
        noise=(noise,),
    )


def _summary(config: RecurrentConfig) -> str:
    model = config.model
    steps = "in one step" if model.step_count == 1 else f"in {model.step_count} steps"
    noise = "the same latent at each" if model.noise_mode == "same" else "a fresh latent at each"
    return f"GRAN, trained on {Path(config.dataset).name} to draw {steps}" + (
        f", {noise}." if model.step_count > 1 else "."
    )
