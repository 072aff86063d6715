"""Evaluates a generator that draws in steps while it is trained: figures, sheets and film strips."""

__all__ = ["RecurrentJudge"]

from pathlib import Path
from typing import Any

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.families.adversarial_curves import save_curves
from pentimento.training.families.recurrent.config import RecurrentConfig
from pentimento.training.families.recurrent.drawing import draw_chunks, freeze_statistics, prior_latents
from pentimento.training.families.recurrent.players import RecurrentPlayers
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import Evaluation, summarise
from pentimento.training.judging.judge import DrawingJudge
from pentimento.training.judging.plots import save_sheet, save_strip

EVALUATION_SEED = 20160216
_STATISTICS_SEED = 28  # other latents than those that are evaluated


class RecurrentJudge(DrawingJudge[Evaluation]):
    """Judges drawings of the averaged generator by a classifier of the data."""

    def __init__(
        self, config: RecurrentConfig, dataset: Dataset, classifier: Classifier, players: RecurrentPlayers
    ) -> None:
        networks = {"generator": players.generator, "scorer": players.scorer}
        super().__init__(Evaluation, dataset, classifier, networks)
        self.config, self.players = config, players

    def evaluate(self) -> Evaluation:
        """Freezes the averaged generator's statistics anew, then measures its drawings."""
        config, average = self.config, self.players.average
        freeze_statistics(average, config.statistics_rows, _STATISTICS_SEED)
        drawings = draw_chunks(average, config.evaluation_rows, EVALUATION_SEED)
        return summarise(drawings, self.classifier, self.dataset)

    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Writes a sheet of a hundred drawings into `sheets/`, and film strips of ten into `strips/`."""
        average = self.players.average
        freeze_statistics(average, min(self.config.statistics_rows, 500), _STATISTICS_SEED)
        device = next(average.parameters()).device
        latents = prior_latents(average, range(100), EVALUATION_SEED).to(device)
        with torch.no_grad():
            canvases = average.draw(latents).cpu().numpy()
        save_sheet(folder / "sheets" / f"{iteration:06d}.png", canvases[:, -1])
        save_strip(folder / "strips" / f"{iteration:06d}.png", canvases[:10])

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """Plots losses, the discriminator's accuracy and the evaluations as a PNG."""
        save_curves(path, lines)
