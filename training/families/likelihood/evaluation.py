"""Figures of a likelihood model: bound, KL, importance samples, neighbours among the encodings.

Likelihoods are in nats an image, lower is better for `nats`; every one names how pixels became binary.
"""

__all__ = [
    "encoded_means",
    "evaluate_likelihood",
    "image_nats",
    "importance_nats",
    "neighbour_error",
]

import math
from typing import Any

import torch
from torch import Tensor

from pentimento.bundle.noise import draw
from pentimento.models.pixels.base import AutoregressiveModel
from pentimento.models.shared.latent_model import LatentModel
from pentimento.training.data.binarise import Binarisation, binarise_for_evaluation
from pentimento.training.data.datasets import Split
from pentimento.training.families.likelihood.config import LikelihoodModel, class_condition
from pentimento.training.judging.latent_neighbours import LATENT_NEIGHBOURS, share_of_wrong_classes
from pentimento.training.judging.likelihood import LikelihoodEvaluation, importance_figures, random_images

_CHUNK_ROWS = 250


def _chunks(split: Split, rows: int, rule: Binarisation, seed: int) -> list[tuple[int, Tensor]]:
    images = split.images[:rows]
    chunks = []
    for start in range(0, len(images), _CHUNK_ROWS):
        grey = torch.from_numpy(images[start : start + _CHUNK_ROWS]).float() / 255
        chunks.append((start, binarise_for_evaluation(grey, rule, seed, start)))
    return chunks


@torch.no_grad()
def evaluate_likelihood(
    model: LikelihoodModel, split: Split, *, rows: int, rule: Binarisation, seed: int
) -> LikelihoodEvaluation:
    """Minus the mean log-likelihood of images in nats, or minus its bound with one latent for each image.

    Args:
        model: In inference mode.
        split: Images and labels.
        rows: Images from the start of the split.
        rule: How pixels become binary.
        seed: Of the binarisation and of the latents.
    """
    values, kl = image_nats(model, split, rows=rows, rule=rule, seed=seed)
    return LikelihoodEvaluation(
        rows=len(values),
        binarisation=rule,
        exact=isinstance(model, AutoregressiveModel),
        nats=round(values.mean().item(), 4),
        standard_error=round((values.std() / math.sqrt(len(values))).item(), 4),
        kl=[round(value, 4) for value in kl.mean(0).tolist()],
    )


@torch.no_grad()
def image_nats(
    model: LikelihoodModel, split: Split, *, rows: int, rule: Binarisation, seed: int
) -> tuple[Tensor, Tensor]:
    """What `evaluate_likelihood` takes the means of, image by image.

    Args:
        model: As there, like the others.
        split: Likewise.
        rows: Likewise.
        rule: Likewise.
        seed: Likewise.

    Returns:
        Nats, shape (rows,), and the KL of each level of the latent, (rows, levels), no level for a model
        without; both in double, where the model is.
    """
    device = next(model.parameters()).device
    nats, kl = [], []
    for start, chunk in _chunks(split, rows, rule, seed):
        image = chunk.to(device)
        if isinstance(model, AutoregressiveModel):
            label = torch.from_numpy(split.labels[start : start + len(image)]).long().to(device)
            nats.append(-model.log_likelihood(image, class_condition(model, label)))
            continue
        eps = draw(seed, "eps", (model.latent_dim,), rows=range(start, start + len(image)))
        bound = model.bound(image, torch.from_numpy(eps).to(device))
        nats.append(-bound.total)
        kl.append(bound.kl)
    values = torch.cat(nats).double()
    return values, torch.cat(kl).double() if kl else values.new_zeros(len(values), 0)


@torch.no_grad()
def importance_nats(
    model: LatentModel, split: Split, *, rows: int, samples: int, rule: Binarisation, seed: int
) -> dict[str, Any]:
    """The importance-weighted and the plain bound of random images; see `importance_figures`.

    Args:
        model: In inference mode.
        split: Its images are asked about.
        rows: How many of them.
        samples: Latents for each image.
        rule: How pixels become binary.
        seed: Of the choice of images, of the binarisation and of the latents.
    """
    device = next(model.parameters()).device
    weights = []
    for start, chunk in _chunks(random_images(split, rows, seed), rows, rule, seed):
        image = chunk.to(device)
        shape = (samples, model.latent_dim)
        eps = draw(seed, "importance", shape, rows=range(start, start + len(image)))  # (B, K, Z)
        each = torch.from_numpy(eps).to(device)
        weights.append(torch.stack([model.log_weight(image, e) for e in each.unbind(1)]).cpu())  # (K, B)
    return importance_figures(torch.cat(weights, dim=1), binarisation=rule, seed=seed)


@torch.no_grad()
def encoded_means(model: LatentModel, split: Split, *, rows: int, rule: Binarisation, seed: int) -> Tensor:
    """Means of the posterior over the latent, for the first `rows` images: shape (rows, Z), on the CPU.

    Where the latent is drawn in steps, each step's mean is given the means of the steps before it.
    """
    device = next(model.parameters()).device

    def means(image: Tensor) -> Tensor:
        return model.posterior(image, torch.zeros(len(image), model.latent_dim, device=device))[0]

    return torch.cat([means(image.to(device)).cpu() for _, image in _chunks(split, rows, rule, seed)])


def neighbour_error(
    model: LatentModel, train: Split, test: Split, *, rule: Binarisation, seed: int, train_rows: int = 60_000
) -> dict[str, Any]:
    """Error of classifying test images by their nearest training images, by distance of posterior means.

    Returns:
        The share `error`, in 0..1, the number of `neighbours`, and the number of test images, `rows`.
    """
    known = encoded_means(model, train, rows=train_rows, rule=rule, seed=seed).numpy()
    asked = encoded_means(model, test, rows=len(test.images), rule=rule, seed=seed).numpy()
    votes = min(LATENT_NEIGHBOURS, len(known))
    error = share_of_wrong_classes(known, train.labels[: len(known)], asked, test.labels[: len(asked)])
    return {"neighbours": votes, "error": round(error, 5), "rows": len(asked)}
