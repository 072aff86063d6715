"""Takes only some of a data set's training images, to see what a model makes of few."""

__all__ = ["take_rows"]

from dataclasses import replace

import torch

from pentimento.training.data.datasets import Dataset, Split

_SEED = 1000


def take_rows(dataset: Dataset, rows: int) -> Dataset:
    """The data set with `rows` of its training images, chosen at random but always the same ones.

    The test images and the checksum are those of the whole data set.
    """
    count = len(dataset.train.images)
    if rows >= count:
        return dataset
    # In disorder, because the images of a folder come class by class.
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(_SEED))[:rows].numpy()
    return replace(
        dataset, train=Split(images=dataset.train.images[chosen], labels=dataset.train.labels[chosen])
    )
