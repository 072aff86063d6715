"""Likelihood of test images under an exported bundle, from its `likelihood` graph, without a server."""

__all__ = [
    "ESTIMATED_ROWS",
    "bundle_estimate",
    "bundle_importance",
    "bundle_importance_curve",
    "bundle_likelihood",
    "bundle_log_weights",
    "estimate_figures",
]

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.noise import draw
from pentimento.bundle.store import Bundle
from pentimento.training.data.binarise import Binarisation, binarise_for_evaluation
from pentimento.training.data.datasets import Dataset
from pentimento.training.export.encodings import hash_of_bundle
from pentimento.training.export.parity import Session
from pentimento.training.judging.likelihood import (
    IMPORTANCE_SAMPLES,
    LikelihoodEvaluation,
    importance_curve,
    importance_figures,
    random_images,
)
from pentimento.training.judging.measurement import Measurement

ESTIMATED_ROWS = 100  # test images whose likelihood is estimated: it asks a network a hundred times and more
_CHUNK_ROWS = 250
_ESTIMATE_CHUNK = 25


def bundle_likelihood(bundle: Bundle, dataset: Dataset, *, rows: int, seed: int) -> LikelihoodEvaluation:
    """Minus the mean log-likelihood of test images in nats, or its bound with one sample for each image.

    The sample's KL is drawn, not worked out as in training, so a bound's mean differs from the training's by
    chance, far less than the standard error says.

    Args:
        bundle: A bundle with a likelihood; a class-conditional one is told the images' labels.
        dataset: Its test images are asked about.
        rows: Images from the start of the test split.
        seed: Of the binarisation and of the latents.

    Raises:
        ValueError: The bundle has no likelihood.
    """
    manifest = bundle.manifest
    if manifest.likelihood is None:
        raise ValueError(f"bundle {manifest.name!r} has no likelihood")
    rule = _rule(manifest, dataset)
    session = Session(bundle.graphs["likelihood"], bundle.weights)
    latents = {node.name: node.shape[1:] for node in session.inputs if node.name not in ("image", "label")}
    images = dataset.test.images[:rows]
    nats = []
    for start in range(0, len(images), _CHUNK_ROWS):
        grey = torch.from_numpy(images[start : start + _CHUNK_ROWS]).float() / 255
        chunk = range(start, start + len(grey))
        feeds = {name: draw(seed, name, tuple(shape), rows=chunk) for name, shape in latents.items()}
        feeds["label"] = dataset.test.labels[start : start + len(grey)].astype(np.int64)
        feeds["image"] = binarise_for_evaluation(grey, rule, seed, start).numpy()
        nats.append(-session.run(feeds)["log_likelihood"])
    values = np.concatenate(nats).astype(np.float64)
    return LikelihoodEvaluation(
        rows=len(values),
        binarisation=rule,
        exact=manifest.likelihood.kind == "exact",
        nats=round(float(values.mean()), 4),
        standard_error=round(float(values.std() / math.sqrt(len(values))), 4),
        kl=[],
    )


def bundle_importance(
    bundle: Bundle, dataset: Dataset, *, rows: int, samples: int, seed: int
) -> dict[str, Any]:
    """The importance-weighted bound of random test images, and the plain bound of the same.

    Args:
        bundle: A bundle with a bound on the likelihood.
        dataset: Its test images are asked about.
        rows: How many of them.
        samples: Latents for each image.
        seed: Of the choice of images, of the binarisation and of the latents.

    Raises:
        ValueError: The bundle has no bound.
    """
    weights, rule = bundle_log_weights(bundle, dataset, rows=rows, samples=samples, seed=seed)
    return importance_figures(weights, binarisation=rule, seed=seed)


def bundle_importance_curve(
    bundle: Bundle,
    dataset: Dataset,
    *,
    rows: int,
    seed: int,
    samples: Sequence[int] = IMPORTANCE_SAMPLES,
) -> list[Measurement]:
    """The importance-weighted bound of random test images with ever more latents; see `importance_curve`.

    Args:
        bundle: A bundle with a bound on the likelihood.
        dataset: Its test images are asked about.
        rows: How many of them.
        seed: Of the choice of images, of the binarisation and of the latents.
        samples: Each number of latents.

    Raises:
        ValueError: The bundle has no bound.
    """
    weights, rule = bundle_log_weights(bundle, dataset, rows=rows, samples=max(samples), seed=seed)
    space = hash_of_bundle(bundle, dataset)
    return importance_curve(weights, binarisation=rule, space=space, samples=samples)


