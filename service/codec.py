"""Canvases to bytes: PNG, film strip, animation, NPY.

Everything here is plain computing and blocks for microseconds to milliseconds: call it off the event loop.

Shapes: n images, T steps, C channels (1 grey, 3 RGB), H x W pixels. Canvases are float32 in [0, 1]; a byte is
floor(255 x + 1/2).
"""

__all__ = [
    "animation",
    "encode_npy",
    "encode_png",
    "film_strip",
    "picture_pixels",
    "to_uint8",
]

import io
import struct
import zlib
from math import ceil, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bundle.manifest import ImageSpec

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

GAP = 2  # pixels between the pictures of a film strip or a grid, before scaling
PAPER = 255  # the gap's colour: most generated pictures have a dark ground
FRAME_MS = 250
LAST_FRAME_MS = 1500  # the finished picture stays a while before the animation starts again

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def to_uint8(canvases: Floats) -> Bytes:
    """Canvases in [0, 1] as bytes, floor(255 x + 1/2), of the same shape."""
    levels: Bytes = np.floor(np.clip(canvases, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return levels


def encode_png(canvas: Floats) -> bytes:
    """One canvas as an 8-bit PNG.

    Args:
        canvas: In [0, 1], (C, H, W).

    Returns:
        A grey or RGB PNG file.
    """
    return _png(to_uint8(canvas).transpose(1, 2, 0))


def encode_npy(canvases: Floats) -> bytes:
    """Canvases as a NumPy file: float32, C order, (n, T, C, H, W)."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(canvases, dtype=np.float32), allow_pickle=False)
    return buffer.getvalue()


def film_strip(canvases: Floats, scale: int = 1) -> bytes:
    """All canvases in one PNG: a row an image, a column a step.

    Args:
        canvases: In [0, 1], (n, T, C, H, W).
        scale: Pixels of the PNG for each pixel of a canvas, at least 1; crisp, without smoothing.
    """
    return _png(_tile(to_uint8(canvases), scale))


def animation(canvases: Floats, kind: Literal["gif", "apng"], scale: int = 1) -> bytes:
    """The drawing as an animation: the images in a grid, a frame a step, the last frame held longer.

    Args:
        canvases: In [0, 1], (n, T, C, H, W).
        kind: GIF (256 colours a frame) or APNG (exact).
        scale: as in `film_strip`.
    """
    pixels = to_uint8(canvases)
    n, steps, *shape = pixels.shape
    columns = _grid_columns(n)
    blank = np.full((ceil(n / columns) * columns - n, steps, *shape), PAPER, dtype=np.uint8)
    cells = np.concatenate([pixels, blank])
    sheets = [_tile(cells[:, t].reshape(-1, columns, *shape), scale) for t in range(steps)]
    frames = [Image.fromarray(sheet[:, :, 0] if shape[0] == 1 else sheet) for sheet in sheets]
    if kind == "gif" and frames[0].mode == "RGB":
        frames = [frame.quantize(256, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        format="GIF" if kind == "gif" else "PNG",
        save_all=True,
        append_images=frames[1:],
        duration=[FRAME_MS] * (steps - 1) + [LAST_FRAME_MS],
        loop=0,
    )
    return buffer.getvalue()


def picture_pixels(n: int, steps: int, spec: ImageSpec, scale: int = 1) -> int:
    """Pixels of a film strip or of all frames of an animation, from above; known before the drawing."""
    columns = _grid_columns(n)
    cells = max(n * steps, ceil(n / columns) * columns * steps)
    return cells * (spec.height + GAP) * (spec.width + GAP) * scale * scale


def _grid_columns(n: int) -> int:
    return ceil(sqrt(n))


def _tile(cells: Bytes, scale: int) -> Bytes:
    """(rows, columns, C, H, W) -> one picture (height, width, C), with gaps between the cells."""
    rows, columns, channels, height, width = cells.shape
    sheet = np.full((rows, height + GAP, columns, width + GAP, channels), PAPER, dtype=np.uint8)
    sheet[:, :height, :, :width] = cells.transpose(0, 3, 1, 4, 2)
    picture = sheet.reshape(rows * (height + GAP), columns * (width + GAP), channels)[:-GAP, :-GAP]
    return picture.repeat(scale, axis=0).repeat(scale, axis=1) if scale > 1 else picture


def _png(pixels: Bytes) -> bytes:
    """(H, W, C) -> PNG. Written out here as frames are many and small: 20 us for 28x28, with Pillow 135."""
    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + width * channels), dtype=np.uint8)  # a row starts with its filter: 0, none
    rows[:, 1:] = pixels.reshape(height, width * channels)
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    # Level 1: level 6 saves 2 % on drawn digits and takes up to five times as long on colour pictures.
    data = zlib.compress(rows.tobytes(), 1)
    return _PNG_MAGIC + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))))
