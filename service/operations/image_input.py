"""Uploaded pictures to arrays: PNG and JPEG, checked before anything is decompressed; every refusal says why.

`pentimento.pictures` reads them, for the trainer too. Decoding is plain computing and blocks for up to some
tenths of a second: call it off the event loop.
"""

__all__ = ["check_pixels", "decode_image", "decode_transparency"]

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.manifest import ImageSpec
from pentimento.pictures.errors import Misfit, PictureError
from pentimento.pictures.reading import read_picture
from pentimento.pictures.shaping import to_pixels
from pentimento.pictures.transparency import to_alpha, without_alpha
from pentimento.service.errors import invalid

Floats = NDArray[np.float32]


def decode_image(
    data: bytes,
    spec: ImageSpec,
    fit: Literal["exact", "resize"] = "exact",
    max_pixels: int = 16_000_000,
    *,
    name: str = "image",
    count: Callable[[str, int], None] = lambda *_: None,
    alpha: bool = True,
) -> Floats:
    """Reads an uploaded picture as a bundle's graphs take it.

    With `fit="exact"` a grey bundle takes grey pictures (8 bits or fewer) and a colour bundle RGB pictures of
    8 bits, at exactly its size. `fit="resize"` takes any PNG or JPEG: colours are converted (grey is the
    ITU-R 601 luma, 16 bits become 8, transparency is laid on black) and the picture is stretched to the size
    with a Lanczos filter. An EXIF orientation is applied in both cases. Animated pictures are refused.

    Args:
        data: The file.
        spec: What the bundle takes.
        fit: Whether to scale and convert.
        max_pixels: Pixels that the file may have; checked before it is decompressed.
        name: What messages call the picture.
        count: Told the name and how many pixels the file had, once they are unpacked; may refuse.
        alpha: Whether transparency is as above; false leaves it out, as what it covers is drawn anyway.

    Returns:
        In [0, 1], (C, H, W).

    Raises:
        PentimentoError: INVALID_ARGUMENT; each reason has its own sentence.
    """
    try:
        exactly = (spec.width, spec.height) if fit == "exact" else None
        picture = read_picture(data, max_pixels, exactly=exactly)
        count(name, picture.image.width * picture.image.height)
        picture = picture if alpha else without_alpha(picture)
        pixels = to_pixels(
            picture, channels=spec.channels, width=spec.width, height=spec.height, fit=fit
        )  # (H, W, C)
    except Misfit as error:
        raise invalid(name, f"{error}; fit=resize would {error.mended_by} it") from None
    except PictureError as error:
        raise invalid(name, str(error)) from None
    return pixels.transpose(2, 0, 1).astype(np.float32) / np.float32(255)


def check_pixels(
    pixels: Floats, spec: ImageSpec, *, name: str, count: Callable[[str, int], None] = lambda *_: None
) -> Floats:
    """A picture that came as numbers, as a bundle's graphs take it.

    Args:
        pixels: (C, H, W).
        spec: What the bundle takes.
        name: What messages call the picture.
        count: As for `decode_image`.

    Raises:
        PentimentoError: INVALID_ARGUMENT: it has another shape, or numbers that are none or out of range.
    """
    if pixels.shape != spec.shape:
        raise invalid(name, f"must have shape {spec.shape}, got {pixels.shape}")
    count(name, spec.width * spec.height)
    low, high = pixels.min(), pixels.max()
    if not (low >= 0 and high <= 1):  # nor are they NaN
        raise invalid(name, f"must have numbers of 0..1, got {low:g}..{high:g}")
    return pixels


def decode_transparency(
    data: bytes,
    spec: ImageSpec,
    max_pixels: int = 16_000_000,
    *,
    name: str = "mask",
    count: Callable[[str, int], None] = lambda *_: None,
) -> NDArray[np.bool_]:
    """Which pixels of an uploaded picture, of exactly a bundle's size, are not wholly transparent.

    Arguments are those of `decode_image`; the colours may be any.

    Returns:
        (H, W).

    Raises:
        PentimentoError: INVALID_ARGUMENT; also for a picture without transparency.
    """
    try:
        picture = read_picture(data, max_pixels, exactly=(spec.width, spec.height))
        count(name, picture.image.width * picture.image.height)
        opaque = to_alpha(picture) > 0
    except PictureError as error:
        raise invalid(name, str(error)) from None
    return opaque
