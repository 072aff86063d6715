"""Loads a bidirectional model from its checkpoint, and describes it as a bundle."""

__all__ = ["draft_bidirectional", "load_bidirectional"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pentimento.bundle.manifest import Drawing, ImageSpec, NoiseSpec, Paper, Phase, Scorer, Steps
from pentimento.models.adversarial.bidirectional import BidirectionalGAN
from pentimento.models.adversarial.bigan import BiGAN
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import EVALUATION_SEED, Draft
from pentimento.training.export.half import round_weights
from pentimento.training.export.trained import Trained, load_trained
from pentimento.training.families.bidirectional.config import BidirectionalConfig, build_model
from pentimento.training.families.bidirectional.drawing import draw_chunks, freeze_statistics
from pentimento.training.families.bidirectional.evaluation import encoded_neighbours, reconstruction_figures
from pentimento.training.families.bidirectional.graphs import bidirectional_graphs
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures

_STATISTICS_SEED, _STATISTICS_ROWS = 29, 20_000

_PAPERS = {
    "bigan": Paper(
        title="Adversarial feature learning",
        authors="Jeff Donahue, Philipp Krähenbühl, Trevor Darrell",
        year=2016,
        arxiv="1605.09782",
    ),
}  # BiGRAN's was under review in 2017, and is not known here by title, authors and number
_WHAT = {
    "bigan": "BiGAN, trained on {} to draw in one step and to encode.",
    "bigran": "BiGRAN, trained on {} to draw and encode in {} steps, judged in groups of {}.",
}

TrainedBidirectional = Trained[BidirectionalConfig, BidirectionalGAN]


def load_bidirectional(path: Path, device: torch.device) -> TrainedBidirectional:
    """Loads a checkpoint's averaged encoder and generator and its discriminator, in inference mode.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    trained = load_trained(path, device, BidirectionalConfig, _build)
    trained.networks.to(device)
    round_weights(trained.networks)  # the bundle has the discriminator's twice
    freeze_statistics(trained.networks, _STATISTICS_ROWS, _STATISTICS_SEED)
    return trained


def _build(config: BidirectionalConfig, players: Mapping[str, Any]) -> BidirectionalGAN:
    model = build_model(config.model)
    model.load_state_dict(players["average"])
    learned = {
        name.removeprefix("discriminator."): value
        for name, value in players["model"].items()
        if name.startswith("discriminator.")
    }
    model.discriminator.load_state_dict(learned)
    return model


def draft_bidirectional(
    trained: TrainedBidirectional, dataset: Dataset, classifier: Classifier | None, rows: int = 10_000
) -> Draft:
    """Describes the bundle of a bidirectional model.

    Args:
        trained: From `load_bidirectional`; the model is moved to the CPU.
        dataset: What it was trained on.
        classifier: A classifier of the data set, which judges drawings and reconstructions.
        rows: Drawings, and test images, that are judged.
    """
    assert classifier is not None
    config, model = trained.config, trained.networks.cpu()
    channels, height, width = config.image_shape
    group = config.group_size

    def judge() -> dict[str, Any]:
        judged = figures(draw_chunks(model, rows, EVALUATION_SEED), classifier, dataset, EVALUATION_SEED)
        judged["reconstruction"] = reconstruction_figures(
            model, dataset.test, classifier, rows=rows, seed=EVALUATION_SEED
        )
        if isinstance(model, BiGAN):
            judged["neighbours"] = encoded_neighbours(model, dataset)
        return judged

    return Draft(
        family=config.family,
        summary=_WHAT[config.family].format(Path(config.dataset).name, model.step_count, group),
        paper=_PAPERS.get(config.family),
        image=ImageSpec(channels=channels, height=height, width=width),
        graphs=bidirectional_graphs(model, config.image_shape),
        images=dataset.test.images[:64].astype(np.float32) / 255,
        drawing=_drawing(model),
        scorer=Scorer(kind="discriminator", group_size=group if group > 1 else None),
        judge=judge,
    )


def _drawing(model: BidirectionalGAN) -> Drawing:
    """One call, or `init` and all steps: what a step draws is judged with the latents of all before it."""
    steps, size = model.step_count, (model.latent_dim,)
    limits = Steps(default=steps, min=1, max=steps, trained=steps)
    if isinstance(model, BiGAN):
        noise = NoiseSpec(name="latent", shape=size, prior="uniform")
        return Drawing(phases=(Phase(graph="step", shows=True),), steps=limits, noise=(noise,))
    return Drawing(
        phases=(Phase(graph="init"), Phase(graph="step", calls=steps, shows=True)),
        steps=limits,
        noise=(NoiseSpec(name="noise", shape=size, per="call"),),
    )
