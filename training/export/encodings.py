"""Encodings of images by an exported bundle, and whether classes lie apart in them, without a server."""

__all__ = ["bundle_latent_neighbours", "encoded_by", "hash_of_bundle"]

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from pentimento.bundle.noise import draw
from pentimento.bundle.store import Bundle
from pentimento.training.data.binarise import binarise_for_evaluation, find_binarisation
from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.export.parity import Session
from pentimento.training.judging.classifier import hash_of_images
from pentimento.training.judging.latent_neighbours import latent_neighbour_error
from pentimento.training.judging.measurement import Measurement

_CHUNK_ROWS = 250


def hash_of_bundle(bundle: Bundle, dataset: Dataset) -> str:
    """Sixteen hex digits of a bundle's graphs and weights, and of a data set's images."""
    digest = hashlib.sha256(hash_of_images(dataset).encode())
    for files in (bundle.graphs, bundle.weights):
        for name in sorted(files):
            digest.update(name.encode())
            digest.update(hashlib.sha256(files[name]).digest())
    return digest.hexdigest()[:16]


def bundle_latent_neighbours(bundle: Bundle, dataset: Dataset, *, seed: int) -> Measurement:
    """The error of telling test images' classes by the encodings' neighbours among all training images.

    Args:
        bundle: A bundle that encodes to the mean of a latent.
        dataset: Its training images are the neighbours.
        seed: Of the binarisation.

    Raises:
        ValueError: The bundle encodes to no mean.
    """
    return latent_neighbour_error(
        encoded_by(bundle, dataset.train, dataset, seed=seed),
        dataset.train.labels,
        encoded_by(bundle, dataset.test, dataset, seed=seed),
        dataset.test.labels,
        space=hash_of_bundle(bundle, dataset),
    )


def encoded_by(bundle: Bundle, split: Split, dataset: Dataset, *, seed: int) -> NDArray[np.float32]:
    """Means of a bundle's encodings of all images of a split of a data set, shape (N, Z).

    Raises:
        ValueError: The bundle encodes to no mean.
    """
    manifest = bundle.manifest
    spec = manifest.graphs.get("encode")
    if spec is None or all(output.name != "mean" for output in spec.outputs):
        raise ValueError(f"bundle {manifest.name!r} does not encode to the mean of a latent")
    session = Session(bundle.graphs["encode"], bundle.weights)
    rule = find_binarisation(dataset.train.images, manifest.image.levels)
    means = []
    for start in range(0, len(split.images), _CHUNK_ROWS):
        chunk = slice(start, min(start + _CHUNK_ROWS, len(split.images)))
        grey = torch.from_numpy(split.images[chunk]).float() / 255
        feeds = {
            node.name: draw(seed, node.name, tuple(node.shape[1:]), rows=range(chunk.start, chunk.stop))
            for node in session.inputs
            if node.name not in ("image", "label")
        }
        feeds["label"] = split.labels[chunk].astype(np.int64)
        feeds["image"] = binarise_for_evaluation(grey, rule, seed, start).numpy()
        means.append(session.run(feeds)["mean"])
    return np.concatenate(means)
