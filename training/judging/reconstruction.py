"""How near pictures are to what a model draws of their encodings."""

__all__ = ["compare_redrawn"]

from typing import Any

import torch
from torch import Tensor

from pentimento.training.judging.classifier import Classifier

_CHUNK_ROWS = 500


@torch.no_grad()
def compare_redrawn(
    images: Tensor, redrawn: Tensor, labels: Tensor, classifier: Classifier, seed: int
) -> dict[str, Any]:
    """Compares images with their reconstructions.

    Args:
        images: In [0, 1], shape (B, C, H, W), on the CPU.
        redrawn: What was drawn of their encodings, likewise.
        labels: Classes of the images, shape (B,).
        classifier: Classifier of the same data set, on the CPU.
        seed: Of the encoder's noise; it is only noted.

    Returns:
        `l2`, the mean Euclidean distance between an image and its reconstruction; `l2_random`, the same
        between an image and the reconstruction of another; `ratio` of the two, where 1 means no inversion;
        and `same_class`, the share of reconstructions that the classifier takes for the original's class.
    """
    own = (images - redrawn).flatten(1).norm(dim=1).mean().item()
    random = (images - redrawn.roll(1, 0)).flatten(1).norm(dim=1).mean().item()
    seen = torch.cat([classifier(part).argmax(1) for part in redrawn.split(_CHUNK_ROWS)])
    return {
        "rows": len(images),
        "seed": seed,
        "l2": round(own, 4),
        "l2_random": round(random, 4),
        "ratio": round(own / random, 4),
        "same_class": round((seen == labels.long()).float().mean().item(), 5),
    }
