"""Evaluates a DRAW-GAN while it is trained: figures of drawings, sheets, film strips, reconstructions."""

__all__ = ["DRAWGANJudge", "draw_chunks", "redraw"]

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pentimento.bundle.noise import draw
from pentimento.models.recurrent.draw import DRAW
from pentimento.training.data.datasets import Dataset
from pentimento.training.families.adversarial_curves import save_curves
from pentimento.training.families.draw_gan.config import DRAWGANTrainConfig
from pentimento.training.families.draw_gan.players import DRAWGANPlayers
from pentimento.training.families.draw_graphs import draw_prior
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import Evaluation, summarise
from pentimento.training.judging.failure import Finding
from pentimento.training.judging.judge import DrawingJudge
from pentimento.training.judging.plots import save_sheet, save_strip

EVALUATION_SEED = 20170601
_CHUNK_ROWS = 500
_REDRAWN = 50


@torch.no_grad()
def draw_chunks(model: DRAW, rows: int, seed: int) -> Iterator[Tensor]:
    """Draws `rows` images from seeded latents.

    Yields:
        Chunks of canvases in [0, 1] on the CPU, each of shape (B, T, 1, S, S).
    """
    device = model.first_canvas.device
    for start in range(0, rows, _CHUNK_ROWS):
        latent = draw_prior(model, range(start, min(start + _CHUNK_ROWS, rows)), seed)
        yield model.canvases(latent.to(device)).cpu()


@torch.no_grad()
def redraw(model: DRAW, image: Tensor, first: int, seed: int) -> Tensor:
    """Images, (B, 1, S, S) on the CPU, drawn again with the noise of rows `first` and on of a request."""
    eps = torch.from_numpy(draw(seed, "eps", (model.latent_dim,), rows=range(first, first + len(image))))
    _, _, canvas = model.look_and_draw(image.to(model.first_canvas.device), eps.to(model.first_canvas.device))
    return torch.sigmoid(canvas).cpu()


class DRAWGANJudge(DrawingJudge[Evaluation]):
    """Judges drawings of the averaged DRAW by a classifier of the data.

    Nothing is chosen by these figures: the rate falls to zero, and the last epoch is kept. So a DRAW that
    was taught by pixels alone can be compared with one that was taught by a discriminator.
    """

    def __init__(
        self,
        config: DRAWGANTrainConfig,
        dataset: Dataset,
        classifier: Classifier,
        players: DRAWGANPlayers,
    ) -> None:
        networks = {"draw": players.model.draw}
        if config.adversarial:
            networks["scorer"] = players.model.discriminator
        super().__init__(Evaluation, dataset, classifier, networks)
        self.config, self.players = config, players

    def evaluate(self) -> Evaluation:
        """Measures drawings of the averaged DRAW."""
        drawings = draw_chunks(self.players.average, self.config.evaluation_rows, EVALUATION_SEED)
        return summarise(drawings, self.classifier, self.dataset)

    def improved(self, evaluation: Evaluation, history: Sequence[Evaluation]) -> bool:
        """Always: the last epoch is kept."""
        return True

    def findings(
        self, evaluation: Evaluation, means: Mapping[str, float], previous: float | None
    ) -> list[Finding]:
        """As of any adversarial training, once the discriminator teaches."""
        return super().findings(evaluation, means, previous) if means["generator_loss"] else []

    @torch.no_grad()
    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Writes a sheet of drawings, film strips of ten, and test images, each with its reconstruction."""
        average = self.players.average
        latent = draw_prior(average, range(100), EVALUATION_SEED).to(average.first_canvas.device)
        canvases = average.canvases(latent).cpu().numpy()
        save_sheet(folder / "sheets" / f"{iteration:06d}.png", canvases[:, -1])
        save_strip(folder / "strips" / f"{iteration:06d}.png", canvases[:10])
        image = torch.from_numpy(self.dataset.test.images[:_REDRAWN]).float() / 255
        pairs = torch.stack([image, redraw(average, image, 0, EVALUATION_SEED)], dim=1).flatten(0, 1)
        save_sheet(folder / "reconstructions" / f"{iteration:06d}.png", pairs.numpy())

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """Plots losses, the discriminator's accuracy and the evaluations as a PNG."""
        save_curves(path, lines)
