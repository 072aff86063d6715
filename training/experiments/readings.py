"""What the scorers of bundles say of pictures: of test and training images, and of each other's drawings.

A reading is the logits of one scorer on one set of pictures. In a folder it is kept under a key made of all
that it depends on: the graphs of both bundles, the images, how many, the seed. So a study that was killed
goes on, and one with another bundle makes the readings of that bundle only.
"""

__all__ = ["TEST", "TRAINING", "ReadingPlan", "Readings", "identity", "read_pictures"]

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.store import Bundle
from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.export.canvases import asked_labels, draw_canvases
from pentimento.training.export.scoring import PictureScorer, reason_against

TEST, TRAINING = "test images", "training images"  # no bundle has such a name: there is a space in it
_LAYOUT = 1  # of the keys: another one forgets all that was kept
_DECIDES = {"image", "graphs", "drawing", "scorer", "labels"}  # fields that a bundle's readings depend on

Logits = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingPlan:
    """How many pictures of each kind are read.

    Attributes:
        rows: Drawings of each bundle, and test and training images.
        seed: Of the drawings; each bundle draws in its default number of steps.
    """

    rows: int
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Readings:
    """What was said, and why what was not said was not.

    Attributes:
        logits: Name of the judge, and name of a bundle that drew, or `TEST` or `TRAINING` -> logits, (rows,).
        reasons: The same pairs, where the judge has no error rate on the pictures -> a sentence.
    """

    logits: Mapping[tuple[str, str], Logits]
    reasons: Mapping[tuple[str, str], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pictures:
    """A set of pictures that may have to be drawn first."""

    name: str
    words: str
    identity: str
    class_names: tuple[str, ...] | None
    load: Callable[[], tuple[NDArray[np.float32], NDArray[np.int64]]]  # (N, C, H, W) in [0, 1], and (N,)


def identity(bundle: Bundle) -> str:
    """A hash of all that decides what a bundle draws and says: its graphs and how they are called."""
    return hashlib.sha256(bundle.manifest.model_dump_json(include=_DECIDES).encode()).hexdigest()


def read_pictures(
    bundles: Sequence[Bundle],
    dataset: Dataset,
    plan: ReadingPlan,
    *,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Readings:
    """Asks every scorer about every set of pictures.

    Args:
        bundles: All draw images of one shape, that of the data set; their names differ.
        dataset: Its first test and training images are read.
        plan: How many.
        folder: Where readings are kept and looked for; None: nowhere.
        progress: Called with a sentence at each part of the work.

    Raises:
        ValueError: The data set has too few images, or a scorer says what is no number.
    """
    for what, split in ((TEST, dataset.test), (TRAINING, dataset.train)):
        if len(split.images) < plan.rows:
            raise ValueError(
                f"rows must be at most {len(split.images)}, the {what} of {dataset.name}, got {plan.rows}"
            )
    logits: dict[tuple[str, str], Logits] = {}
    reasons: dict[tuple[str, str], str] = {}
    scorers: dict[str, PictureScorer] = {}
    for pictures in _all_pictures(bundles, dataset, plan, progress):
        asked: list[tuple[Bundle, Path | None]] = []
        for bundle in bundles:
            pair = (bundle.manifest.name, pictures.name)
            reason = reason_against(bundle.manifest, pictures.class_names, pictures.words)
            if reason is not None:
                reasons[pair] = reason
                continue
            file = folder / f"{_key(bundle, pictures, plan)}.npy" if folder else None
            kept = _kept(file, plan.rows)
            if kept is None:
                asked.append((bundle, file))
            else:
                logits[pair] = kept
        if not asked:
            continue
        images, labels = pictures.load()
        for bundle, file in asked:
            name = bundle.manifest.name
            progress(f"{name} judges {pictures.words}")
            scorer = scorers.setdefault(name, PictureScorer(bundle))
            logits[name, pictures.name] = scorer.logits(images, labels)
            if file is not None:
                _keep(file, logits[name, pictures.name])
    return Readings(logits=logits, reasons=reasons)


def _all_pictures(
    bundles: Sequence[Bundle], dataset: Dataset, plan: ReadingPlan, progress: Callable[[str], None]
) -> Iterator[_Pictures]:
    for name, split in ((TEST, dataset.test), (TRAINING, dataset.train)):
        yield _data(name, split, dataset.class_names, plan.rows)
    for bundle in bundles:
        yield _drawings(bundle, plan, progress)


def _data(name: str, split: Split, class_names: tuple[str, ...], rows: int) -> _Pictures:
    images, labels = split.images[:rows], split.labels[:rows]
    content = hashlib.sha256(repr(images.shape).encode() + images.tobytes() + labels.tobytes())

    def load() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        return images.astype(np.float32) / np.float32(255), labels

    return _Pictures(
        name=name, words=name, identity=content.hexdigest(), class_names=class_names or None, load=load
    )


def _drawings(bundle: Bundle, plan: ReadingPlan, progress: Callable[[str], None]) -> _Pictures:
    manifest: Manifest = bundle.manifest

    def load() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        finished: list[NDArray[np.float32]] = []
        progress(f"{manifest.name} draws: 0 of {plan.rows}")
        for canvases in draw_canvases(bundle, rows=plan.rows, seed=plan.seed):
            finished.append(canvases[:, -1])
            progress(f"{manifest.name} draws: {sum(map(len, finished))} of {plan.rows}")
        return np.concatenate(finished), asked_labels(manifest, range(plan.rows))

    return _Pictures(
        name=manifest.name,
        words=f"drawings of {manifest.name}",
        identity=identity(bundle),
        class_names=manifest.labels.names if manifest.labels else None,
        load=load,
    )


def _key(judge: Bundle, pictures: _Pictures, plan: ReadingPlan) -> str:
    seed = None if pictures.name in (TEST, TRAINING) else plan.seed
    parts = [_LAYOUT, identity(judge), pictures.identity, plan.rows, seed]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _kept(file: Path | None, rows: int) -> Logits | None:
    """A reading from its file; None if there is none, or not a whole one."""
    if file is None or not file.is_file():
        return None
    try:
        logits = np.load(file, allow_pickle=False)
    except (ValueError, EOFError):
        return None
    whole = isinstance(logits, np.ndarray) and logits.shape == (rows,) and logits.dtype == np.float32
    return logits if whole and np.isfinite(logits).all() else None


def _keep(file: Path, logits: Logits) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".part")
    with partial.open("wb") as stream:
        np.save(stream, logits)
    partial.replace(file)
