"""Encodes canvases: PNG, film strip, animation, NPY.

Everything here is plain computing and blocks for microseconds to milliseconds: call it off the event loop
where it is about more than `AT_ONCE` values.

Shapes: n images, T steps, C channels (1 grey, 3 RGB), H x W pixels. Canvases are float32 in [0, 1]; a byte is
floor(255 x + 1/2).
"""

__all__ = [
    "AT_ONCE",
    "animation",
    "encode_npy",
    "encode_png",
    "encode_pngs",
    "film_strip",
    "picture_pixels",
    "to_uint8",
]

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import ceil, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from zlib_ng import zlib_ng

from pentimento.bundle.manifest import ImageSpec
from pentimento.service.operations.boxes import Outlines, outlined

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

AT_ONCE = 4096
"""Pixel values to encode without a thread: 5 images of 28x28 take 0.05 ms, a thread's detour 0.18 ms."""

GAP = 2  # pixels between the pictures of a film strip or a grid, before scaling
PAPER = 255  # the gap's colour: most generated pictures have a dark ground
FRAME_MS = 250
LAST_FRAME_MS = 1500  # the finished picture stays a while before the animation starts again


def to_uint8(canvases: Floats) -> Bytes:
    """Canvases in [0, 1] as bytes, floor(255 x + 1/2), of the same shape; what is out of range is cut."""
    levels = np.multiply(canvases, np.float32(255), dtype=np.float32)
    levels += np.float32(0.5)
    # np.clip would do, and takes several times as long on a picture as small as these.
    np.maximum(levels, np.float32(0), out=levels)
    np.minimum(levels, np.float32(255), out=levels)
    return levels.astype(np.uint8)


def encode_png(canvas: Floats) -> bytes:
    """One canvas as an 8-bit PNG: grey or RGB.

    Args:
        canvas: In [0, 1], (C, H, W).
    """
    return encode_pngs(canvas[None])[0]


def encode_pngs(canvases: Floats, scale: int = 1) -> list[bytes]:
    """Each canvas as an 8-bit PNG; together they take half the time that they take one by one.

    Args:
        canvases: In [0, 1], (n, C, H, W).
        scale: as in `film_strip`.
    """
    pixels = to_uint8(canvases).transpose(0, 2, 3, 1)
    return _pngs(pixels.repeat(scale, axis=1).repeat(scale, axis=2) if scale > 1 else pixels)


def encode_npy(canvases: Floats) -> bytes:
    """Canvases as a NumPy file: float32, C order, (n, T, C, H, W)."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(canvases, dtype=np.float32), allow_pickle=False)
    return buffer.getvalue()


def film_strip(canvases: Floats, scale: int = 1, boxes: Sequence[Outlines] = ()) -> bytes:
    """All canvases in one PNG: a row an image, a column a step; of drawings of one step a grid.

    Args:
        canvases: In [0, 1], (n, T, C, H, W).
        scale: Pixels of the PNG for each pixel of a canvas, at least 1; crisp, without smoothing.
        boxes: Outlined over the canvases, which makes the picture a colour one.
    """
    pixels, scale, gap = _pixels(canvases, scale, boxes)
    cells = _grid(pixels[:, 0]) if pixels.shape[1] == 1 else pixels
    return _pngs(_tile(cells, scale, gap)[None])[0]


def animation(
    canvases: Floats,
    kind: Literal["gif", "apng"],
    scale: int = 1,
    boxes: Sequence[Outlines] = (),
    *,
    check: Callable[[], None] = lambda: None,
) -> bytes:
    """The drawing as an animation: the images in a grid, a frame a step, the last frame held longer.

    Args:
        canvases: In [0, 1], (n, T, C, H, W).
        kind: GIF (256 colours a frame) or APNG (exact).
        scale: as in `film_strip`.
        boxes: as in `film_strip`.
        check: Called again and again on the way, which may take seconds; it stops that by raising.
    """
    pixels, scale, gap = _pixels(canvases, scale, boxes)
    steps, channels = pixels.shape[1:3]
    frames = _Checked(check)
    for t in range(steps):
        check()
        sheet = _tile(_grid(pixels[:, t]), scale, gap)
        frame = Image.fromarray(sheet[:, :, 0] if channels == 1 else sheet)
        is_colour = kind == "gif" and frame.mode == "RGB"
        frames.append(frame.quantize(256, dither=Image.Dither.NONE) if is_colour else frame)
    first, buffer = frames.pop(0), _CheckedFile(check)
    first.save(
        buffer,
        format="GIF" if kind == "gif" else "PNG",
        save_all=True,
        append_images=frames,
        duration=[FRAME_MS] * (steps - 1) + [LAST_FRAME_MS],
        loop=0,
    )
    return buffer.getvalue()


class _Checked(list[Image.Image]):
    """Pictures that Pillow goes through, more than once, before it writes any."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__()
        self._check = check

    def __iter__(self) -> Iterator[Image.Image]:
        for picture in super().__iter__():
            self._check()
            yield picture


