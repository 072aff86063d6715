"""Pictures of a training: sheets of finished drawings, film strips of single ones, loss curves."""

__all__ = [
    "image_grid",
    "save_curves",
    "save_likelihood_curves",
    "save_one_shot_curves",
    "save_sheet",
    "save_strip",
]

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def image_grid(images: NDArray[np.floating], columns: int, scale: int = 1, gap: int = 2) -> Image.Image:
    """Tiles images row by row.

    Args:
        images: In [0, 1], shape (N, C, H, W).
        columns: Images in a row.
        scale: Each pixel becomes a square of this side.
        gap: Width of the grey lines between images, in pixels of the result.
    """
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    pixels = (np.clip(images, 0, 1) * 255).round().astype(np.uint8)
    pixels = pixels.repeat(scale, axis=2).repeat(scale, axis=3)
    tall, wide = height * scale + gap, width * scale + gap
    sheet = np.full((rows * tall + gap, columns * wide + gap, channels), 128, dtype=np.uint8)
    for index, tile in enumerate(pixels):
        top, left = gap + index // columns * tall, gap + index % columns * wide
        sheet[top : top + height * scale, left : left + width * scale] = tile.transpose(1, 2, 0)
    return Image.fromarray(sheet[..., 0] if channels == 1 else sheet)


def save_sheet(path: Path, images: NDArray[np.floating], columns: int = 10) -> None:
    """Writes finished drawings, shape (N, C, H, W), as one PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image_grid(images, columns, scale=2).save(path)


def save_strip(path: Path, canvases: NDArray[np.floating], scale: int = 2) -> None:
    """Writes drawings as a film strip: a row a drawing, a column a step; shape (N, T, C, H, W)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image_grid(canvases.reshape(-1, *canvases.shape[2:]), canvases.shape[1], scale=scale).save(path)


def save_curves(path: Path, lines: list[dict[str, Any]]) -> None:
    """Draws losses, the scorer's accuracy, and the evaluations, from the lines of a log."""
    figure, (losses, accuracy, quality) = _figure(3)
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
    _finish(figure, ((losses, "loss"), (accuracy, "accuracy"), (quality, "evaluation")), path)


def save_likelihood_curves(path: Path, lines: list[dict[str, Any]]) -> None:
    """Draws the loss and the evaluations in nats, and the divergence of a latent, from a log's lines."""
    figure, (losses, divergence) = _figure(2)
    updates = [line for line in lines if line["kind"] == "updates"]
    evaluations = [line for line in lines if line["kind"] == "evaluation"]
    at, judged_at = ([line["iteration"] for line in part] for part in (updates, evaluations))
    losses.plot(at, [line["loss"] for line in updates], label="training images")
    losses.plot(judged_at, [line["nats"] for line in evaluations], marker="o", label="test images, averaged")
    divergence.plot(at, [line.get("kl", 0.0) for line in updates], label="training images")
    kl = [sum(line["kl"]) for line in evaluations]
    divergence.plot(judged_at, kl, marker="o", label="test images, averaged")
    _finish(figure, ((losses, "nats"), (divergence, "KL, nats")), path)


def save_one_shot_curves(path: Path, lines: list[dict[str, Any]]) -> None:
    """Draws losses, what the scorer knows, its loss on images seen and unseen, and the evaluations."""
    figure, (losses, scorer, overfitting, quality) = _figure(4)
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
    _finish(figure, tuple(zip((losses, scorer, overfitting, quality), titles, strict=True)), path)


def _figure(rows: int) -> tuple[Any, Any]:
    # Imported here: it takes a second, and only these functions need it. The figure is made without
    # pyplot, which would look for a window system.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, 1, sharex=True)


def _finish(figure: Any, titled: tuple[tuple[Any, str], ...], path: Path) -> None:  # noqa: ANN401
    for axes, title in titled:
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
        if axes.has_data():  # of a training shorter than a line of the log there is none
            axes.legend()
    titled[-1][0].set_xlabel("iteration")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
