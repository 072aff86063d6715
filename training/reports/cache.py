"""Figures that were measured before, kept by all that they depend on.

A part of an evaluation is kept under a hash of the bundle's manifest, which has the checksums of its graphs
and weights, of the data set's images, of the part's own settings, and of what measured it: the sources of
this package that do, and the versions of the libraries. So what is found is what would be measured again,
and an evaluation that was interrupted goes on where it was.
"""

__all__ = ["FigureCache", "what_decides"]

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pentimento import bundle as contract
from pentimento.bundle.store import Bundle
from pentimento.training.data.datasets import Dataset
from pentimento.training.judging.classifier import hash_of_images

_LIBRARIES = ("numpy", "onnxruntime", "pillow", "scikit-learn", "scipy", "torch")
_WINGS = ("data", "export", "judging", "reports")  # of the training, whose sources measure
_SHOW_ONLY = ("charts.py", "files.py", "lines.py", "page.py")  # of the last one

Figures = dict[str, Any]
"""What JSON can hold, by name."""


class FigureCache:
    """Parts of evaluations in a folder, a file each."""

    def __init__(self, folder: Path | None, decides: Mapping[str, object], *, fresh: bool = False) -> None:
        """Looks for nothing yet.

        Args:
            folder: Where parts are kept; None: nowhere.
            decides: What all parts depend on, from `what_decides`.
            fresh: Measure everything, and replace what is kept.
        """
        self._folder, self._decides, self._fresh = folder, dict(decides), fresh

    def get(self, part: str, settings: Mapping[str, object], measure: Callable[[], Figures]) -> Figures:
        """A part as it was kept; else it is measured, and kept.

        Args:
            part: Its name.
            settings: What it depends on, beside what all parts do.
            measure: Gives what JSON can hold.
        """
        if self._folder is None:
            return _plain(measure())
        key = json.dumps([self._decides, part, dict(settings)], sort_keys=True)
        file = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
        kept = None if self._fresh else _kept(file)
        if kept is not None:
            return kept
        measured = _plain(measure())
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.part")  # whole or not at all
        partial.write_text(json.dumps(measured), encoding="utf-8")
        partial.replace(file)
        return measured


def what_decides(bundle: Bundle, dataset: Dataset) -> dict[str, str]:
    """What every figure depends on: hashes of bundle, data and code, and versions of libraries."""
    return {
        "bundle": hash_of_manifest(bundle),
        "data": hash_of_images(dataset),
        "classes": json.dumps(dataset.class_names),
        "code": _hash_of_sources(),
        **{name: version(name) for name in _LIBRARIES if _installed(name)},
    }


def hash_of_manifest(bundle: Bundle) -> str:
    """Of all that a bundle is: its manifest holds the checksums of its files, which were compared."""
    return hashlib.sha256(bundle.manifest.model_dump_json().encode()).hexdigest()


@cache
def _hash_of_sources() -> str:
    training = Path(__file__).parents[1]
    folders = [*(training / wing for wing in _WINGS), Path(next(iter(contract.__path__)))]
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(folder.glob("*.py")):
            if file.parent == Path(__file__).parent and file.name in _SHOW_ONLY:
                continue
            digest.update(f"{folder.name}/{file.name}".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _installed(name: str) -> bool:
    try:
        version(name)
    except ModuleNotFoundError:  # a build of ONNX Runtime for GPUs has another name
        return False
    return True


def _plain(measured: Figures) -> Figures:
    """As it will be read again: tuples become lists."""
    return dict(json.loads(json.dumps(measured)))


def _kept(file: Path) -> Figures | None:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None
