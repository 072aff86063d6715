"""Data sets by name or path: found on this machine or downloaded with a checksum.

A named set is looked for in (a) the folder that the user names, (b) this package's cache, (c) known system
places; then (d) it is downloaded into the cache.
"""

__all__ = [
    "NAMES",
    "Dataset",
    "DatasetError",
    "Split",
    "cache_folder",
    "counted",
    "find_dataset",
    "load_dataset",
]

import gzip
import hashlib
import os
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pentimento.pictures.shaping import Fit
from pentimento.training.data.cifar import read_cifar_binary
from pentimento.training.data.idx import IDX_FILES, find_idx, read_idx_pairs
from pentimento.training.data.image_files import read_image_files
from pentimento.training.data.sources import CIFAR_CLASSES, CLOTHES, DIGITS, SOURCES, Source

Fetch = Callable[[str], bytes]


class DatasetError(Exception):
    """A data set cannot be found or read; the message is one sentence that says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """The images and labels of a training or test split."""

    images: NDArray[np.uint8]  # 0..255, (N, C, H, W)
    labels: NDArray[np.int64]  # index into the class names, (N,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """A data set in memory."""

    name: str
    class_names: tuple[str, ...]
    train: Split
    test: Split
    sha256: str  # of the training images and labels, as bytes
    note: str | None = None  # how a named set differs from what everybody has under that name
    report: tuple[str, ...] = ()  # what was found and what was made of it, a line each

    @property
    def class_shares(self) -> NDArray[np.float64]:
        """Share of each class in the training split, shape (classes,)."""
        return np.bincount(self.train.labels, minlength=len(self.class_names)) / len(self.train.labels)


NAMES = tuple(SOURCES)


def counted(number: int, one: str, several: str) -> str:
    """A number with its noun, such as `1 class` or `1,000 classes`."""
    return f"{number:,} {one if number == 1 else several}"


def cache_folder() -> Path:
    """Folder of what this package downloads or trains for itself.

    It is `PENTIMENTO_CACHE`, or else `pentimento` in the user's cache folder.

    Raises:
        DatasetError: A user without a home, as in some containers, has not said where.
    """
    if own := os.environ.get("PENTIMENTO_CACHE"):
        return Path(own)
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        raise DatasetError(
            "this user has no home to keep data sets and classifiers in: name a folder with PENTIMENTO_CACHE"
        ) from None
    return base / "pentimento"


def load_dataset(
    name: str,
    *,
    channels: int,
    image_size: int,
    fit: Fit = "crop",
    folder: Path | None = None,
    cache: Path | None = None,
    fetch: Fetch | None = None,
) -> Dataset:
    """Loads a data set, and downloads a named one that is not there.

    Args:
        name: One of `NAMES`, or the path of an image folder, of an archive of one, or of four IDX files.
        channels: 1 or 3, as the model wants.
        image_size: Side in pixels, as the model wants.
        fit: What is done to pictures of another size or kind, see `pictures.shaping`.
        folder: The user's folder of data sets; None for none.
        cache: Where downloads go; None means `cache_folder()`.
        fetch: Gets the bytes of an address; replaced in tests.

    Raises:
        DatasetError: It cannot be found, fetched or read, or has images of another shape.
        ValueError: There are no pictures of so many channels.
    """
    if not name:  # else it would be the folder that the program was started in
        raise DatasetError("this recipe has no data set of its own: name a folder of pictures with --dataset")
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels}")
    shape = (channels, image_size, image_size)
    try:
        if name not in SOURCES:
            return _from_path(name, Path(name).expanduser(), shape, fit, None)
        place = find_dataset(name, folder, cache)
        if place is None:
            target = (cache or cache_folder()) / "datasets"
            place = _fetch_into(name, SOURCES[name], target, fetch or _download)
        return _from_path(name, place, shape, fit, SOURCES[name].class_names)
    except (ValueError, EOFError, OSError) as error:
        sentence = str(error)
        named = name not in SOURCES and name in sentence
        raise DatasetError(sentence if named else f"data set {name!r} cannot be read: {sentence}") from error


def find_dataset(name: str, folder: Path | None = None, cache: Path | None = None) -> Path | None:
    """The file or folder of a named data set, or None if it is not on this machine.

    Args:
        name: One of `NAMES`.
        folder: As for `load_dataset`.
        cache: As for `load_dataset`.

    Raises:
        DatasetError: The user's folder does not exist.
    """
    source = SOURCES[name]
    if folder is not None and not folder.is_dir():
        raise DatasetError(f"the data folder {folder} does not exist")
    bases = [] if folder is None else [folder]
    with suppress(DatasetError):  # without a home, what lies elsewhere is found all the same
        bases.append((cache or cache_folder()) / "datasets")
    places = [base / part for base in bases for part in (*source.folders, *source.archives)]
    places += [Path(place) for place in source.system]
    return next((place for place in places if place.is_file() or _has_files(place)), None)


def _has_files(place: Path) -> bool:
    return place.is_dir() and any(place.iterdir())


def _fetch_into(name: str, source: Source, target: Path, fetch: Fetch) -> Path:
    wanted = [*source.md5]
    files = {}
    problem = ""
    cause: Exception | None = None
    for file in wanted:
        packed = file if file.endswith(".gz") else f"{file}.gz"
        for mirror in source.mirrors:
            try:
                data = fetch(f"{mirror}/{packed}")
                digest = hashlib.md5(data if file == packed else gzip.decompress(data)).hexdigest()
            except (OSError, EOFError) as error:
                problem, cause = f"{mirror} failed ({error})", error
                continue
            if digest == source.md5[file]:
                files[packed] = data
                break
            problem = f"{mirror}/{packed} has the wrong checksum"
        else:
            what = source.archives[0] if source.archives else f"{', '.join(f'{f}.gz' for f in wanted)}"
            where = "" if source.archives else f" into a folder {source.folders[0]}/"
            raise DatasetError(
                f"data set {name!r} is not here and could not be downloaded: {problem}; put {what}{where} "
                "below a folder of your choice and name that folder with --data or PENTIMENTO_DATA"
            ) from cause
    place = target if source.archives else target / source.folders[0]
    place.mkdir(parents=True, exist_ok=True)
    for packed, data in files.items():
        partial = place / f".{packed}.part"
        partial.write_bytes(data)
        partial.replace(place / packed)
    return place / wanted[0] if source.archives else place


def _download(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return bytes(answer.read())


def _name_of(place: Path) -> str:
    """What a user's data are called: as their folder, but never as a known data set, which they are not."""
    name = place.resolve().name if place.name in ("", "..") else place.name
    return f"{name}-folder" if name in SOURCES else name


