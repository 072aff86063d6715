"""Decodes given pictures for a model, and makes them black and white where the model's data were."""

__all__ = ["Fit", "read_images", "read_mask"]

from collections.abc import Sequence

import numpy as np

from pentimento.bundle.manifest import ImageSpec
from pentimento.bundle.noise import draw
from pentimento.service.errors import invalid
from pentimento.service.messages import Fit, Floats, ImageInput
from pentimento.service.operations.image_input import decode_image


def read_images(
    images: Sequence[ImageInput], spec: ImageSpec, fit: Fit, max_pixels: int, seed: int
) -> Floats:
    """Decodes pictures for a model. Blocks: call it off the event loop.

    A model whose data were black and white sees them so: `sample` draws each pixel with its grey value as the
    probability, from the request's seed, as its training did; `threshold` cuts at 1/2. A picture that is
    black and white already stays what it is either way.

    Args:
        images: Encoded pictures.
        spec: What the model takes.
        fit: Whether to scale and convert.
        max_pixels: Pixels that a file may have.
        seed: Seed of the request.

    Returns:
        In [0, 1], (n, C, H, W).
    """
    pixels = np.stack([decode_image(i.data, spec, fit, max_pixels, name=i.name) for i in images])
    if spec.binarisation == "sample":
        levels = draw(seed, "binarisation", spec.shape, rows=range(len(images)), prior="uniform")
        return (levels < pixels).astype(np.float32)
    if spec.binarisation == "threshold":
        return (pixels >= 0.5).astype(np.float32)
    return pixels


def read_mask(mask: ImageInput, spec: ImageSpec, max_pixels: int) -> Floats:
    """Decodes a mask: a grey picture of the model's size, white where pixels are given and black elsewhere.

    Returns:
        1 where pixels are given, else 0, (1, 1, H, W).

    Raises:
        PentimentoError: INVALID_ARGUMENT; also for grey values in between, and for masks of one colour.
    """
    grey = spec.model_copy(update={"channels": 1})
    pixels: Floats = decode_image(mask.data, grey, "exact", max_pixels, name=mask.name)
    if not ((pixels == 0) | (pixels == 1)).all():
        raise invalid(mask.name, "must be black and white only, got grey values")
    if pixels.all() or not pixels.any():
        what = "nothing is left to draw" if pixels.all() else "nothing is given"
        raise invalid(mask.name, f"must have both white (given) and black (to draw) pixels: {what}")
    return pixels[None]
