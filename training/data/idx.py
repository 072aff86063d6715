"""Reads and writes IDX, the file format of MNIST: a four-byte magic, big-endian sizes, then bytes."""

__all__ = ["IDX_FILES", "find_idx", "read_idx", "read_idx_pairs", "write_idx"]

import gzip
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def find_idx(folder: Path) -> dict[str, Path] | None:
    """The four files of a data set in a folder by their role, gzip-packed or not; None if one is missing."""
    found = {}
    for role, name in IDX_FILES.items():
        candidates = (folder / f"{name}.gz", folder / name)
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            return None
        found[role] = path
    return found


def read_idx(data: bytes, source: str) -> NDArray[np.uint8]:
    """Reads an IDX file of unsigned bytes.

    Args:
        data: The file's content, unpacked.
        source: Its name, for the error message.

    Raises:
        ValueError: It is not an IDX file of bytes, or is cut short.
    """
    if len(data) < 4 or data[:3] != b"\x00\x00\x08":
        raise ValueError(f"{source} is not an IDX file of bytes")
    rank = data[3]
    header = 4 + 4 * rank
    if len(data) < header:
        raise ValueError(f"{source} is cut short in its header")
    shape = struct.unpack(f">{rank}I", data[4:header])
    expected = int(np.prod(shape, dtype=np.int64))
    if len(data) - header != expected:
        raise ValueError(f"{source} holds {len(data) - header} bytes of data, its header says {expected}")
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape).copy()  # writable, for torch


def read_idx_pairs(
    paths: Mapping[str, Path],
) -> tuple[tuple[NDArray[np.uint8], NDArray[np.int64]], tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Reads the four files of a data set.

    Args:
        paths: As `find_idx` gives them.

    Returns:
        The train pair and the test pair: images (N, 1, H, W) and labels (N,).

    Raises:
        ValueError: One is damaged, or they do not belong together.
    """
    arrays = {}
    for role, path in paths.items():
        data = path.read_bytes()
        try:
            arrays[role] = read_idx(gzip.decompress(data) if path.suffix == ".gz" else data, path.name)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path} is cut or damaged: {error}") from None
    pairs = []
    for split in ("train", "test"):
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
            raise ValueError(f"the {split} files do not belong together: {images.shape} and {labels.shape}")
        pairs.append((images[:, None], labels.astype(np.int64)))
    return pairs[0], pairs[1]


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Writes an array as a gzip-packed IDX file, the same bytes every time."""
    header = b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), mtime=0))
