"""Evaluates a bidirectional model while it is trained: figures of drawings, sheets, reconstructions."""

__all__ = ["BidirectionalJudge"]

from pathlib import Path
from typing import Any

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.families.adversarial_curves import save_curves
from pentimento.training.families.bidirectional.config import BidirectionalConfig
from pentimento.training.families.bidirectional.drawing import (
    draw_chunks,
    encoder_noise,
    freeze_statistics,
    prior_latents,
)
from pentimento.training.families.bidirectional.players import BidirectionalPlayers
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import Evaluation, summarise
from pentimento.training.judging.judge import DrawingJudge
from pentimento.training.judging.plots import save_sheet, save_strip

EVALUATION_SEED = 20170521
_STATISTICS_SEED = 31  # other latents than those that are evaluated
_REDRAWN = 50


class BidirectionalJudge(DrawingJudge[Evaluation]):
    """Judges drawings of the averaged generator by a classifier of the data."""

    def __init__(
        self,
        config: BidirectionalConfig,
        dataset: Dataset,
        classifier: Classifier,
        players: BidirectionalPlayers,
    ) -> None:
        model = players.model
        networks = {"encoder": model.encoder, "generator": model.generator, "scorer": model.discriminator}
        super().__init__(Evaluation, dataset, classifier, networks)
        self.config, self.players = config, players

    def evaluate(self) -> Evaluation:
        """Freezes the averaged generator's statistics anew, then measures its drawings."""
        average = self.players.average
        freeze_statistics(average, self.config.statistics_rows, _STATISTICS_SEED)
        drawings = draw_chunks(average, self.config.evaluation_rows, EVALUATION_SEED)
        return summarise(drawings, self.classifier, self.dataset)

    @torch.no_grad()
    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Writes a sheet of drawings, film strips of ten, and test images, each with its reconstruction."""
        average = self.players.average
        freeze_statistics(average, min(self.config.statistics_rows, 500), _STATISTICS_SEED)
        device = next(average.parameters()).device
        canvases = average.draw(prior_latents(average, range(100), EVALUATION_SEED).to(device)).cpu().numpy()
        save_sheet(folder / "sheets" / f"{iteration:06d}.png", canvases[:, -1])
        if average.step_count > 1:
            save_strip(folder / "strips" / f"{iteration:06d}.png", canvases[:10])
        image = torch.from_numpy(self.dataset.test.images[:_REDRAWN]).float().to(device) / 255
        eps = encoder_noise(average, range(len(image)), EVALUATION_SEED).to(device)
        again = average.draw(average.encode(image, eps))[:, -1]
        pairs = torch.stack([image, again], dim=1).flatten(0, 1)
        save_sheet(folder / "reconstructions" / f"{iteration:06d}.png", pairs.cpu().numpy())

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """Plots losses, the discriminator's accuracy and the evaluations as a PNG."""
        save_curves(path, lines)
