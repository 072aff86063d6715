"""Evaluates a one-shot generator while it is trained, and its scorer on images that it was not trained on."""

__all__ = ["OneShotEvaluation", "OneShotJudge", "scorer_loss_on"]

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pentimento.bundle.noise import draw
from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.curves import save_curves
from pentimento.training.families.one_shot.drawing import (
    draw_chunks,
    drawing_as_in_training,
    freeze_statistics,
    prior_latents,
)
from pentimento.training.families.one_shot.iteration import scorer_terms
from pentimento.training.families.one_shot.players import OneShotPlayers
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import Evaluation, summarise
from pentimento.training.judging.judge import DrawingJudge
from pentimento.training.judging.plots import save_sheet

EVALUATION_SEED = 20170404
_STATISTICS_SEED = 30  # other latents than those that are evaluated
_SHEET_COLUMNS = 10
_CHUNK_ROWS = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class OneShotEvaluation(Evaluation):
    """Figures of a set of drawings, and the scorer's losses on images seen and unseen."""

    scorer_loss_train: float  # on training images, against the same drawings
    scorer_loss_held_out: float  # on as many test images; the two drift apart when the scorer overfits


def scorer_loss_on(
    players: OneShotPlayers, config: OneShotTrainConfig, split: Split, rows: int, seed: int
) -> float:
    """The scorer's mean loss, with its penalty, on the first images of a split against as many drawings.

    The drawings are normalised as in training: the scorer never saw any with running statistics, and its
    scores of those would mean nothing. No weight changes, and the same seed gives the same loss.

    Args:
        players: The trained networks; the scorer is left in training mode.
        config: The recipe.
        split: Images and labels.
        rows: Images from the start of the split, at most.
        seed: Of the latents, and of where the gradient is penalised.
    """
    generator, scorer = players.generator, players.scorer.eval()
    device = next(scorer.parameters()).device
    total, rows = 0.0, min(rows, len(split.images))
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = range(start, min(start + _CHUNK_ROWS, rows))
        real = torch.from_numpy(split.images[chunk.start : chunk.stop]).to(device).float() / 255
        label = torch.from_numpy(split.labels[chunk.start : chunk.stop]).to(device)
        with torch.no_grad(), drawing_as_in_training(generator):
            asked = label if generator.class_count else None
            drawn = generator(prior_latents(generator, chunk, seed), asked)
        epsilon = torch.from_numpy(draw(seed, "epsilon", (1,), rows=chunk, prior="uniform"))[:, 0].to(device)
        terms = scorer_terms(scorer, config, real, drawn, label, epsilon, "float32")
        total += len(chunk) * terms.loss.item()
    scorer.train()
    return total / rows


class OneShotJudge(DrawingJudge[OneShotEvaluation]):
    """Judges drawings by a classifier of the data, and the scorer by images that it was not trained on."""

    def __init__(
        self, config: OneShotTrainConfig, dataset: Dataset, classifier: Classifier, players: OneShotPlayers
    ) -> None:
        networks = {"generator": players.generator, "scorer": players.scorer}
        super().__init__(OneShotEvaluation, dataset, classifier, networks)
        self.config, self.players = config, players

    def evaluate(self) -> OneShotEvaluation:
        """Measures class shares, confidence and label accuracy of drawings, and the scorer's losses."""
        config, players = self.config, self.players
        freeze_statistics(players.average, config.statistics_rows, _STATISTICS_SEED)
        drawings = draw_chunks(players.average, config.evaluation_rows, EVALUATION_SEED)
        judged = summarise(drawings, self.classifier, self.dataset, config.model.class_count)
        losses = [
            round(scorer_loss_on(players, config, split, config.held_out_rows, EVALUATION_SEED), 5)
            for split in (self.dataset.train, self.dataset.test)
        ]
        return OneShotEvaluation(
            **asdict(judged), scorer_loss_train=losses[0], scorer_loss_held_out=losses[1]
        )

    def summary(self, evaluation: OneShotEvaluation) -> str:
        """The figures of the drawings, and the scorer's losses on training images / on test images."""
        losses = f"{evaluation.scorer_loss_train:.3f} / {evaluation.scorer_loss_held_out:.3f}"
        return f"{super().summary(evaluation)}, scorer's loss {losses}"

    @torch.no_grad()
    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Writes a sheet of drawings into `sheets/`; with labels, up to ten classes, a row each."""
        average = self.players.average
        freeze_statistics(average, min(self.config.statistics_rows, 500), _STATISTICS_SEED)
        rows = range(_SHEET_COLUMNS * min(average.class_count or 10, 10))
        latent = prior_latents(average, rows, EVALUATION_SEED)
        label = None
        if average.class_count:
            label = torch.tensor([row // _SHEET_COLUMNS for row in rows], device=latent.device)
        drawn = average(latent, label)
        save_sheet(folder / "sheets" / f"{iteration:06d}.png", drawn.cpu().numpy(), _SHEET_COLUMNS)

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """Plots losses, the scorer's accuracy or gap, its overfitting and the evaluations as a PNG."""
        save_curves(path, lines)
