"""The pictures of a report, small and inline: drawings beside test images, film strips, nearest images."""

__all__ = ["NEAREST_IMAGES", "report_pictures"]

import base64
import io
from typing import Any

import torch
from torch import Tensor

from pentimento.training.judging.neighbours import nearest_images
from pentimento.training.judging.plots import image_grid
from pentimento.training.reports.examiner import Examiner

NEAREST_IMAGES = "nearest_images"  # as --without takes it

_SHEET_PIXELS = 160_000  # of a sheet: a hundred images of 40 x 40, fewer of larger ones
_SHEET_ROWS = 100
_STRIPS, _LONG_STRIPS = 12, 6  # the latter where a row is as wide as the page
_LONG = 6  # steps
_ASKED, _NEAREST = 6, 7  # images, each with its nearest training images


def report_pictures(examiner: Examiner) -> dict[str, Any]:
    """Sheets of drawings and of test images, and what else there is, each with its size and a data URI.

    Drawings are the first ones of the seed, and test images the first of the shuffled ones: nobody chose.
    """
    without = NEAREST_IMAGES in examiner.plan.without
    return examiner.part(
        "pictures", "Drawing the report's pictures", lambda: _pictures(examiner, without), without=without
    )


def _pictures(examiner: Examiner, without_nearest: bool) -> dict[str, Any]:
    pixels = examiner.dataset.test.images[0, 0].size
    rows = min(_SHEET_ROWS, max(10, _SHEET_PIXELS // pixels // 10 * 10), examiner.plan.rows)
    canvases = examiner.drawings.first(rows)
    images = examiner.test_images(0, rows)
    found = {"drawings": _picture(canvases[:, -1], 10), "test_images": _picture(images, 10)}
    if canvases.shape[1] > 1:
        strips = canvases[: _STRIPS if canvases.shape[1] < _LONG else _LONG_STRIPS]
        found["strips"] = _picture(strips.flatten(0, 1), strips.shape[1])
    if not without_nearest:
        train = torch.from_numpy(examiner.dataset.train.images).flatten(1).float() / 255
        examiner.progress("Looking for the nearest training images")
        found["nearest_to_drawings"] = _nearest(canvases[:_ASKED, -1], train)
        found["nearest_to_test_images"] = _nearest(images[:_ASKED], train)
    return found


def _nearest(images: Tensor, train: Tensor) -> dict[str, Any]:
    """A row an image, which stands first; `distances`, the mean distance to the nearest of each."""
    count = min(_NEAREST, len(train))
    found = nearest_images(images.flatten(1), train, count)
    beside = train[found.indices].reshape(len(images), count, *images.shape[1:])
    rows = torch.cat([images[:, None], beside], dim=1)
    return _picture(rows.flatten(0, 1), 1 + count) | {
        "distances": [round(float(each), 2) for each in found.distances[:, 0]]
    }


def _picture(images: Tensor, columns: int) -> dict[str, Any]:
    columns = min(columns, len(images))
    grid = image_grid(images.numpy(), columns, gap=1)
    data = io.BytesIO()
    grid.save(data, "PNG", optimize=True)
    return {
        "uri": f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}",
        "width": grid.width,
        "height": grid.height,
        "images": len(images),
        "columns": columns,
    }
