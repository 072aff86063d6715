"""What a training's bookkeeping asks about the networks: evaluations, findings, pictures.

`Run` counts, logs and saves, and is the same for every training; a judge knows what is being trained.
"""

__all__ = ["AdversarialJudge", "Judge"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from pentimento.training.data.datasets import Dataset
from pentimento.training.families.recurrent.networks import parameter_count
from pentimento.training.families.recurrent.players import Players
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import Evaluation, evaluate, freeze_statistics, prior_latents
from pentimento.training.judging.failure import Finding, inspect_epoch, inspect_evaluation, should_stop
from pentimento.training.judging.plots import save_curves, save_sheet, save_strip
from pentimento.training.loop.config import TrainConfig

EVALUATION_SEED = 20160216
_STATISTICS_SEED = 28  # other latents than those that are evaluated

E = TypeVar("E")  # evaluations of one kind


class Judge(Protocol[E]):
    """Evaluates what is being trained.

    Attributes:
        loss: Name of the figure whose course over the epochs is watched.
    """

    loss: str

    def parameter_counts(self) -> dict[str, int]:
        """Trained values of each network."""
        ...

    def evaluate(self) -> E:
        """Figures of the averaged network as it is now."""
        ...

    def revive(self, values: Mapping[str, Any]) -> E:
        """An evaluation from a checkpoint's plain values."""
        ...

    def improved(self, evaluation: E, history: Sequence[E]) -> bool:
        """Whether it is the one to keep of `history`, whose last it is."""
        ...

    def findings(self, evaluation: E, means: Mapping[str, float], previous: float | None) -> list[Finding]:
        """What is wrong, given the epoch's mean figures and the epoch before's mean loss."""
        ...

    def should_stop(self, history: Sequence[E]) -> Finding | None:
        """Why the training should not go on."""
        ...

    def summary(self, evaluation: E) -> str:
        """The figures that matter, for one line."""
        ...

    def save_pictures(self, folder: Path, iteration: int) -> None:
        """Drawings of the averaged network."""
        ...

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """The course of the training, from the lines of its log."""
        ...


class AdversarialJudge:
    """Judges drawings by a classifier of the data."""

    loss = "generator_loss"

    def __init__(
        self, config: TrainConfig, dataset: Dataset, classifier: Classifier, players: Players
    ) -> None:
        self.config, self.dataset, self.classifier, self.players = config, dataset, classifier, players

    def parameter_counts(self) -> dict[str, int]:
        """Trained values of generator and scorer."""
        players = self.players
        return {"generator": parameter_count(players.generator), "scorer": parameter_count(players.scorer)}

    def evaluate(self) -> Evaluation:
        """Class shares and confidence of drawings, with statistics frozen anew."""
        config, average = self.config, self.players.average
        freeze_statistics(average, config.statistics_rows, _STATISTICS_SEED)
        return evaluate(
            average, self.classifier, self.dataset, rows=config.evaluation_rows, seed=EVALUATION_SEED
        )

    def revive(self, values: Mapping[str, Any]) -> Evaluation:
        """An evaluation from a checkpoint's plain values."""
        return Evaluation(**values)

    def improved(self, evaluation: Evaluation, history: Sequence[Evaluation]) -> bool:
        """The lowest cost so far."""
        return evaluation.cost <= min(past.cost for past in history)

    def findings(
        self, evaluation: Evaluation, means: Mapping[str, float], previous: float | None
    ) -> list[Finding]:
        """Mode collapse, or a scorer that has won."""
        won = inspect_epoch(means["scorer_accuracy"], means["generator_loss"], previous)
        return [finding for finding in (inspect_evaluation(evaluation), won) if finding]

    def should_stop(self, history: Sequence[Evaluation]) -> Finding | None:
        """Late collapse."""
        return should_stop(history)

    def summary(self, evaluation: Evaluation) -> str:
        """Divergence, confidence and the rarest class."""
        return (
            f"KL {evaluation.kl_to_data:.3f}, confidence {evaluation.confidence:.3f}, "
            f"rarest class {min(evaluation.class_shares):.1%}"
        )

    def save_pictures(self, folder: Path, iteration: int) -> None:
        """A sheet of a hundred drawings and film strips of ten."""
        average = self.players.average
        freeze_statistics(average, min(self.config.statistics_rows, 500), _STATISTICS_SEED)
        device = next(average.parameters()).device
        latents = prior_latents(average, range(100), EVALUATION_SEED).to(device)
        with torch.no_grad():
            canvases = average.draw(latents).cpu().numpy()
        save_sheet(folder / "sheets" / f"{iteration:06d}.png", canvases[:, -1])
        save_strip(folder / "strips" / f"{iteration:06d}.png", canvases[:10])

    def save_curves(self, path: Path, lines: list[dict[str, Any]]) -> None:
        """Losses, the scorer's accuracy and the evaluations."""
        save_curves(path, lines)
