"""What is watched while it learns."""

__all__ = ["FadingEvaluation", "FadingJudge", "error"]

from dataclasses import dataclass

import torch


@dataclass(frozen=True, kw_only=True, slots=True)
class FadingEvaluation:
    """What is known of an epoch, in plain values, so that a checkpoint can hold it."""

    error: float  # mean squared distance of test images from the mean image


def error(model, dataset):
    """Mean squared distance of test images from the mean image."""
    test = torch.from_numpy(dataset.test.images).float() / 255
    return (test - model.mean.detach().cpu()).square().mean().item()


class FadingJudge:
    """What is watched while it learns. Families whose drawings a classifier judges take `DrawingJudge`."""

    loss = "loss"  # the figure whose mean over an epoch is kept

    def __init__(self, dataset, players):
        self.dataset, self.players = dataset, players

    def parameter_counts(self):
        """Trained values of each network."""
        return {"model": sum(parameter.numel() for parameter in self.players.model.parameters())}

    def evaluate(self):
        """Figures of the averaged model as it is now."""
        return FadingEvaluation(error=error(self.players.average, self.dataset))

    def revive(self, values):
        """An evaluation from a checkpoint's values."""
        return FadingEvaluation(**values)

    def improved(self, evaluation, history):
        """The smallest error so far is kept as best.pt."""
        return evaluation.error <= min(past.error for past in history)

    def findings(self, evaluation, means, previous):
        """Nothing can go wrong with it."""
        return []

    def should_stop(self, history):
        """It never stops early."""

    def summary(self, evaluation):
        """The figure that matters, for one line."""
        return f"error {evaluation.error:.4f}"

    def save_pictures(self, folder, iteration):
        """No pictures; `training.judging.plots.save_sheet` would write some."""

    def save_curves(self, path, lines):
        """No curves; `training.judging.plots.new_figure` would begin some."""
