"""Writes folders of small pictures, and says what a data set makes of them."""

from pentimento.training.data.datasets import load_dataset
from tests.pictures.makers import GREY, save


def write(folder, files):
    """Writes files: by path, bytes or a picture; None means a grey one of its own."""
    for number, (name, content) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            content = grey(number)
        path.write_bytes(content if isinstance(content, bytes) else save(content))
    return folder


def grey(level):
    """A picture of one level of grey."""
    from PIL import Image

    return Image.new("L", (28, 28), level % 256)


def many(*folders, count=4):
    """Pictures in each of these folders."""
    return {f"{folder}/{index}.png": None for folder in folders for index in range(count)}


def load(path, **options):
    """The data set of a folder or archive, grey and 28x28 unless said otherwise."""
    return load_dataset(str(path), **({"channels": 1, "image_size": 28} | options))


def counts(dataset):
    """How many pictures train and test."""
    return len(dataset.train.images), len(dataset.test.images)


__all__ = ["GREY", "counts", "grey", "load", "many", "write"]