def bundle_log_weights(
    bundle: Bundle, dataset: Dataset, *, rows: int, samples: int, seed: int
) -> tuple[torch.Tensor, Binarisation]:
    """The weights log p(x, z) - log q(z | x), shape (samples, rows), and how images became binary.

    Args:
        bundle: As for `bundle_importance`, like the others.
        dataset: Likewise.
        rows: Likewise.
        samples: Likewise.
        seed: Likewise.

    Raises:
        ValueError: The bundle has no bound.
    """
    manifest = bundle.manifest
    if manifest.likelihood is None or manifest.likelihood.kind != "bound":
        raise ValueError(f"bundle {manifest.name!r} has no bound that more latents could tighten")
    rule, session = _rule(manifest, dataset), Session(bundle.graphs["likelihood"], bundle.weights)
    (latent,) = (node for node in session.inputs if node.name not in ("image", "label"))
    images = random_images(dataset.test, rows, seed).images
    weights = []
    for start in range(0, len(images), _CHUNK_ROWS):
        grey = torch.from_numpy(images[start : start + _CHUNK_ROWS]).float() / 255
        image = binarise_for_evaluation(grey, rule, seed, start).numpy()
        shape = (samples, *latent.shape[1:])
        eps = draw(seed, "importance", shape, rows=range(start, start + len(grey)))  # (B, K, Z)
        each = [
            session.run({"image": image, latent.name: eps[:, k]})["log_likelihood"] for k in range(samples)
        ]
        weights.append(torch.from_numpy(np.stack(each)))  # (K, B)
    return torch.cat(weights, dim=1), rule


def bundle_estimate(bundle: Bundle, dataset: Dataset, *, rows: int, seed: int) -> dict[str, Any]:
    """The figures of `estimate_figures` from a bundle's graph.

    Raises:
        ValueError: The bundle's likelihood is no estimate.
    """
    manifest = bundle.manifest
    if manifest.likelihood is None or manifest.likelihood.kind != "estimate":
        raise ValueError(f"bundle {manifest.name!r} has no likelihood that is an estimate")
    session = Session(bundle.graphs["likelihood"], bundle.weights)
    eps = manifest.graphs["likelihood"].input("eps")
    assert eps is not None
    return estimate_figures(session.run, eps.shape, dataset, rows=rows, seed=seed)


def estimate_figures(
    run: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]],
    eps_shape: tuple[int, ...],
    dataset: Dataset,
    *,
    rows: int,
    seed: int,
) -> dict[str, Any]:
    """Minus the mean of one estimate for each of some random test images.

    Args:
        run: Calls a `likelihood` graph; it may be given more than it takes.
        eps_shape: Of its noise, without the batch.
        dataset: Its test images are asked about, with their labels.
        rows: How many of them.
        seed: Of the choice of images and of the noise.

    Returns:
        `nats` and `standard_error`, which has both the images' and the estimates' spread, in nats an image,
        `bits_per_dim`, and `rows` and `seed` for the record.
    """
    chosen = random_images(dataset.test, rows, seed)
    images = chosen.images.astype(np.float32) / 255
    nats = []
    for start in range(0, len(images), _ESTIMATE_CHUNK):
        chunk = slice(start, min(start + _ESTIMATE_CHUNK, len(images)))
        feeds = {
            "image": images[chunk],
            "label": chosen.labels[chunk].astype(np.int64),
            "eps": draw(seed, "eps", eps_shape, rows=range(chunk.start, chunk.stop)),
        }
        nats.append(-run(feeds)["log_likelihood"])
    values = np.concatenate(nats).astype(np.float64)
    return {
        "rows": len(values),
        "seed": seed,
        "nats": round(float(values.mean()), 2),
        "standard_error": round(float(values.std(ddof=1) / math.sqrt(len(values))), 2),
        "bits_per_dim": round(float(values.mean() / math.log(2) / images[0].size), 4),
    }


def _rule(manifest: Manifest, dataset: Dataset) -> Binarisation:
    """How the test images become binary for this bundle; images that are already binary stay as they are."""
    if manifest.image.levels != 2:
        return "none"
    binary = bool(np.isin(dataset.test.images, (0, 255)).all())
    return "static" if binary else "dynamic"
