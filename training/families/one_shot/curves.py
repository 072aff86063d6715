"""Plots a training in one step: losses, how well the scorer tells images apart, evaluations."""

__all__ = ["save_curves"]

from pathlib import Path
from typing import Any

from pentimento.training.judging.plots import new_figure, save_figure


def save_curves(path: Path, lines: list[dict[str, Any]]) -> None:
    """Writes a PNG of curves over iterations: losses, the scorer's figures, its overfitting, evaluations.

    Args:
        path: The file.
        lines: Of the training's log.
    """
    figure, (losses, scorer, overfitting, quality) = new_figure(4)
    updates = [line for line in lines if line["kind"] == "updates"]
    evaluations = [line for line in lines if line["kind"] == "evaluation"]
    at, judged_at = ([line["iteration"] for line in part] for part in (updates, evaluations))
    for key, label in (("generator_loss", "generator"), ("scorer_loss", "scorer")):
        losses.plot(at, [line[key] for line in updates], label=label)
    for key, label in (
        ("scorer_accuracy", "scorer's accuracy"),
        ("score_gap", "data's mean score less drawings'"),
        ("gradient_norm", "gradient norm between them"),
        ("class_loss", "loss of the auxiliary classifier"),
    ):
        known = [(line["iteration"], line[key]) for line in updates if key in line]
        if known:
            scorer.plot(*zip(*known, strict=True), label=label)
    for key, label in (("train", "training images"), ("held_out", "held-out images")):
        values = [-line[f"scorer_loss_{key}"] for line in evaluations]
        overfitting.plot(judged_at, values, marker="o", label=label)
    for key, label in (
        ("kl_to_data", "KL(drawn classes || data)"),
        ("confidence", "classifier's confidence"),
        ("label_accuracy", "drawn as asked"),
    ):
        if evaluations and evaluations[0][key] is not None:
            quality.plot(judged_at, [line[key] for line in evaluations], marker="o", label=label)
    titles = ("loss", "scorer", "negative scorer's loss", "evaluation")
    save_figure(figure, tuple(zip((losses, scorer, overfitting, quality), titles, strict=True)), path)
