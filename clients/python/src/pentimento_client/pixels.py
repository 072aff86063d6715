"""Converts between picture files, Pillow images and arrays.

Shapes: n images, T steps, C channels (1 grey, 3 RGB), H x W pixels; arrays are float32 in [0, 1].
"""

__all__ = ["Floats", "ImageLike", "film_strip", "from_png", "to_image", "to_picture_file"]

import io
import math
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats: TypeAlias = NDArray[np.float32]

ImageLike: TypeAlias = "bytes | str | PathLike[str] | Image.Image | NDArray[Any]"
"""A picture: the bytes of a PNG or JPEG file, the path of one, a Pillow image, or an array of shape (H, W),
(1, H, W) or (3, H, W), either uint8, floats in [0, 1], or booleans, which are black and white."""

_GAP = 2  # pixels between the pictures of a film strip
_PAPER = 255  # the gap's colour


def from_png(data: bytes) -> Floats:
    """Decodes a PNG of the server.

    Returns:
        Multiples of 1/255 in [0, 1], (C, H, W).
    """
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image)
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return planes.astype(np.float32) / np.float32(255)


def to_image(array: Floats) -> Image.Image:
    """Makes an array (C, H, W) a grey or RGB image; a byte is floor(255 x + 1/2), as on the server."""
    return _image(_to_uint8(array))


def to_picture_file(image: ImageLike) -> bytes:
    """Makes a picture into the bytes of a PNG or JPEG file; bytes and files are passed on as they are.

    Raises:
        OSError: A path cannot be read.
        ValueError: An array has another shape or type than ImageLike allows.
    """
    if isinstance(image, bytes):
        return image
    if isinstance(image, str | PathLike):
        return Path(image).read_bytes()
    if isinstance(image, np.ndarray):
        image = _image(_planes(image))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def film_strip(arrays: Floats, scale: int = 1) -> Image.Image:
    """A picture of a whole drawing: a row an image, a column a step; of drawings of one step a grid.

    Args:
        arrays: Canvases, (n, T, C, H, W).
        scale: Pixels for each pixel of a canvas, at least 1; crisp, without smoothing.
    """
    cells = _to_uint8(arrays)
    if cells.shape[1] == 1:
        cells = _grid(cells[:, 0])
    rows, columns, channels, height, width = cells.shape
    sheet = np.full((rows, height + _GAP, columns, width + _GAP, channels), _PAPER, dtype=np.uint8)
    sheet[:, :height, :, :width] = cells.transpose(0, 3, 1, 4, 2)
    picture = sheet.reshape(rows * (height + _GAP), columns * (width + _GAP), channels)[:-_GAP, :-_GAP]
    picture = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    return _image(picture.transpose(2, 0, 1))


def _grid(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, C, H, W) -> (rows, columns, C, H, W), about square, the last cells blank."""
    n, *shape = pictures.shape
    columns = math.ceil(math.sqrt(n))
    blank = np.full((math.ceil(n / columns) * columns - n, *shape), _PAPER, dtype=np.uint8)
    return np.concatenate([pictures, blank]).reshape(-1, columns, *shape)


def _planes(array: NDArray[Any]) -> NDArray[np.uint8]:
    planes = array[None] if array.ndim == 2 else array
    if planes.ndim != 3 or planes.shape[0] not in (1, 3):
        raise ValueError(f"an image must have shape (H, W), (1, H, W) or (3, H, W), got {array.shape}")
    if planes.dtype == np.uint8:
        return planes
    if planes.dtype == np.bool_:
        return planes.astype(np.uint8) * np.uint8(255)
    if not np.issubdtype(planes.dtype, np.floating):
        raise ValueError(f"an image must be uint8, floats in [0, 1] or booleans, got {planes.dtype}")
    if not ((planes >= 0) & (planes <= 1)).all():
        raise ValueError(f"an image of floats must lie in [0, 1], got {planes.min()}..{planes.max()}")
    return _to_uint8(planes.astype(np.float32))


def _to_uint8(array: Floats) -> NDArray[np.uint8]:
    rounded: Floats = np.floor(np.clip(array, 0, 1) * np.float32(255) + np.float32(0.5))
    return rounded.astype(np.uint8)


def _image(planes: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(
        planes[0] if planes.shape[0] == 1 else np.ascontiguousarray(planes.transpose(1, 2, 0))
    )
