"""Plots a training by maximum likelihood: nats and KL, in training and in evaluations."""

__all__ = ["save_curves"]

from pathlib import Path
from typing import Any

from pentimento.training.judging.plots import new_figure, save_figure


def save_curves(path: Path, lines: list[dict[str, Any]]) -> None:
    """Writes a PNG of curves over iterations: loss and evaluations, and the KL, in nats an image.

    Args:
        path: The file.
        lines: Of the training's log.
    """
    figure, (losses, divergence) = new_figure(2)
    updates = [line for line in lines if line["kind"] == "updates"]
    evaluations = [line for line in lines if line["kind"] == "evaluation"]
    at, judged_at = ([line["iteration"] for line in part] for part in (updates, evaluations))
    losses.plot(at, [line["loss"] for line in updates], label="training images")
    losses.plot(judged_at, [line["nats"] for line in evaluations], marker="o", label="test images, averaged")
    divergence.plot(at, [line.get("kl", 0.0) for line in updates], label="training images")
    kl = [sum(line["kl"]) for line in evaluations]
    divergence.plot(judged_at, kl, marker="o", label="test images, averaged")
    save_figure(figure, ((losses, "nats"), (divergence, "KL, nats")), path)
