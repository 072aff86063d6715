"""What of a picture can be seen through: as a mask, and left out of it."""

__all__ = ["to_alpha", "without_alpha"]

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pentimento.pictures.errors import PictureError
from pentimento.pictures.reading import Picture


def to_alpha(picture: Picture) -> NDArray[np.uint8]:
    """How opaque each pixel is.

    Args:
        picture: With 8 bits a channel or fewer, and transparency.

    Returns:
        0 (seen through) to 255, (H, W).

    Raises:
        PictureError: It has no transparency, or more bits.
    """
    if not picture.is_transparent:
        raise PictureError(f"must have transparent pixels, which are drawn, got {picture.kind}")
    if picture.bits > 8:
        raise PictureError(f"must have 8 bits a channel, got {picture.kind}")
    return np.array(picture.image.convert("RGBA").getchannel("A"), dtype=np.uint8)


def without_alpha(picture: Picture) -> Picture:
    """The same picture with the colours that transparent pixels have beneath; itself if it has none.

    For whoever knows that these are not looked at: they are whatever the program that wrote them left there.
    """
    if not picture.is_transparent:
        return picture
    return replace(picture, image=_opaque(picture.image))


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode in ("LA", "La"):
        return image.convert("LA").getchannel("L")
    if image.mode in ("L", "1", "I", "F") or image.mode.startswith("I;"):  # one of their levels is clear
        opaque = image.copy()
        del opaque.info["transparency"]
        return opaque
    return image.convert("RGBA").convert("RGB")
