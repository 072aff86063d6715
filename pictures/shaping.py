"""Brings a picture to the size and colours that a model takes."""

__all__ = ["FITS", "Fit", "to_pixels"]

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pentimento.pictures.errors import Misfit, PictureError, other_size
from pentimento.pictures.reading import Picture

Fit = Literal["exact", "resize", "crop"]
FITS: tuple[Fit, ...] = get_args(Fit)

_STRIP_PIXELS = 1 << 20  # of a transparent picture at a time, so that copies of it are small


def to_pixels(picture: Picture, *, channels: int, width: int, height: int, fit: Fit) -> NDArray[np.uint8]:
    """A picture's pixels as a model takes them.

    With `exact` a grey model takes grey pictures of 8 bits or fewer, a colour model RGB pictures of 8 bits,
    of its size. The others take any picture: transparency is laid on black, 16 bits become 8, colours
    become grey by the ITU-R 601 luma; then `resize` stretches it to the size with a Lanczos filter; `crop`
    cuts the largest centred part of the right proportions before it does.

    Args:
        picture: The picture.
        channels: 1 or 3.
        width: In pixels.
        height: In pixels.
        fit: What may be done to it.

    Returns:
        0..255, (H, W, C).

    Raises:
        Misfit: It is not exactly what `exact` takes.
        PictureError: It has numbers that cannot be told in 8 bits.
    """
    mode, size = "L" if channels == 1 else "RGB", (width, height)
    if fit == "exact":
        _check_exact(picture, channels, size)
        image = picture.image
    else:
        image = _flatten(picture)
    if image.mode != mode:
        image = image.convert(mode)
    if image.size != size:
        lanczos = Image.Resampling.LANCZOS
        image = image.resize(size, lanczos) if fit == "resize" else ImageOps.fit(image, size, lanczos)
    return np.array(image, dtype=np.uint8).reshape(height, width, channels)


def _check_exact(picture: Picture, channels: int, size: tuple[int, int]) -> None:
    image = picture.image
    if image.size != size:
        raise other_size(image.size, size)
    modes = ("L", "1") if channels == 1 else ("RGB",)
    if image.mode not in modes or picture.bits > 8 or "transparency" in image.info:
        wanted = "grey (8 bits or 1 bit)" if channels == 1 else "RGB (8 bits)"
        raise Misfit(f"must be {wanted}, got {picture.kind}", "convert")


def _flatten(picture: Picture) -> Image.Image:
    """Any mode -> L or RGB, transparency laid on black."""
    image = picture.image
    if image.mode == "F" or (image.mode == "I" and picture.format not in ("PNG", "PPM")):
        raise PictureError(
            "has numbers of 32 bits, of which nobody knows what is white: save it with 8 or 16"
        )
    if image.mode == "I" or image.mode.startswith("I;16"):
        deep = np.array(image, dtype=np.uint16)
        clear = image.info.get("transparency")
        levels = (deep // 257 + (deep % 257 > 128)).astype(np.uint8)  # rounded: 65535 -> 255
        if clear is not None:
            levels[deep == clear] = 0
        return Image.fromarray(levels)
    if picture.is_transparent:
        return _on_black(image)
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _on_black(image: Image.Image) -> Image.Image:
    flat = Image.new("RGB", image.size)
    rows = max(_STRIP_PIXELS // image.width, 1)
    for top in range(0, image.height, rows):
        clear = image.crop((0, top, image.width, min(top + rows, image.height))).convert("RGBA")
        black = Image.new("RGBA", clear.size, (0, 0, 0, 255))
        flat.paste(Image.alpha_composite(black, clear).convert("RGB"), (0, top))
    return flat
