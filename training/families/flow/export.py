"""Loads a field from its checkpoint, and describes it as a bundle of one graph, called once a step."""

__all__ = ["GUIDANCE", "draft_flow", "load_flow"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pentimento.bundle.drawing import Control
from pentimento.bundle.manifest import Drawing, ImageSpec, Labels, NoiseSpec, Paper, Phase, Steps
from pentimento.models.flow.flow_matching import FlowMatching
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.bundle import EVALUATION_SEED, Draft
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule
from pentimento.training.export.trained import Trained, load_trained
from pentimento.training.families.flow.config import MAX_DRAW_STEPS, FlowConfig, build_flow
from pentimento.training.families.flow.judge import draw_chunks
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures

GUIDANCE = Control(
    name="guidance",
    min=0,
    max=8,
    default=1,
    summary="How plainly the class is drawn: 0 draws any, 1 as the data have it, more in fewer ways.",
)
FLOW_PAPER = Paper(
    title="Flow matching for generative modeling",
    authors="Yaron Lipman, Ricky T. Q. Chen, Heli Ben-Hamu, Maximilian Nickel, Matt Le",
    year=2022,
    arxiv="2210.02747",
)

TrainedFlow = Trained[FlowConfig, FlowMatching]


def load_flow(path: Path, device: torch.device) -> TrainedFlow:
    """Loads a checkpoint's averaged field, in inference mode.

    Raises:
        CheckpointError: There is no usable checkpoint.
    """
    trained = load_trained(path, device, FlowConfig, _build)
    trained.networks.to(device).eval()
    return trained


def _build(config: FlowConfig, players: Mapping[str, Any]) -> FlowMatching:
    model = build_flow(config.model)
    model.load_state_dict(players["average"])
    return model


def draft_flow(
    trained: TrainedFlow, dataset: Dataset, classifier: Classifier | None, rows: int = 10_000
) -> Draft:
    """Describes the bundle of a field.

    Args:
        trained: From `load_flow`; the model is moved to the CPU.
        dataset: What it was trained on.
        classifier: A classifier of the data set, which judges the drawings.
        rows: Drawings that are judged.
    """
    assert classifier is not None
    config, model = trained.config, trained.networks.cpu()
    channels, height, width = config.image_shape

    def judge() -> dict[str, Any]:
        drawings = draw_chunks(model, config, rows, EVALUATION_SEED)
        return figures(drawings, classifier, dataset, EVALUATION_SEED, config.class_count)

    return Draft(
        family="flow_matching",
        summary=f"Flow matching, trained on {Path(config.dataset).name}"
        + (" to draw the class asked for." if config.class_count else "."),
        paper=FLOW_PAPER,
        image=ImageSpec(channels=channels, height=height, width=width),
        graphs=_graphs(model, config),
        images=dataset.test.images[:64].astype(np.float32) / 255,
        drawing=Drawing(
            phases=(Phase(graph="init"), Phase(graph="step", calls="steps", shows=True)),
            steps=Steps(default=config.draw_steps, min=1, max=MAX_DRAW_STEPS, trained=config.draw_steps),
            noise=(NoiseSpec(name="noise", shape=config.image_shape),),
            controls=(GUIDANCE,) if config.class_count else (),
        ),
        labels=Labels(names=dataset.class_names) if config.class_count else None,
        judge=judge,
    )


def _graphs(model: FlowMatching, config: FlowConfig) -> dict[str, GraphModule]:
    """`init` makes the noise the state; `step` is told the step, their number, class and guidance."""
    noise = torch.randn(EXAMPLE_ROWS, *config.image_shape)
    counts = torch.ones(EXAMPLE_ROWS, dtype=torch.int64)

    def init(noise: Tensor) -> tuple[Tensor, ...]:
        return (noise * 1.0,)  # an output of its own, and not the input

    def step(state: Tensor, t: Tensor, steps: Tensor, *chosen: Tensor) -> tuple[Tensor, ...]:
        return model.step(state, t, steps, *chosen)

    told = {"label": counts, "guidance": torch.ones(EXAMPLE_ROWS)} if config.class_count else {}
    return {
        "init": GraphModule(module=Function(model, init), inputs={"noise": noise}, outputs=("next.picture",)),
        "step": GraphModule(
            module=Function(model, step),
            inputs={"state.picture": noise, "t": counts, "steps": counts, **told},
            outputs=("canvas", "next.picture"),
        ),
    }