def _from_path(
    name: str, place: Path, shape: tuple[int, int, int], fit: Fit, class_names: tuple[str, ...] | None
) -> Dataset:
    if not place.exists():
        raise DatasetError(f"{name!r} is neither a known data set ({', '.join(NAMES)}) nor an existing path")
    note: str | None = None
    report: tuple[str, ...] = ()
    names = class_names or ()
    cifar = read_cifar_binary(place) if class_names == CIFAR_CLASSES else None
    if place.is_dir() and (paths := find_idx(place)):
        train, test = read_idx_pairs(paths)
        names = names or tuple(str(label) for label in range(int(train[1].max(initial=0)) + 1))
    elif cifar is not None:
        train, test = cifar
    elif class_names in (DIGITS, CLOTHES):
        raise DatasetError(f"{place} must hold {', '.join(f'{file}.gz' for file in IDX_FILES.values())}")
    else:
        files = read_image_files(place, channels=shape[0], image_size=shape[1], fit=fit)
        train, test, names, report = files.train, files.test, files.class_names, files.report
        if name in SOURCES:
            note = f"{' and '.join(files.formats)} copy"
    for split, pair in (("training", train), ("test", test)):
        if not len(pair[0]):
            raise DatasetError(f"{place} has no {split} pictures; there must be some of both")
        if not 0 <= pair[1].min() <= pair[1].max() < len(names):
            labels = f"{split} labels of {pair[1].min()}..{pair[1].max()}"
            raise DatasetError(f"{place} has {labels}, but {counted(len(names), 'class', 'classes')}")
        if (found := pair[0].shape[1:]) != shape:
            raise DatasetError(f"data set {name!r} has images of shape {found}, but {shape} was asked for")
    digest = hashlib.sha256(np.ascontiguousarray(train[0]).tobytes())
    digest.update(train[1].astype("<i8").tobytes())
    return Dataset(
        name=name if name in SOURCES else _name_of(place),
        class_names=names,
        train=Split(images=train[0], labels=train[1]),
        test=Split(images=test[0], labels=test[1]),
        sha256=digest.hexdigest(),
        note=note,
        report=report,
    )
