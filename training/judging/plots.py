"""Pictures of a training as PNG: sheets of drawings, film strips of a drawing's steps, plots of curves."""

__all__ = [
    "image_grid",
    "new_figure",
    "save_figure",
    "save_sheet",
    "save_strip",
]

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def image_grid(images: NDArray[np.floating], columns: int, scale: int = 1, gap: int = 2) -> Image.Image:
    """Tiles images row by row into one picture, with grey lines between them.

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
    """Writes drawings in [0, 1], shape (N, C, H, W), side by side as one PNG, at twice their size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image_grid(images, columns, scale=2).save(path)


def save_strip(path: Path, canvases: NDArray[np.floating], scale: int = 2) -> None:
    """Writes canvases in [0, 1], shape (N, T, C, H, W), as a film strip: a row a drawing, a column a step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image_grid(canvases.reshape(-1, *canvases.shape[2:]), canvases.shape[1], scale=scale).save(path)


def new_figure(rows: int) -> tuple[Any, Any]:
    """A matplotlib figure with `rows` axes below each other that share their x axis, and those axes."""
    # Imported here: it takes a second, and only these functions need it. The figure is made without
    # pyplot, which would look for a window system.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, 1, sharex=True)


def save_figure(
    figure: Any,  # noqa: ANN401
    titled: tuple[tuple[Any, str], ...],
    path: Path,
    *,
    along: str = "iteration",
) -> None:
    """Labels a plot of curves and writes it as a PNG.

    Args:
        figure: From `new_figure`.
        titled: Each of its axes with the label of its y axis.
        path: The file; its folder is made if need be.
        along: Label of the x axis that they share.
    """
    for axes, title in titled:
        axes.set_ylabel(title)
        axes.grid(alpha=0.3)
        if axes.has_data():  # of a training shorter than a line of the log there is none
            axes.legend()
    titled[-1][0].set_xlabel(along)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
