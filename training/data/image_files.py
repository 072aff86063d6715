"""Reads image folders or archives: `train/<class>/*.jpg` with or without `test`, `<class>/*.jpg`, `*.jpg`."""

__all__ = ["ArrayPair", "read_cifar_binary", "read_image_files", "walk_files"]

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

ArrayPair = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images (N, C, H, W) and labels (N,)."""

_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".webp": "WebP"}
_HELD_OUT = 10  # without a test folder, every tenth image tests


def walk_files(source: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yields every file of a folder or tar archive, as its path inside and its content, in a fixed order."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file():
                yield PurePosixPath(path.relative_to(source).as_posix()), path.read_bytes()
        return
    # Read in place, in memory: nothing is unpacked, so no member can be written anywhere.
    with tarfile.open(source) as archive:
        files = []
        for member in archive:
            if member.isfile():
                stream = archive.extractfile(member)
                assert stream is not None
                files.append((PurePosixPath(member.name.removeprefix("./")), stream.read()))
    yield from sorted(files)


def read_image_files(
    source: Path, *, channels: int, image_size: int
) -> tuple[ArrayPair, ArrayPair, tuple[str, ...], tuple[str, ...]]:
    """Reads an image folder or an archive of one.

    Images of another size are cropped to a centred square and resized. Where no image lies below a folder
    `test`, every tenth one becomes a test image.

    Returns:
        The train pair, the test pair, the class names in label order, and the images' file formats.

    Raises:
        ValueError: There is no image, or a file is not readable as one.
    """
    items: list[tuple[str, str, NDArray[np.uint8]]] = []  # split, class, pixels
    formats: set[str] = set()
    for path, data in walk_files(source):
        kind = _FORMATS.get(path.suffix.lower())
        if kind is None:
            continue
        formats.add(kind)
        parts = path.parts
        split = next((part for part in parts[:-1] if part in ("train", "test")), "")
        label = parts[-2] if len(parts) > 1 and parts[-2] != split else ""
        items.append((split, label, _pixels(data, str(path), channels, image_size)))
    if not items:
        raise ValueError(f"{source} holds no images; put them as train/<class>/*.png or <class>/*.png")
    names = tuple(sorted({label for _, label, _ in items}))
    has_split = any(split == "test" for split, _, _ in items)
    testing = np.array(
        [
            split == "test" if has_split else index % _HELD_OUT == 0
            for index, (split, _, _) in enumerate(items)
        ]
    )
    images = np.stack([pixels for _, _, pixels in items])
    labels = np.array([names.index(label) for _, label, _ in items], dtype=np.int64)
    pairs = (images[~testing], labels[~testing]), (images[testing], labels[testing])
    return *pairs, names, tuple(sorted(formats))


def _pixels(data: bytes, name: str, channels: int, image_size: int) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(data)) as opened:
            image = opened.convert("L" if channels == 1 else "RGB")
    except OSError as error:
        raise ValueError(f"{name} is not a readable image: {error}") from None
    if image.size != (image_size, image_size):
        image = ImageOps.fit(image, (image_size, image_size), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def read_cifar_binary(source: Path) -> tuple[ArrayPair, ArrayPair] | None:
    """Reads the original binary batches of CIFAR-10 from a folder or archive.

    Returns:
        The train pair and the test pair, images of shape (N, 3, 32, 32); None if the batches are not there.
    """
    batches: dict[str, list[NDArray[np.uint8]]] = {"data": [], "test": []}
    for path, data in walk_files(source):
        if path.suffix == ".bin" and path.name.startswith(("data_batch", "test_batch")):
            batches[path.name[:4]].append(np.frombuffer(data, dtype=np.uint8).reshape(-1, 3073))
    if not batches["data"] or not batches["test"]:
        return None
    pairs = []
    for records in (np.concatenate(batches["data"]), np.concatenate(batches["test"])):
        pairs.append((records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)))
    return pairs[0], pairs[1]
