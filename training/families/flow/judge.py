"""Evaluates a field while it is trained: figures of drawings, sheets and film strips."""

__all__ = ["FlowJudge", "draw_chunks"]

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pentimento.bundle.noise import draw
from pentimento.models.flow.guided import Guided
from pentimento.training.data.datasets import Dataset
from pentimento.training.families.flow.config import FlowConfig
from pentimento.training.families.flow.players import FlowPlayers
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import Evaluation, summarise
from pentimento.training.judging.failure import Finding, inspect_evaluation
from pentimento.training.judging.judge import DrawingJudge
from pentimento.training.judging.plots import new_figure, save_figure, save_sheet, save_strip

EVALUATION_SEED = 20221006
_CHUNK_ROWS = 250


@torch.no_grad()
def draw_chunks(model: Guided, config: FlowConfig, rows: int, seed: int) -> Iterator[Tensor]:
    """Draws `rows` images from the server's noise of a seed; a conditional one draws class `row mod K`.

    Yields:
        Chunks of canvases in [0, 1] on the CPU, each of shape (B, steps, C, H, W).
    """
    device, classes = next(model.parameters()).device, config.class_count
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = range(start, min(start + _CHUNK_ROWS, rows))
        noise = torch.from_numpy(draw(seed, "noise", config.image_shape, rows=chunk)).to(device)
        label = torch.tensor([row % classes for row in chunk], device=device) if classes else None
        guidance = noise.new_full((len(noise),), config.guidance)
        yield model.follow(noise, config.draw_steps, label, guidance).cpu()


class FlowJudge(DrawingJudge[Evaluation]):
    """Judges drawings of the averaged field by a classifier of the data.

    Nothing is chosen by these figures: the rate falls to zero, and the last epoch is kept.
    """

    loss = "loss"

    def __init__(
        self, config: FlowConfig, dataset: Dataset, classifier: Classifier, players: FlowPlayers
    ) -> None:
        super().__init__(Evaluation, dataset, classifier, {"field": players.model})
        self.config, self.players = config, players

    def evaluate(self) -> Evaluation:
        """Measures drawings of the averaged field."""
        drawings = draw_chunks(
            self.players.average, self.config, self.config.evaluation_rows, EVALUATION_SEED
        )
        return summarise(drawings, self.classifier, self.dataset, self.config.class_count)

    def improved(self, evaluation: Evaluation, history: Sequence[Evaluation]) -> bool:
        """Always: the last epoch is kept."""
        return True

    def findings(
        self, evaluation: Evaluation, means: Mapping[str, float], previous: float | None
    ) -> list[Finding]:
        """Warnings of mode collapse."""
        found = inspect_evaluation(evaluation)
        return [found] if found else []

    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Writes a sheet of drawings and film strips of ten."""
        (canvases,) = draw_chunks(self.players.average, self.config, 100, EVALUATION_SEED)
        save_sheet(folder / "sheets" / f"{iteration:06d}.png", canvases[:, -1].numpy())
        save_strip(folder / "strips" / f"{iteration:06d}.png", canvases[:10].numpy())

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """Plots the loss and the evaluations as a PNG."""
        figure, (losses, quality) = new_figure(2)
        updates = [line for line in lines if line["kind"] == "updates"]
        losses.plot(
            [line["iteration"] for line in updates],
            [line["loss"] for line in updates],
            label="the field's error",
        )
        evaluations = [line for line in lines if line["kind"] == "evaluation"]
        at = [line["iteration"] for line in evaluations]
        for key, label in (
            ("kl_to_data", "KL(drawn classes || data)"),
            ("confidence", "classifier's confidence"),
            ("label_accuracy", "drawn as asked"),
        ):
            if evaluations and evaluations[0][key] is not None:
                quality.plot(at, [line[key] for line in evaluations], marker="o", label=label)
        save_figure(figure, ((losses, "loss"), (quality, "evaluation")), path)
