"""Loads a network from its checkpoint, and describes its bundle: drawn, completed, encoded, and judged."""

__all__ = ["ETA", "NOISY", "draft_flow", "load_flow"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pentimento.bundle.drawing import Control
from pentimento.bundle.manifest import (
    Drawing,
    ImageSpec,
    Labels,
    Likelihood,
    NoiseSpec,
    Paper,
    Phase,
    Steps,
)
from pentimento.models.flow.ddpm import DDPM
from pentimento.models.flow.guided import Guided
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import EVALUATION_SEED, Draft
from pentimento.training.export.half import round_weights
from pentimento.training.export.likelihood import ESTIMATED_ROWS, estimate_figures
from pentimento.training.export.parity import TOLERANCE
from pentimento.training.export.trained import Trained, load_trained
from pentimento.training.families.flow.config import MAX_DRAW_STEPS, MAX_GUIDANCE, FlowConfig, build_flow
from pentimento.training.families.flow.graphs import flow_graphs
from pentimento.training.families.flow.judge import draw_chunks
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures

NOISY = Control(
    name="noisy",
    min=0,
    max=1,
    default=0,
    summary="What canvases show: 0 the estimate of the finished picture, 1 the noisy state it is made of.",
)
ETA = Control(
    name="eta",
    min=0,
    max=1,
    default=0,
    summary="How much of the noise is drawn anew at each step: 0 as DDIM, 1 as DDPM.",
)
# At its first level diffusion's estimate of the picture is what is left of the noise times 1 / sqrt(abar_S),
# 157, and guidance goes beyond that: float32 rounds what the network says to about a millionth.
DIFFUSION_TOLERANCE = 1e-3
FLOW_PAPER = Paper(
    title="Flow matching for generative modeling",
    authors="Yaron Lipman, Ricky T. Q. Chen, Heli Ben-Hamu, Maximilian Nickel, Matt Le",
    year=2022,
    arxiv="2210.02747",
)
DDPM_PAPER = Paper(
    title="Denoising diffusion probabilistic models",
    authors="Jonathan Ho, Ajay Jain, Pieter Abbeel",
    year=2020,
    arxiv="2006.11239",
)

TrainedFlow = Trained[FlowConfig, Guided]


def load_flow(path: Path, device: torch.device) -> TrainedFlow:
    """Loads a checkpoint's averaged network, in inference mode.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    trained = load_trained(path, device, FlowConfig, _build)
    trained.networks.to(device).eval()
    round_weights(trained.networks)  # the bundle has them three times over
    return trained


def _build(config: FlowConfig, players: Mapping[str, Any]) -> Guided:
    model = build_flow(config)
    model.load_state_dict(players["average"])
    return model


def draft_flow(
    trained: TrainedFlow, dataset: Dataset, classifier: Classifier | None, rows: int = 10_000
) -> Draft:
    """Describes the bundle of flow matching or diffusion.

    Args:
        trained: From `load_flow`; the model is moved to the CPU.
        dataset: What it was trained on.
        classifier: A classifier of the data set, which judges the drawings.
        rows: Drawings that are judged.
    """
    assert classifier is not None
    config, model = trained.config, trained.networks.cpu()
    channels, height, width = config.image_shape
    graphs = flow_graphs(model, config)

    def judge() -> dict[str, Any]:
        drawings = draw_chunks(model, config, rows, EVALUATION_SEED)
        judged = figures(drawings, classifier, dataset, EVALUATION_SEED, config.class_count)
        if "likelihood" in graphs:
            source = graphs["likelihood"]

            def run(feeds: Mapping[str, Any]) -> dict[str, Any]:
                given = {name: torch.from_numpy(feeds[name]) for name in source.inputs}
                return {name: value.numpy() for name, value in source.run(given).items()}

            judged["likelihood_estimate"] = estimate_figures(
                run,
                tuple(source.inputs["eps"].shape[1:]),
                dataset,
                rows=min(rows, ESTIMATED_ROWS),
                seed=EVALUATION_SEED,
            )
        return judged

    diffusion = isinstance(model, DDPM)
    method, paper = ("Diffusion", DDPM_PAPER) if diffusion else ("Flow matching", FLOW_PAPER)
    noise = (NoiseSpec(name="noise", shape=config.image_shape),)
    if diffusion:
        noise += (NoiseSpec(name="fresh", shape=config.image_shape, per="call"),)
    return Draft(
        family=config.method,
        summary=f"{method}, trained on {Path(config.dataset).name}"
        + (" to draw the class asked for." if config.class_count else "."),
        paper=paper,
        image=ImageSpec(channels=channels, height=height, width=width),
        graphs=graphs,
        images=dataset.test.images[:64].astype(np.float32) / 255,
        drawing=Drawing(
            phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
            steps=Steps(default=config.draw_steps, min=1, max=MAX_DRAW_STEPS, trained=config.draw_steps),
            noise=noise,
            completion="everywhere",
            controls=(
                *((_guidance(config),) if config.class_count else ()),
                *((ETA,) if diffusion else ()),
                NOISY,
            ),
        ),
        labels=Labels(names=dataset.class_names) if config.class_count else None,
        likelihood=None if diffusion else Likelihood(kind="estimate"),
        judge=judge,
        tolerance=DIFFUSION_TOLERANCE if diffusion else TOLERANCE,
    )


def _guidance(config: FlowConfig) -> Control:
    return Control(
        name="guidance",
        min=0,
        max=MAX_GUIDANCE,
        default=config.guidance,
        summary="How plainly the class is drawn: 0 draws any, 1 as the data have it, more in fewer ways.",
    )
