"""Walks a folder, a tar or a zip archive: every file by its path inside, opened only by who wants it."""

__all__ = ["Entry", "LeftOut", "naming", "walk"]

import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from pentimento.pictures.formats import HEAD_BYTES, format_of

_SHOWN = 3  # names in a line; the rest is counted
_LEFT_BEHIND = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin")
_TAR_BLOCK = 512
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")  # gzip, bzip2, xz


class LeftOut:
    """What is not taken, by reason, and the first names of each."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def add(self, reason: str, name: object) -> None:
        """Counts one; the name may be a whole sentence that begins with it."""
        self._names.setdefault(reason, []).append(str(name))

    def lines(self) -> tuple[str, ...]:
        """A line a reason."""
        lines = []
        for reason, names in self._names.items():
            more = ", ..." if len(names) > _SHOWN else ""
            lines.append(f"left out: {reason} ({len(names)}): {', '.join(names[:_SHOWN])}{more}")
        return tuple(lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file of a tree."""

    path: PurePosixPath  # inside the folder or archive
    size: int  # bytes
    open: Callable[[], IO[bytes]]


def walk(source: Path, left_out: LeftOut) -> Iterator[Entry]:
    """Yields every file; links are followed, and what systems leave behind is skipped.

    Nothing of an archive is unpacked, so no member can be written anywhere. Read an entry before the next one
    is asked for, and inside `naming(source)`.

    Args:
        source: A folder, a tar archive, packed or not, or a zip archive.
        left_out: Told of what is skipped.

    Raises:
        ValueError: It is none of these.
        OSError: A folder cannot be listed.
    """
    if source.is_dir():
        entries = _walk_folder(source, PurePosixPath(), (), left_out)
    else:
        with source.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        if not head:
            raise ValueError(f"{source} is an empty file")
        if (kind := format_of(head, source.suffix)) is not None:
            raise ValueError(
                f"{source} is a single picture ({kind}); "
                "a data set is a folder, or a tar or zip archive, of many"
            )
        entries = _walk_zip(source) if head.startswith(b"PK") else _walk_tar(source, head, left_out)
    for entry in entries:
        if any(part.startswith(".") or part.lower() in _LEFT_BEHIND for part in entry.path.parts):
            left_out.add("hidden, or left behind by a system", entry.path)
        else:
            yield entry


@contextmanager
def naming(source: Path) -> Iterator[None]:
    """Names the archive where its bytes are found to be damaged.

    Raises:
        ValueError: They are.
    """
    try:
        yield
    except (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise ValueError(f"{source} is a cut or damaged archive: {error}") from None
    except NotImplementedError as error:  # a zip may be packed in ways that Python does not know
        raise ValueError(f"{source} is packed in a way that is not read here: {error}") from None
    except OSError as error:
        if source.is_dir() or error.filename is not None:
            raise
        raise ValueError(f"{source} is a cut or damaged archive: {error}") from None


def _walk_folder(
    folder: Path, inside: PurePosixPath, above: tuple[tuple[int, int], ...], left_out: LeftOut
) -> Iterator[Entry]:
    """Goes through `folder`, which lies at `inside`; links may lead back to one of the folders `above` it."""
    here = os.stat(folder)
    above = (*above, (here.st_dev, here.st_ino))
    for name in sorted(os.listdir(folder)):
        path, below = folder / name, inside / name
        try:
            found = os.stat(path)
        except FileNotFoundError:
            left_out.add("links that lead nowhere", below)
            continue
        if stat.S_ISDIR(found.st_mode):
            if name.startswith(".") or name.lower() in _LEFT_BEHIND:
                left_out.add("hidden, or left behind by a system", f"{below}/")
            elif (found.st_dev, found.st_ino) in above:
                left_out.add("links that lead back to where they lie", below)
            else:
                yield from _walk_folder(path, below, above, left_out)
        elif stat.S_ISREG(found.st_mode):
            yield Entry(path=below, size=found.st_size, open=partial(_open, path))
        else:  # a pipe would wait for ever
            left_out.add("pipes or devices", below)


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _walk_tar(source: Path, head: bytes, left_out: LeftOut) -> Iterator[Entry]:
    try:
        archive = tarfile.open(source)
    except tarfile.ReadError:
        if head.startswith(_PACKED):
            raise ValueError(f"{source} is a cut or damaged archive, or packed without one") from None
        raise ValueError(
            f"{source} is neither a folder nor a tar or zip archive; a data set is one of these, "
            "with pictures in it, or a folder of four IDX files"
        ) from None
    with archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if member.isfile() or member.islnk():
                yield Entry(path=path, size=member.size, open=partial(_extract, archive, member))
            elif not member.isdir():
                left_out.add("links or devices in an archive", path)
        # Zeros end an archive. Where they are missing, tarfile believes that it has read all.
        assert archive.fileobj is not None
        if archive.fileobj.tell() < archive.offset + _TAR_BLOCK:  # not just read, or not there
            archive.fileobj.seek(archive.offset)
            if len(archive.fileobj.read(_TAR_BLOCK)) == _TAR_BLOCK:
                return
            raise tarfile.ReadError("it has no end")


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    try:
        stream = archive.extractfile(member)
    except KeyError:
        raise tarfile.ReadError(f"{member.name} is a link to a file that is not in it") from None
    assert stream is not None
    return stream


def _walk_zip(source: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                raise ValueError(f"{source} is encrypted: {member.filename}")
            # Some programs of Windows write their own separator.
            name = member.filename if "/" in member.filename else member.filename.replace("\\", "/")
            yield Entry(path=PurePosixPath(name), size=member.file_size, open=partial(archive.open, member))
