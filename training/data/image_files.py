"""Reads image folders or archives through the reader that the server has, and says what it made of them."""

__all__ = ["ArrayPair", "ImageFiles", "read_image_files"]

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from pentimento.pictures.errors import Misfit, PictureError
from pentimento.pictures.formats import HEAD_BYTES, format_of
from pentimento.pictures.reading import Picture, read_picture
from pentimento.pictures.shaping import Fit, to_pixels
from pentimento.training.data.layout import Layout, lay_out
from pentimento.training.data.made import Made
from pentimento.training.data.tree import LeftOut, naming, walk

ArrayPair = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Images (N, C, H, W) and labels (N,)."""

_HELD_OUT = 10  # without test pictures, the first of every ten tests
_MAX_PIXELS = 100_000_000  # of a file; takes less than a gigabyte to read
_MAX_BYTES = 400_000_000  # of a file: as many pixels, not packed at all
_UNREADABLE = "pictures that cannot be read"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFiles:
    """The pictures of a folder or archive."""

    train: ArrayPair
    test: ArrayPair
    class_names: tuple[str, ...]  # in label order; one empty name where there are no classes
    formats: tuple[str, ...]  # of the files
    report: tuple[str, ...]  # what was found, and what was made of it: a line each


def read_image_files(source: Path, *, channels: int, image_size: int, fit: Fit) -> ImageFiles:
    """Reads an image folder or an archive: `train/<class>/*` (and `test/...`), `<class>/*`, or `*`.

    Which files are pictures is told by their first bytes; nothing else is read. What cannot be read is left
    out and counted. Where no picture is for testing, the first of every ten is.

    Args:
        source: The folder or archive.
        channels: 1 or 3.
        image_size: Side in pixels.
        fit: What is done to pictures of another size or kind.

    Raises:
        ValueError: There are no pictures, it cannot be told what the folders mean, or with `exact` one is of
            another size or kind.
        OSError: A file or folder cannot be opened.
    """
    left_out, made, pixels = LeftOut(), Made(), {}
    with naming(source):
        kinds = _find_pictures(source, left_out)
        if not kinds:
            empty = f"{source} holds no pictures; put them as train/<class>/*.png or <class>/*.png"
            raise ValueError("; ".join([empty, *left_out.lines()]))
        try:
            layout = lay_out(sorted(kinds), left_out)
        except ValueError as error:
            raise ValueError(f"in {source} {error}") from None
        for path, picture in _read(source, kinds, layout, left_out):
            try:
                square = to_pixels(picture, channels=channels, width=image_size, height=image_size, fit=fit)
            except Misfit as error:
                mended = f"--fit crop or --fit resize would {error.mended_by} it"
                raise ValueError(f"{path} in {source} {error}; {mended}") from None
            except PictureError as error:
                left_out.add(_UNREADABLE, f"{path} {error}")
                continue
            pixels[path] = square.transpose(2, 0, 1)  # (H, W, C) -> (C, H, W)
            made.count(picture, channels, image_size, fit)
    train, test, names = _arrange(pixels, layout)
    if not len(train[0]) or not len(test[0]):
        found = f"got {len(train[0])} and {len(test[0])}"
        few = f"{source} must have pictures to train on and to test with, {found}"
        raise ValueError("; ".join([few, *left_out.lines()]))
    notes = (
        [*layout.notes, f"the first of every {_HELD_OUT} pictures tests"]
        if layout.holds_out
        else layout.notes
    )
    report = (*made.lines(channels, image_size, fit), *notes, *left_out.lines())
    formats = tuple(sorted(made.formats))
    return ImageFiles(train=train, test=test, class_names=tuple(names), formats=formats, report=report)


def _find_pictures(source: Path, left_out: LeftOut) -> dict[PurePosixPath, str]:
    """The format of each picture, told by its first bytes."""
    kinds = {}
    for entry in walk(source, left_out):
        with entry.open() as stream:
            kind = format_of(stream.read(HEAD_BYTES), entry.path.suffix)
        if kind is None:
            left_out.add("files that are no pictures", entry.path)
        elif entry.size > _MAX_BYTES:
            left_out.add(
                _UNREADABLE,
                f"{entry.path} may have at most {_MAX_BYTES} bytes, got {entry.size}",
            )
        else:
            kinds[entry.path] = kind
    return kinds


def _read(
    source: Path, kinds: Mapping[PurePosixPath, str], layout: Layout, left_out: LeftOut
) -> Iterator[tuple[PurePosixPath, Picture]]:
    """Reads the pictures that are taken, one at a time."""
    for entry in walk(source, LeftOut()):
        if entry.path not in layout.places:
            continue
        with entry.open() as stream:
            data = stream.read()
        try:
            kind = kinds[entry.path]
            yield entry.path, read_picture(data, _MAX_PIXELS, formats=(kind,), wanted=f"a {kind} picture")
        except PictureError as error:
            left_out.add(_UNREADABLE, f"{entry.path} {error}")


def _arrange(
    pixels: Mapping[PurePosixPath, NDArray[np.uint8]], layout: Layout
) -> tuple[ArrayPair, ArrayPair, list[str]]:
    """The training and the test pictures, in the order of their paths, and the names of the classes."""
    paths = sorted(pixels)
    labels = [layout.places[path].label for path in paths]
    names = sorted(set(labels))
    testing = [layout.places[path].tests for path in paths]
    if layout.holds_out:
        trained = Counter(label for index, label in enumerate(labels) if index % _HELD_OUT)
        # A class keeps its only picture to train on.
        testing = [index % _HELD_OUT == 0 and trained[label] > 0 for index, label in enumerate(labels)]
    images = np.stack([pixels[path] for path in paths]) if paths else np.zeros((0, 0, 0, 0), dtype=np.uint8)
    numbers = np.array([names.index(label) for label in labels], dtype=np.int64)
    tests = np.array(testing, dtype=bool)
    return (images[~tests], numbers[~tests]), (images[tests], numbers[tests]), names
