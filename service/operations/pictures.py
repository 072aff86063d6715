"""Decodes given pictures for a model, and makes them black and white where the model's data were."""

__all__ = ["Fit", "PixelBudget", "as_seen", "read_image", "read_mask", "read_transparency"]

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.manifest import ImageSpec
from pentimento.bundle.noise import draw
from pentimento.service.errors import invalid
from pentimento.service.messages import Fit, Floats, ImageInput
from pentimento.service.operations.image_input import check_pixels, decode_image, decode_transparency


class PixelBudget:
    """Pixels that the pictures of one request may still have.

    Args:
        each: Pixels of one picture.
        together: Pixels of all.
    """

    def __init__(self, each: int, together: int) -> None:
        self.each, self.together = min(each, together), together
        self._used = 0

    def count(self, name: str, pixels: int) -> None:
        """Counts a picture that has been unpacked.

        Raises:
            PentimentoError: INVALID_ARGUMENT: all together they have too many.
        """
        self._used += pixels
        if self._used > self.together:
            raise invalid(
                name,
                f"brings the pixels of the request's pictures to {self._used}; together they may have "
                f"{self.together}: send fewer pictures in one request, or smaller ones",
            )


def read_image(
    image: ImageInput, spec: ImageSpec, fit: Fit, budget: PixelBudget, alpha: bool = True
) -> Floats:
    """Decodes a picture. Blocks for up to some tenths of a second: call it off the event loop.

    Args:
        image: An encoded picture, or one that is pixels already, which `fit` does not change.
        spec: What the model takes.
        fit: Whether to scale and convert.
        budget: Of the request.
        alpha: Whether its transparency counts; false where that is its mask.

    Returns:
        In [0, 1], (C, H, W).

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    if image.pixels is not None:
        return check_pixels(image.pixels, spec, name=image.name, count=budget.count)
    return decode_image(image.data, spec, fit, budget.each, name=image.name, count=budget.count, alpha=alpha)


def as_seen(pixels: Floats, spec: ImageSpec, seed: int) -> Floats:
    """Decoded pictures, (n, C, H, W), as a model sees them. Blocks: call it off the event loop.

    A model whose data were black and white sees them so: `sample` draws each pixel with its grey value as the
    probability, from the request's seed, as its training did; `threshold` cuts at 1/2. A picture that is
    black and white already stays what it is either way.
    """
    if spec.binarisation == "sample":
        levels = draw(seed, "binarisation", spec.shape, rows=range(len(pixels)), prior="uniform")
        return (levels < pixels).astype(np.float32)
    if spec.binarisation == "threshold":
        return (pixels >= 0.5).astype(np.float32)
    return pixels


def read_mask(mask: ImageInput, spec: ImageSpec, budget: PixelBudget) -> Floats:
    """Decodes a mask: a grey picture of the model's size, white where pixels are given and black elsewhere.

    Returns:
        1 where pixels are given, else 0, (1, 1, H, W).

    Raises:
        PentimentoError: INVALID_ARGUMENT; also for grey values in between, and for masks of one colour.
    """
    grey = spec.model_copy(update={"channels": 1})
    pixels = read_image(mask, grey, "exact", budget)
    if not ((pixels == 0) | (pixels == 1)).all():
        raise invalid(mask.name, "must be black and white only, got grey values")
    _check_both(mask.name, pixels > 0, "white (given) and black (to draw)")
    return pixels[None]


def read_transparency(mask: ImageInput, spec: ImageSpec, budget: PixelBudget) -> Floats:
    """Decodes a mask as image editors have it: what is wholly transparent is drawn, all else is given.

    Returns:
        1 where pixels are given, else 0, (1, 1, H, W).

    Raises:
        PentimentoError: INVALID_ARGUMENT; also where all is transparent, or nothing.
    """
    given = decode_transparency(mask.data, spec, budget.each, name=mask.name, count=budget.count)
    _check_both(mask.name, given, "opaque (given) and transparent (to draw)")
    return given[None, None].astype(np.float32)


def _check_both(name: str, given: NDArray[np.bool_], kinds: str) -> None:
    if given.all() or not given.any():
        what = "nothing is left to draw" if given.all() else "nothing is given"
        raise invalid(name, f"must have both {kinds} pixels: {what}")
