"""Loads a DRAW-GAN from its checkpoint, and describes it as a bundle."""

__all__ = ["draft_draw_gan", "load_draw_gan"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pentimento.bundle.manifest import ImageSpec, Scorer
from pentimento.models.recurrent.draw_gan import DRAWGAN
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import EVALUATION_SEED, Draft
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule
from pentimento.training.export.trained import Trained, load_trained
from pentimento.training.families.draw_gan.config import DRAWGANTrainConfig, build_draw_gan
from pentimento.training.families.draw_gan.judge import draw_chunks, redraw
from pentimento.training.families.draw_graphs import (
    DRAW_PAPER,
    draw_encode_graph,
    draw_graphs,
    draw_plan,
)
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures
from pentimento.training.judging.reconstruction import compare_redrawn

_CHUNK_ROWS = 500

TrainedDRAWGAN = Trained[DRAWGANTrainConfig, DRAWGAN]


def load_draw_gan(path: Path, device: torch.device) -> TrainedDRAWGAN:
    """Loads a checkpoint's averaged DRAW and its discriminator, in inference mode.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    trained = load_trained(path, device, DRAWGANTrainConfig, _build)
    trained.networks.to(device).eval()
    return trained


def _build(config: DRAWGANTrainConfig, players: Mapping[str, Any]) -> DRAWGAN:
    model = build_draw_gan(config.model)
    model.draw.load_state_dict(players["average"])
    model.discriminator.load_state_dict(players["scorer"])
    return model


def draft_draw_gan(
    trained: TrainedDRAWGAN, dataset: Dataset, classifier: Classifier | None, rows: int = 10_000
) -> Draft:
    """Describes the bundle of a DRAW-GAN; one that no discriminator taught has no scorer.

    Args:
        trained: From `load_draw_gan`; the model is moved to the CPU.
        dataset: What it was trained on.
        classifier: A classifier of the data set, which judges drawings and reconstructions.
        rows: Drawings, and test images, that are judged.
    """
    assert classifier is not None
    config, model = trained.config, trained.networks.cpu()
    channels, height, width = config.image_shape
    image = torch.rand(EXAMPLE_ROWS, *config.image_shape)
    graphs = draw_graphs(model.draw) | {"encode": draw_encode_graph(model.draw, image)}
    if config.adversarial:
        graphs["score"] = _score_graph(model, image)
    data = Path(config.dataset).name

    def judge() -> dict[str, Any]:
        drawings = draw_chunks(model.draw, rows, EVALUATION_SEED)
        again = _redrawn(model, dataset, rows)
        labels = torch.from_numpy(dataset.test.labels[:rows])
        images = torch.from_numpy(dataset.test.images[:rows]).float() / 255
        judged = figures(drawings, classifier, dataset, EVALUATION_SEED)
        return judged | {
            "reconstruction": compare_redrawn(images, again, labels, classifier, EVALUATION_SEED)
        }

    taught = (
        "DRAW taught by a discriminator and its features" if config.adversarial else "DRAW of grey pictures"
    )
    return Draft(
        family="draw_gan" if config.adversarial else "draw",
        summary=f"{taught}, trained on {data}.",
        # DRAW-GAN's is not known here by title, year and number.
        paper=None if config.adversarial else DRAW_PAPER,
        image=ImageSpec(channels=channels, height=height, width=width),
        graphs=graphs,
        images=dataset.test.images[:64].astype(np.float32) / 255,
        drawing=draw_plan(model.draw),
        scorer=Scorer(kind="discriminator") if config.adversarial else None,
        judge=judge,
    )


def _score_graph(model: DRAWGAN, image: Tensor) -> GraphModule:
    def score(image: Tensor) -> tuple[Tensor, ...]:
        return (model.discriminator(image),)

    return GraphModule(module=Function(model, score), inputs={"image": image}, outputs=("logit",))


def _redrawn(model: DRAWGAN, dataset: Dataset, rows: int) -> Tensor:
    images = torch.from_numpy(dataset.test.images[:rows]).float() / 255
    chunks = enumerate(images.split(_CHUNK_ROWS))
    return torch.cat([redraw(model.draw, chunk, i * _CHUNK_ROWS, EVALUATION_SEED) for i, chunk in chunks])
