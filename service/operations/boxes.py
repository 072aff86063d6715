"""Attention boxes over canvases: where a step looked and where it wrote, as coloured outlines.

Shapes: n images, T steps, C channels, H x W pixels.
"""

__all__ = ["COLOURS", "Outlines", "outlined", "outlines"]

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.drawing import FrameOutput
from pentimento.service.messages import Floats, Frame

COLOURS = ((100, 143, 255), (255, 176, 0), (220, 38, 127), (120, 94, 240))
"""RGB of a drawing's boxes in the order of its outputs: blue for the first, amber for the second."""


class Outlines(NamedTuple):
    """One kind of box over all canvases of a drawing."""

    points: int  # filters a side
    boxes: Floats  # x, y, stride, width in pixels, (n, T, 4); NaN where a canvas has none


def outlines(declared: Sequence[FrameOutput], frames: Sequence[Frame], *, blank: int = 0) -> list[Outlines]:
    """The boxes of a drawing's frames.

    Args:
        declared: What travels with each canvas, as the manifest says.
        frames: All of the drawing, in order.
        blank: Canvases before the first frame that have no boxes, such as a given picture.
    """
    found = []
    for output in declared:
        if output.meaning == "box" and output.points is not None:
            boxes = np.stack([frame.outputs[output.name] for frame in frames], axis=1)
            boxes = np.pad(boxes, ((0, 0), (blank, 0), (0, 0)), constant_values=np.nan)
            found.append(Outlines(output.points, boxes))
    return found


def outlined(pixels: NDArray[np.uint8], kinds: Sequence[Outlines], scale: int) -> NDArray[np.uint8]:
    """Enlarges canvases and draws the outline of each box, one pixel wide.

    The outline is the square from the first filter's centre to the last one's. What lies beyond the picture
    is drawn along its edge.

    Args:
        pixels: (n, T, C, H, W).
        kinds: The boxes, each kind in its colour.
        scale: Pixels for each pixel of a canvas.

    Returns:
        RGB, (n, T, 3, H * scale, W * scale).
    """
    large = pixels.repeat(scale, axis=3).repeat(scale, axis=4)
    large = np.array(np.broadcast_to(large, (*large.shape[:2], 3, *large.shape[3:])))  # writable
    height, width = large.shape[3:]
    for kind, colour in zip(kinds, COLOURS, strict=False):
        paint = np.array(colour, dtype=np.uint8)[:, None]
        x, y, stride, _ = np.moveaxis(kind.boxes.astype(np.float64), 2, 0)
        half = np.abs(stride) * (kind.points - 1) / 2
        left, right = (_at(x + side * half, scale, width) for side in (-1, 1))
        top, bottom = (_at(y + side * half, scale, height) for side in (-1, 1))
        for row, step in np.argwhere(np.isfinite(kind.boxes).all(2)):
            canvas, at = large[row, step], (row, step)
            for line in (top[at], bottom[at]):
                canvas[:, line, left[at] : right[at] + 1] = paint
            for line in (left[at], right[at]):
                canvas[:, top[at] : bottom[at] + 1, line] = paint
    return large


def _at(places: NDArray[np.float64], scale: int, side: int) -> NDArray[np.int64]:
    """Indices of the enlarged pixels that hold places in canvas pixels, at most at the picture's edge."""
    known = np.where(np.isfinite(places), places, 0.0)
    return np.clip(np.floor((known + 0.5) * scale), 0, side - 1).astype(np.int64)