class _CheckedFile(io.BytesIO):
    """What Pillow writes to, some kilobytes at a time."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__()
        self._check = check

    def write(self, data: "ReadableBuffer", /) -> int:
        self._check()
        return super().write(data)


def picture_pixels(n: int, steps: int, spec: ImageSpec, scale: int = 1) -> int:
    """An upper bound of the pixels of a film strip, or of all frames of an animation, before it is drawn."""
    columns = _grid_columns(n)
    cells = max(n * steps, ceil(n / columns) * columns * steps)
    return cells * (spec.height + GAP) * (spec.width + GAP) * scale * scale


def _pixels(canvases: Floats, scale: int, boxes: Sequence[Outlines]) -> tuple[Bytes, int, int]:
    """Bytes of the canvases, with the scale and the gap that remain to be made of them.

    Outlines are thin, so canvases that have some are enlarged before.
    """
    pixels = to_uint8(canvases)
    return (outlined(pixels, boxes, scale), 1, GAP * scale) if boxes else (pixels, scale, GAP)


def _grid(pictures: Bytes) -> Bytes:
    """(n, C, H, W) -> (rows, columns, C, H, W), about square, the last cells blank."""
    n, *shape = pictures.shape
    columns = _grid_columns(n)
    blank = np.full((ceil(n / columns) * columns - n, *shape), PAPER, dtype=np.uint8)
    return np.concatenate([pictures, blank]).reshape(-1, columns, *shape)


def _grid_columns(n: int) -> int:
    return ceil(sqrt(n))


def _tile(cells: Bytes, scale: int, gap: int) -> Bytes:
    """(rows, columns, C, H, W) -> one picture (height, width, C), with gaps between the cells."""
    rows, columns, channels, height, width = cells.shape
    sheet = np.full((rows, height + gap, columns, width + gap, channels), PAPER, dtype=np.uint8)
    sheet[:, :height, :, :width] = cells.transpose(0, 3, 1, 4, 2)
    picture = sheet.reshape(rows * (height + gap), columns * (width + gap), channels)[:-gap, :-gap]
    return picture.repeat(scale, axis=0).repeat(scale, axis=1) if scale > 1 else picture


def _pngs(pixels: Bytes) -> list[bytes]:
    """(n, H, W, C) -> PNGs. Written out here as frames are many and small: Pillow takes 135 us for 28x28."""
    n, height, width, channels = pixels.shape
    rows = np.zeros((n, height, 1 + width * channels), dtype=np.uint8)  # a row starts with its filter: none
    rows[:, :, 1:] = pixels.reshape(n, height, width * channels)
    start = _png_start(width, height, channels)
    files = []
    for row in rows:
        # Level 1 of zlib-ng takes a quarter of zlib's time on a drawn digit, for 5 % more bytes.
        data = zlib_ng.compress(row, 1)
        size, check = _U32.pack(len(data)), _U32.pack(zlib_ng.crc32(data, _IDAT_CRC))
        files.append(b"".join((start, size, b"IDAT", data, check, _PNG_END)))
    return files


@lru_cache(maxsize=64)
def _png_start(width: int, height: int, channels: int) -> bytes:
    """All that comes before the data: the magic number and the header."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((_U32.pack(len(data)), kind, data, _U32.pack(zlib_ng.crc32(kind + data))))


_U32 = struct.Struct(">I")
_IDAT_CRC = zlib_ng.crc32(b"IDAT")
_PNG_END = _chunk(b"IEND", b"")
