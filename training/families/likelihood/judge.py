"""Evaluates a model trained by maximum likelihood: nats on test images, KL, drawings, reconstructions."""

__all__ = ["LikelihoodJudge"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pentimento.models.recurrent.draw import DRAW
from pentimento.models.shared.latent_model import LatentModel
from pentimento.training.data.binarise import binarise_for_evaluation, find_binarisation
from pentimento.training.data.datasets import Dataset
from pentimento.training.families.likelihood.config import LikelihoodConfig
from pentimento.training.families.likelihood.curves import save_curves
from pentimento.training.families.likelihood.drawing import draw_images, prior_latent
from pentimento.training.families.likelihood.evaluation import evaluate_likelihood
from pentimento.training.families.likelihood.players import LikelihoodPlayers
from pentimento.training.judging.failure import Finding
from pentimento.training.judging.judge import parameter_count
from pentimento.training.judging.likelihood import LikelihoodEvaluation
from pentimento.training.judging.plots import save_sheet, save_strip

EVALUATION_SEED = 20161115
LEAK_NATS = 75.0  # on binarised MNIST nobody is far below it: a model that is sees the pixel it predicts
COLLAPSED_KL = 1.0
_SHEET_ROWS = 100
_RECONSTRUCTIONS = 9
_SHOWN_LEVELS = 3  # whose KL a line has room for


class LikelihoodJudge:
    """Evaluates the averaged model on test images.

    Attributes:
        rule: How the data set's pixels become binary.
    """

    loss = "loss"

    def __init__(self, config: LikelihoodConfig, dataset: Dataset, players: LikelihoodPlayers) -> None:
        self.config, self.dataset, self.players = config, dataset, players
        self.rule = find_binarisation(dataset.train.images, config.levels)

    def parameter_counts(self) -> dict[str, int]:
        """Number of the model's trained parameters, under the name `model`."""
        return {"model": parameter_count(self.players.model)}

    def evaluate(self) -> LikelihoodEvaluation:
        """Measures the likelihood, or its bound, on the first test images."""
        return evaluate_likelihood(
            self.players.average,
            self.dataset.test,
            rows=self.config.evaluation_rows,
            rule=self.rule,
            seed=EVALUATION_SEED,
        )

    def revive(self, values: Mapping[str, Any]) -> LikelihoodEvaluation:
        """Rebuilds an evaluation from the plain values that a checkpoint holds."""
        return LikelihoodEvaluation(**values)

    def improved(self, evaluation: LikelihoodEvaluation, history: Sequence[LikelihoodEvaluation]) -> bool:
        """Always: the rate falls to zero, so the last epoch is kept, and nothing is chosen by test images."""
        return True

    def findings(
        self, evaluation: LikelihoodEvaluation, means: Mapping[str, float], previous: float | None
    ) -> list[Finding]:
        """Warnings of a posterior that has collapsed, and of a likelihood that is too good to be true."""
        found = []
        # A level that is not used is a fault; a step that adds little is not.
        steps = isinstance(self.players.model, DRAW)
        used = (sum if steps else min)(evaluation.kl) if evaluation.kl else None
        if used is not None and used < COLLAPSED_KL:
            message = f"the KL is {used:.2f} nats: the latent is hardly used"
            found.append(Finding(kind="posterior_collapse", message=message))
        if self.dataset.name == "mnist" and self.config.levels == 2 and evaluation.nats < LEAK_NATS:
            message = f"{evaluation.nats:.1f} nats on binary MNIST: a pixel sees itself"
            found.append(Finding(kind="leak", message=message))
        return found

    def should_stop(self, history: Sequence[LikelihoodEvaluation]) -> Finding | None:
        """A finding of divergence if the last likelihood of test images is not a finite number."""
        if not history or np.isfinite(history[-1].nats):
            return None
        return Finding(kind="diverged", message="the likelihood of test images is not a finite number")

    def summary(self, evaluation: LikelihoodEvaluation) -> str:
        """Nats an image, and the KL of each level."""
        kl = " + ".join(f"{value:.2f}" for value in evaluation.kl)
        if len(evaluation.kl) > _SHOWN_LEVELS:
            kl = f"{sum(evaluation.kl):.2f} in {len(evaluation.kl)} steps"
        bound = "" if evaluation.exact else "at most "
        return f"{bound}{evaluation.nats:.2f} nats" + (f", KL {kl}" if kl else "")

    @torch.no_grad()
    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Writes a sheet of drawings; for a latent model also reconstructions of test images.

        One that draws in steps also leaves film strips.
        """
        model = self.players.average
        rows = range(_SHEET_ROWS)
        prior = prior_latent(model, rows, EVALUATION_SEED)
        drawn = draw_images(model, prior, rows, EVALUATION_SEED)
        if isinstance(model, DRAW):
            assert prior is not None
            save_strip(folder / "strips" / f"{iteration:06d}.png", model.canvases(prior[:10]).cpu().numpy())
        save_sheet(folder / "sheets" / f"{iteration:06d}.png", drawn.cpu().numpy())
        if not isinstance(model, LatentModel):
            return
        grey = torch.from_numpy(self.dataset.test.images[:10]).float().to(drawn.device) / 255
        image = binarise_for_evaluation(grey, self.rule, EVALUATION_SEED, 0)
        repeated = image.repeat_interleave(_RECONSTRUCTIONS, dim=0)
        generator = torch.Generator().manual_seed(EVALUATION_SEED)
        eps = torch.randn(len(repeated), model.latent_dim, generator=generator).to(drawn.device)
        latent, _ = model.posterior(repeated, eps)
        again = draw_images(model, latent, range(len(repeated)), EVALUATION_SEED)
        pairs = torch.cat([image[:, None], again.unflatten(0, (-1, _RECONSTRUCTIONS))], dim=1)
        save_sheet(folder / "reconstructions" / f"{iteration:06d}.png", pairs.flatten(0, 1).cpu().numpy())

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """Plots loss, KL and evaluations as a PNG."""
        save_curves(path, lines)
