"""The likelihood of images as a figure, in nats an image: lower is better."""

__all__ = ["LikelihoodEvaluation", "importance_figures", "random_images"]

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from pentimento.training.data.datasets import Split


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodEvaluation:
    """Means over images, in nats an image."""

    rows: int  # images
    binarisation: str  # how pixels became binary; see training.data.binarise
    exact: bool  # whether `nats` is the likelihood itself; else it is a bound
    nats: float  # minus the log-likelihood, or minus its lower bound
    standard_error: float  # of nats
    kl: list[float]  # KL of each level of the latent; empty for a model without


def random_images(split: Split, rows: int, seed: int) -> Split:
    """Images drawn without replacement, the same for a seed; all of them if there are no more.

    The first images of a data set need not be like the rest: those of MNIST's test set are easier.
    """
    if rows >= len(split.images):
        return split
    chosen = np.sort(np.random.default_rng(seed).choice(len(split.images), rows, replace=False))
    return Split(images=split.images[chosen], labels=split.labels[chosen])


def importance_figures(log_weights: Tensor, *, binarisation: str, seed: int) -> dict[str, Any]:
    """The importance-weighted bound and the plain one of the same images and latents, in nats an image.

    Args:
        log_weights: log p(x, z) - log q(z | x) for K latents z of each image, shape (K, B).
        binarisation: How pixels became binary, for the record.
        seed: By which images and latents were drawn, for the record.

    Returns:
        `nats`, minus the mean of log mean exp over the latents, which falls towards the truth as K grows;
        `elbo_nats`, minus the mean of all weights, is the bound with one latent; and how they were measured.
    """
    weights = log_weights.double()
    tight = math.log(len(weights)) - weights.logsumexp(0)
    return {
        "rows": weights.shape[1],
        "seed": seed,
        "binarisation": binarisation,
        "importance_samples": len(weights),
        "nats": round(tight.mean().item(), 4),
        "standard_error": round((tight.std() / math.sqrt(len(tight))).item(), 4),
        "elbo_nats": round(-weights.mean().item(), 4),
    }
