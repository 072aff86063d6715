"""Which objective trains which architecture? Gulrajani et al. (2017, arXiv:1704.00028), section 4, on a CPU.

Every architecture meets every objective with one set of defaults: the optimiser that the objective's paper
recommends, and in the scorer batch normalisation, but layer normalisation for WGAN-GP, whose penalty wants
each image judged by itself. Each pair is a cell: a training of its own, in a folder of its own, that a
later call skips once it is finished and takes up again if it was interrupted.

Measured in bfloat16 on one CPU core that other work shared, at a width of 16 and 32 images an update: 97
minutes for all of it. An update of the generator takes 0.01 to 0.25 s; with 101 layers 0.3 s with one update
of the scorer, 1.0 s with five and 2.9 s with the gradient penalty as well.
"""

__all__ = [
    "ARCHITECTURES",
    "OBJECTIVE_NAMES",
    "Cell",
    "StabilityPlan",
    "cell_config",
    "cell_iterations",
    "run_stability",
]

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from pentimento.models.adversarial.config import OneShotConfig
from pentimento.training.data.datasets import Dataset
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.drawing import draw_chunks
from pentimento.training.families.one_shot.export import load_one_shot
from pentimento.training.families.one_shot.judge import EVALUATION_SEED, OneShotEvaluation
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from pentimento.training.families.table import prepare
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.failure import inspect_evaluation
from pentimento.training.judging.plots import save_sheet
from pentimento.training.loop.checkpoints import LATEST
from pentimento.training.loop.device import Precision
from pentimento.training.loop.loop import train
from pentimento.training.loop.run import DivergedError

OBJECTIVE_NAMES = tuple(OBJECTIVES)
ARCHITECTURES = (
    "dcgan",
    "constant_filters",
    "mlp_generator",
    "no_normalisation",
    "gated",
    "tanh",
    "resnet101",
)
SHEET_SIDE = 5  # drawings
_STATISTICS_ROWS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class StabilityPlan:
    """Settings that all cells of the experiment have in common."""

    dataset: str
    architectures: tuple[str, ...] = ARCHITECTURES
    objectives: tuple[str, ...] = OBJECTIVE_NAMES
    iterations: int = 2000  # updates of the generator
    deep_iterations: int = 600  # those of the 101-layer nets, one of which costs some twenty others
    image_size: int = 28
    channels: int = 1
    width: int = 16  # features of the networks' largest maps
    latent_dim: int = 64  # Z
    batch_rows: int = 32  # images of one update
    evaluation_rows: int = 2000  # drawings that are judged
    min_confidence: float = 0.7  # mean probability of the classifier's choice; below it a training failed
    seed: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """How the training of one architecture with one objective ended."""

    architecture: str
    objective: str
    trained: bool
    reason: str  # why it did not train; empty if it did
    evaluation: dict[str, Any] | None  # fields of OneShotEvaluation; None if it diverged before
    iterations: int


def cell_iterations(plan: StabilityPlan, architecture: str) -> int:
    """Updates of the generator that a cell of this architecture trains for."""
    return plan.deep_iterations if architecture == "resnet101" else plan.iterations


def cell_config(plan: StabilityPlan, architecture: str, objective: str) -> OneShotTrainConfig:
    """The training of one cell; it is evaluated once, at its end."""
    norm = "layer" if objective == "wgan_gp" else "batch"
    return OneShotTrainConfig(
        recipe=f"{architecture}-{objective}",
        model=OneShotConfig(
            architecture=architecture,
            image_size=plan.image_size,
            channels=plan.channels,
            width=plan.width,
            latent_dim=plan.latent_dim,
            scorer_norm="none" if architecture == "no_normalisation" else norm,
        ),
        objective=objective,
        dataset=plan.dataset,
        epochs=1,
        evaluation_iterations=cell_iterations(plan, architecture),
        batch_rows=plan.batch_rows,
        evaluation_rows=plan.evaluation_rows,
        seed=plan.seed,
        **OBJECTIVES[objective].settings,
    )


def run_stability(
    plan: StabilityPlan,
    dataset: Dataset,
    classifier: Classifier,
    folder: Path,
    *,
    device: torch.device,
    precision: Precision,
    console: Console | None = None,
) -> Iterator[Cell]:
    """Trains one cell after the other and leaves `cell.json` and `sheet.png` in the folder of each.

    Args:
        plan: What all cells have in common.
        dataset: The data set.
        classifier: Its classifier, which judges drawings.
        folder: Where the cells' folders go.
        device: Where to compute.
        precision: Of matrix products and convolutions.
        console: Where progress is shown; by default nowhere.

    Yields:
        Each cell when its training is finished, or at once if it was before.

    Raises:
        ValueError: The folder holds a cell that was trained with other settings.
    """
    console = console or Console(quiet=True)
    for architecture in plan.architectures:
        for objective in plan.objectives:
            config = cell_config(plan, architecture, objective)
            here = folder / config.recipe
            record = here / "cell.json"
            if record.is_file():
                saved = json.loads(record.read_text(encoding="utf-8"))
                if saved["config"] != config.to_json() or saved["dataset_sha256"] != dataset.sha256:
                    raise ValueError(f"{here} was trained with other options; name another folder")
                cell = _judged(plan, config, saved["evaluation"], saved["reason"], saved["iterations"])
            else:
                console.print(f"{config.recipe}:")
                cell = _run_cell(plan, config, dataset, classifier, here, device, precision, console)
                saved = {
                    "config": config.to_json(),
                    "dataset_sha256": dataset.sha256,
                    "evaluation": cell.evaluation,
                    "reason": cell.reason if cell.evaluation is None else "",
                    "iterations": cell.iterations,
                }
                partial = record.with_suffix(".part")
                partial.write_text(json.dumps(saved, indent=2) + "\n", encoding="utf-8")
                partial.replace(record)
            yield cell


def _run_cell(
    plan: StabilityPlan,
    config: OneShotTrainConfig,
    dataset: Dataset,
    classifier: Classifier,
    folder: Path,
    device: torch.device,
    precision: Precision,
    console: Console,
) -> Cell:
    try:
        training = prepare(config, dataset, classifier, device=device, precision=precision)
        outcome = train(training, folder, resume=(folder / LATEST).is_file(), console=console)
    except DivergedError as error:
        return _judged(plan, config, None, str(error), 0)
    trained = load_one_shot(folder / LATEST, device, statistics_rows=_STATISTICS_ROWS)
    (drawn,) = draw_chunks(trained.networks.generator, SHEET_SIDE**2, EVALUATION_SEED)
    save_sheet(folder / "sheet.png", drawn[:, 0].numpy(), SHEET_SIDE)
    return _judged(plan, config, asdict(outcome.best), "", outcome.iterations)


def _judged(
    plan: StabilityPlan,
    config: OneShotTrainConfig,
    evaluation: dict[str, Any] | None,
    reason: str,
    iterations: int,
) -> Cell:
    """A cell's result: trained if its drawings show no mode collapse and the classifier is sure of them."""
    if evaluation is not None:
        finding = inspect_evaluation(OneShotEvaluation(**evaluation))
        if finding is not None:
            reason = finding.message
        elif evaluation["confidence"] < plan.min_confidence:
            reason = f"the classifier is unsure: {evaluation['confidence']:.2f}"
    return Cell(
        architecture=config.model.architecture,
        objective=config.objective,
        trained=not reason,
        reason=reason,
        evaluation=evaluation,
        iterations=iterations,
    )
