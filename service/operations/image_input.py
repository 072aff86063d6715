"""Uploaded pictures to arrays: PNG and JPEG, checked before anything is decompressed; every refusal says why.

Decoding is plain computing and blocks for up to some tens of milliseconds: call it off the event loop.
"""

__all__ = ["decode_image"]

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pentimento.bundle.manifest import ImageSpec
from pentimento.service.errors import PentimentoError, invalid

Floats = NDArray[np.float32]

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"
_OTHERS = {
    b"GIF8": "a GIF",
    b"RIFF": "a WebP or other RIFF file",
    b"BM": "a BMP",
    b"%PDF": "a PDF",
    b"<": "text",
}

_MODES = {
    "1": "grey (1 bit)",
    "L": "grey",
    "LA": "grey with alpha",
    "I": "grey (16 bits)",
    "I;16": "grey (16 bits)",
    "P": "a palette picture",
    "RGB": "RGB",
    "RGBA": "RGB with alpha",
    "CMYK": "CMYK",
}

# `decode_image` checks the size against the server's own limit before any pixel is decompressed; Pillow's
# process-wide limit would only add a second message for the same thing.
Image.MAX_IMAGE_PIXELS = None


def decode_image(
    data: bytes,
    spec: ImageSpec,
    fit: Literal["exact", "resize"] = "exact",
    max_pixels: int = 4_000_000,
    *,
    name: str = "image",
) -> Floats:
    """Reads an uploaded picture as a bundle's graphs take it.

    With `fit="exact"` a grey bundle takes grey pictures (8 bits or 1 bit) and a colour bundle RGB pictures,
    at exactly its size. `fit="resize"` takes any PNG or JPEG: colours are converted (grey is the ITU-R 601
    luma, 16 bits become 8, transparency is laid on black) and the picture is stretched to the size with a
    Lanczos filter. An EXIF orientation is applied in both cases. Animated pictures are refused.

    Args:
        data: The file.
        spec: What the bundle takes.
        fit: Whether to scale and convert.
        max_pixels: Pixels that the file may have; checked before it is decompressed.
        name: What messages call the picture.

    Returns:
        In [0, 1], (C, H, W).

    Raises:
        PentimentoError: INVALID_ARGUMENT; each reason has its own sentence.
    """
    picture = _decompress(_open(data, name), max_pixels, name)
    mode = "L" if spec.channels == 1 else "RGB"
    if fit == "resize":
        picture = _flatten(picture).convert(mode)
        if picture.size != (spec.width, spec.height):
            picture = picture.resize((spec.width, spec.height), Image.Resampling.LANCZOS)
    else:
        _check_exact(picture, spec, name)
    pixels = np.asarray(picture.convert(mode), dtype=np.float32) / np.float32(255)
    return pixels.reshape(spec.height, spec.width, spec.channels).transpose(2, 0, 1)  # (H, W, C) -> (C, H, W)


def _open(data: bytes, name: str) -> Image.Image:
    """Reads the header only."""
    if not data:
        raise invalid(name, "must be a PNG or JPEG picture, got 0 bytes")
    try:
        return Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    except Exception:  # Pillow's plugins raise whatever the damaged bytes led them to
        if data.startswith((_PNG_MAGIC, _JPEG_MAGIC)):
            raise _damaged(data, name) from None
        got = next((kind for magic, kind in _OTHERS.items() if data.startswith(magic)), "something else")
        raise invalid(name, f"must be a PNG or JPEG picture, got {got} of {len(data)} bytes") from None


def _decompress(picture: Image.Image, max_pixels: int, name: str) -> Image.Image:
    width, height = picture.size
    if width * height > max_pixels:
        raise invalid(
            name, f"may have at most {max_pixels} pixels, got {width}x{height}, which is {width * height}"
        )
    # A JPEG of several pictures (MPO) is a photograph with a preview, not an animation.
    frames = getattr(picture, "n_frames", 1) if picture.format == "PNG" else 1
    if frames > 1:
        raise invalid(name, f"must be a single picture, got an animation of {frames} frames")
    try:
        picture.load()
        return ImageOps.exif_transpose(picture)
    except Exception as error:  # as in `_open`
        raise _damaged(error, name) from None


def _damaged(cause: object, name: str) -> PentimentoError:
    detail = f": {cause}" if isinstance(cause, OSError) else ""
    return invalid(name, f"is a truncated or damaged picture{detail}")


def _check_exact(picture: Image.Image, spec: ImageSpec, name: str) -> None:
    if picture.size != (spec.width, spec.height):
        raise invalid(
            name,
            f"must be {spec.width}x{spec.height} pixels (width x height), "
            f"got {picture.width}x{picture.height}; fit=resize would scale it",
        )
    modes = ("L", "1") if spec.channels == 1 else ("RGB",)
    if picture.mode not in modes or "transparency" in picture.info:
        wanted = "grey (8 bits or 1 bit)" if spec.channels == 1 else "RGB"
        got = _MODES.get(picture.mode, picture.mode)
        alpha = " with transparency" if "transparency" in picture.info else ""
        raise invalid(name, f"must be {wanted}, got {got}{alpha}; fit=resize would convert it")


def _flatten(picture: Image.Image) -> Image.Image:
    """Any mode -> L or RGB, transparency laid on black."""
    if picture.mode in ("I", "I;16", "I;16B", "I;16L"):
        deep = np.asarray(picture, dtype=np.float64) / 257  # 65535 -> 255
        return Image.fromarray(np.floor(np.clip(deep, 0, 255) + 0.5).astype(np.uint8))
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        black = Image.new("RGBA", clear.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, clear).convert("RGB")
    return picture if picture.mode == "L" else picture.convert("RGB")
