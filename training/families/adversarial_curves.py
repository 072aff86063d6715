"""Plots an adversarial training: losses, the discriminator's accuracy, evaluations."""

__all__ = ["save_curves"]

from pathlib import Path
from typing import Any

from pentimento.training.judging.plots import new_figure, save_figure


def save_curves(path: Path, lines: list[dict[str, Any]]) -> None:
    """Writes a PNG of losses, the discriminator's accuracy and the evaluations, over iterations.

    Args:
        path: The file.
        lines: Of the training's log.
    """
    figure, (losses, accuracy, quality) = new_figure(3)
    updates = [line for line in lines if line["kind"] == "updates"]
    at = [line["iteration"] for line in updates]
    for key, label in (("generator_loss", "generator"), ("scorer_loss", "scorer")):
        losses.plot(at, [line[key] for line in updates], label=label)
    accuracy.plot(at, [line["scorer_accuracy"] for line in updates], label="scorer's accuracy")
    evaluations = [line for line in lines if line["kind"] == "evaluation"]
    at = [line["iteration"] for line in evaluations]
    for key, label in (
        ("kl_to_data", "KL(drawn classes || data)"),
        ("confidence", "classifier's confidence"),
    ):
        quality.plot(at, [line[key] for line in evaluations], marker="o", label=label)
    save_figure(figure, ((losses, "loss"), (accuracy, "accuracy"), (quality, "evaluation")), path)
