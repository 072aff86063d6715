"""Reads the original binary batches of CIFAR-10."""

__all__ = ["read_cifar_binary"]

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pentimento.training.data.image_files import ArrayPair
from pentimento.training.data.tree import LeftOut, naming, walk

_RECORD = 3073  # bytes: a label, then 32x32 pixels in three planes


def read_cifar_binary(source: Path) -> tuple[ArrayPair, ArrayPair] | None:
    """Reads the batches from a folder or archive.

    Returns:
        The train pair and the test pair, images of shape (N, 3, 32, 32); None if the batches are not there.

    Raises:
        ValueError: A batch is cut.
    """
    batches: dict[str, list[tuple[str, bytes]]] = {"data": [], "test": []}
    with naming(source):
        for entry in walk(source, LeftOut()):
            if entry.path.suffix == ".bin" and entry.path.name.startswith(("data_batch", "test_batch")):
                with entry.open() as stream:
                    batches[entry.path.name[:4]].append((str(entry.path), stream.read()))
    if not batches["data"] or not batches["test"]:
        return None
    return _pair(batches["data"]), _pair(batches["test"])


def _pair(files: list[tuple[str, bytes]]) -> ArrayPair:
    records: list[NDArray[np.uint8]] = []
    for name, data in sorted(files):
        if len(data) % _RECORD:
            raise ValueError(
                f"{name} has {len(data)} bytes, which is no multiple of {_RECORD}: it is cut or damaged"
            )
        records.append(np.frombuffer(data, dtype=np.uint8).reshape(-1, _RECORD))
    joined = np.concatenate(records)
    return joined[:, 1:].reshape(-1, 3, 32, 32), joined[:, 0].astype(np.int64)
