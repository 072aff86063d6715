"""Makes pixels black or white, by one rule for each data set.

A data set whose pixels are all black or white is *static*: a file fixed its binarisation, and it is taken as
it is. Any other is binarised *dynamically*: each pixel becomes 1 with the probability that is its grey level,
anew at every visit in training and from one seed for evaluation. A likelihood under one rule says nothing
about the other (dynamic figures come out one or two nats lower), so every figure names its rule.
"""

__all__ = ["Binarisation", "binarise", "binarise_for_evaluation", "find_binarisation"]

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pentimento.bundle.noise import draw

Binarisation = Literal["dynamic", "static", "none"]


def find_binarisation(images: NDArray[np.uint8], levels: int) -> Binarisation:
    """The rule for a data set.

    Args:
        images: All its training images.
        levels: Values that a pixel of the model can take; the rule is `none` unless there are 2.
    """
    if levels != 2:
        return "none"
    return "static" if bool(np.isin(images, (0, 255)).all()) else "dynamic"


def binarise(image: Tensor, rule: Binarisation) -> Tensor:
    """Makes training images binary, with pixels drawn by torch's random generator if the rule is dynamic.

    Args:
        image: In [0, 1].
        rule: Of the data set.
    """
    return torch.bernoulli(image) if rule == "dynamic" else image


def binarise_for_evaluation(image: Tensor, rule: Binarisation, seed: int, first_row: int) -> Tensor:
    """Makes images binary, the same way every time whatever the chunks; a server of the model does so too.

    Args:
        image: In [0, 1], shape (B, C, H, W).
        rule: Of the data set.
        seed: Of the evaluation.
        first_row: Index of the first image within the data set.
    """
    if rule != "dynamic":
        return image
    rows = range(first_row, first_row + len(image))
    noise = draw(seed, "binarisation", image.shape[1:], rows=rows, prior="uniform")
    return (torch.from_numpy(noise).to(image.device) < image).to(image.dtype)
