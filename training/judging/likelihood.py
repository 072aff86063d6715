"""The likelihood of images as a figure, in nats an image: lower is better."""

__all__ = [
    "IMPORTANCE_SAMPLES",
    "LikelihoodEvaluation",
    "importance_curve",
    "importance_figures",
    "random_images",
]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from pentimento.training.data.datasets import Split
from pentimento.training.judging.intervals import normal_interval
from pentimento.training.judging.measurement import Measurement

IMPORTANCE_SAMPLES = (1, 50, 500)


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


def importance_curve(
    log_weights: Tensor, *, binarisation: str, space: str, samples: Sequence[int] = IMPORTANCE_SAMPLES
) -> list[Measurement]:
    """The importance-weighted bound with ever more latents, in nats an image (Burda et al., 2015, eq. 8).

        -log 1/N sum_i p(x, z_i) / q(z_i | x)        (arXiv:1509.00519)

    of each image, then the mean. It falls towards minus the log-likelihood as N grows. With fewer latents
    than there are, it is the mean over parts of them, so that a small N has no more chance in it than a
    large one.

    Args:
        log_weights: log p(x, z) - log q(z | x) for K latents z of each image, shape (K, B).
        binarisation: How pixels became binary, for the record.
        space: Hash of the model and of the data set.
        samples: Each N, 1..K.

    Returns:
        A figure for each N, with an interval for the choice of images.

    Raises:
        ValueError: There are fewer latents than some N, or fewer than two images.
    """
    weights = log_weights.double()
    latents, images = weights.shape
    if images < 2:
        raise ValueError(f"images must be at least 2, got {images}")
    if min(samples) < 1 or max(samples) > latents:
        raise ValueError(f"samples must be 1..{latents}, as many latents as there are, got {list(samples)}")
    curve = []
    for count in samples:
        parts = weights[: latents // count * count].unflatten(0, (-1, count))  # (K, B) -> (parts, N, B)
        nats = (math.log(count) - parts.logsumexp(1)).mean(0)
        found = normal_interval(nats.mean().item(), nats.std().item() / math.sqrt(images))
        curve.append(
            Measurement(
                measure="importance_nats",
                value=found.value,
                low=found.low,
                high=found.high,
                rows=images,
                data_rows=0,
                space=space,
                settings={"importance_samples": count, "binarisation": binarisation},
            )
        )
    return curve
