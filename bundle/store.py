"""Bundles on disk: write, read and verify, with a sentence for every way a folder can be wrong.

Whether the graphs themselves agree with the manifest can only be seen by loading them, which this package
does not do: the server's runtime checks the signatures, the exporter measures the parity.
"""

__all__ = [
    "MANIFEST",
    "Bundle",
    "BundleError",
    "graph_spec",
    "read_bundle",
    "read_manifest",
    "refuse_to_replace",
    "write_bundle",
]

import codecs
import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pentimento.bundle.manifest import SCHEMA_VERSION, GraphSpec, Manifest, TensorSpec, WeightsFile
from pentimento.bundle.wording import first_fault

MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 4 << 20
_MAX_FILE_BYTES = (2 << 30) - 1  # of a graph it is protobuf's own limit


class BundleError(Exception):
    """A folder is not a bundle; the message is one sentence for the person who made it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """A verified bundle: the graphs are exactly the bytes whose hashes were checked."""

    manifest: Manifest
    graphs: Mapping[str, bytes]  # ONNX file contents by graph name
    weights: Mapping[str, bytes] = field(default_factory=dict)  # contents of what graphs point at, by file


def graph_spec(
    file: str,
    data: bytes,
    *,
    inputs: Iterable[TensorSpec],
    outputs: Iterable[TensorSpec],
    weights: WeightsFile | None = None,
) -> GraphSpec:
    """Describes a graph for the manifest, with the checksum of its contents."""
    return GraphSpec(
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
        weights=weights,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
    )


def write_bundle(
    folder: Path,
    manifest: Manifest,
    graphs: Mapping[str, bytes],
    weights: Mapping[str, bytes] | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Writes a bundle whole or not at all; readers see the old or the new one, never a mixture.

    Args:
        folder: Where the bundle goes; its name must be the manifest's name.
        manifest: The manifest, its graph entries made by `graph_spec`.
        graphs: ONNX file contents by graph name.
        weights: Contents of the files that they point at, by file name.
        overwrite: Replace a bundle that is there.

    Raises:
        BundleError: The manifest does not describe these graphs, the folder has another name, or something is
            there that may not be replaced: a bundle without `overwrite`, or anything else.
    """
    if folder.name != manifest.name:
        raise BundleError(f"bundle {manifest.name!r} must lie in a folder of that name, not {folder.name!r}")
    if set(graphs) != set(manifest.graphs):
        raise BundleError(f"manifest lists graphs {sorted(manifest.graphs)}, given were {sorted(graphs)}")
    files: dict[str, bytes] = {}
    for name, spec in manifest.graphs.items():
        files[spec.file] = graphs[name]
        _check_hash(f"graph {name!r}: {spec.file}", spec.sha256, graphs[name])
        if spec.weights is not None:
            if spec.weights.file not in (weights or {}):
                raise BundleError(f"manifest lists weights {spec.weights.file}, which are not given")
            files[spec.weights.file] = (weights or {})[spec.weights.file]
            _check_hash(spec.weights.file, spec.weights.sha256, files[spec.weights.file])
    refuse_to_replace(folder, overwrite=overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for file, data in files.items():
            (staging / file).write_bytes(data)
        (staging / MANIFEST).write_text(manifest.model_dump_json(indent=2, exclude_none=True) + "\n")
        staging.chmod(0o755)
        if folder.exists():
            old = staging.with_name(staging.name + ".old")
            folder.rename(old)
            try:
                staging.rename(folder)
            except OSError:
                old.rename(folder)  # what was there is there again
                raise
            shutil.rmtree(old)
        else:
            staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def refuse_to_replace(folder: Path, *, overwrite: bool) -> None:
    """Raises a BundleError if a bundle may not be written to this folder.

    Args:
        folder: Where the bundle would go.
        overwrite: Whether a bundle that is there may be replaced; nothing else ever may.
    """
    if not folder.exists():
        return
    if not (folder / MANIFEST).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise BundleError(f"{folder} is there and is no bundle: it has no {MANIFEST}; choose another name")
    if not overwrite and (folder / MANIFEST).is_file():
        raise BundleError(f"there is a bundle {folder} already: add --overwrite, or choose another --name")


def read_manifest(folder: Path) -> Manifest:
    """Reads and checks `manifest.json` alone; the graphs are not looked at.

    Args:
        folder: The bundle.

    Raises:
        BundleError: The manifest is missing, malformed, or names another folder; one sentence says what.
    """
    raw = _read(folder, MANIFEST, _MAX_MANIFEST_BYTES).removeprefix(codecs.BOM_UTF8)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BundleError(f"{MANIFEST} must be JSON in UTF-8, got the byte order mark of UTF-16")
    try:
        content: Any = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{MANIFEST} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise BundleError(f"{MANIFEST} must hold an object, got {type(content).__name__}")
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise BundleError(f"{MANIFEST} has schema_version {version!r}; this program reads {SCHEMA_VERSION}")
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        where, what = first_fault(error, content)
        raise BundleError(f"{MANIFEST} is wrong{f' at {where}' if where else ''}: {what}") from None
    if manifest.name != folder.name:
        raise BundleError(f"{MANIFEST} names the bundle {manifest.name!r}, but its folder is {folder.name!r}")
    return manifest


def read_bundle(folder: Path) -> Bundle:
    """Reads a bundle with all its graphs and their weights, and compares every checksum.

    Args:
        folder: The bundle.

    Raises:
        BundleError: A file is missing or wrong; one sentence says what.
    """
    manifest = read_manifest(folder)
    graphs: dict[str, bytes] = {}
    weights: dict[str, bytes] = {}
    for name, spec in manifest.graphs.items():
        graphs[name] = _read(folder, spec.file, _MAX_FILE_BYTES)
        _check_hash(f"graph {name!r}: {spec.file}", spec.sha256, graphs[name])
        if spec.weights is not None and spec.weights.file not in weights:
            data = weights[spec.weights.file] = _read(folder, spec.weights.file, _MAX_FILE_BYTES)
            _check_hash(spec.weights.file, spec.weights.sha256, data)
    return Bundle(manifest=manifest, graphs=graphs, weights=weights)


def _check_hash(what: str, sha256: str, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    if digest != sha256:
        raise BundleError(f"{what} has SHA-256 {digest[:12]}…, the manifest says {sha256[:12]}…")


def _read(folder: Path, file: str, limit: int) -> bytes:
    # O_NOFOLLOW: a link inside a bundle could point at any file of the machine. O_NONBLOCK: opening a named
    # pipe would wait for a writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(folder / file, "rb", opener=lambda path, _: os.open(path, flags)) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BundleError(f"{file} is not a regular file")
            if status.st_size > limit:
                raise BundleError(f"{file} has {status.st_size} bytes; the limit is {limit}")
            return stream.read()
    except FileNotFoundError:
        raise BundleError(f"{file} is missing") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise BundleError(f"{file} is a symbolic link; a bundle holds its files itself") from None
        raise BundleError(f"{file} cannot be read: {error.strerror}") from None
