"""Reads the bundle folder, at the start and again at each reload."""

__all__ = ["Contents", "read_folder"]

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pentimento.bundle.store import BundleError, read_bundle
from pentimento.service.catalog.loaded_model import LoadedModel
from pentimento.service.catalog.served import Refusal
from pentimento.service.catalog.trials import Trials
from pentimento.service.engine.runtime import Runtime

# To replace a folder means to rename two of them; between the renames there is none.
_LOOKS = 10
_BETWEEN_LOOKS_S = 0.025

_PAUSE_S = 0.1  # at most, after a bundle was loaded beside what draws, which then has the processor


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What was read from the bundle folder: sound bundles, and the folders that were refused."""

    models: Mapping[str, LoadedModel]  # by name, sorted; what is unchanged is the same object as before
    refused: tuple[Refusal, ...]


def read_folder(
    folder: Path,
    runtime: Runtime,
    served: Mapping[str, LoadedModel] | None = None,
    trials: Trials | None = None,
) -> Contents:
    """Reads every bundle; what is wrong with one never keeps the others from being served.

    Every file is read and its checksum compared, so that a bundle which somebody is writing is at worst
    refused. A served bundle stays the same object if its manifest, and with it every checksum, is as it was;
    it also stays if what lies in its place is not a sound bundle. Blocks for as long as graphs load.

    Args:
        folder: Its subfolders are the bundles.
        runtime: Loads their graphs.
        served: Bundles that are served already, by name. What is missing or wrong is then looked at again a
            moment later, in case it is being replaced.
        trials: Tries graphs elsewhere before they are loaded here; None: they are tried here.

    Raises:
        BundleError: There is no such folder, or it cannot be listed.
    """
    known = served or {}
    names = sorted(_subfolders(folder) | set(known))
    if trials is not None:
        trials.try_folder(folder)  # all at once, so that there is one process for them

    def visit(name: str) -> LoadedModel | str | None:
        began = time.monotonic()
        what = _visit(folder / name, runtime, known.get(name), trials)
        if served and what is not known.get(name):
            time.sleep(min(_PAUSE_S, time.monotonic() - began))
        return what

    found = {name: visit(name) for name in names}
    unsettled = {name for name, what in found.items() if not isinstance(what, LoadedModel)}
    if served and unsettled:
        missing = _wait_for(folder, unsettled)
        found |= dict.fromkeys(missing)
        for name in unsettled - missing:
            found[name] = visit(name) or "the folder comes and goes"
    models, refused = {}, []
    for name, what in found.items():
        if isinstance(what, LoadedModel):
            models[name] = what
        elif what is not None:
            before = known.get(name)
            if before is not None:
                models[name] = before
                what = f"{what}; version {before.manifest.version}, which was served before, still is"
            refused.append(Refusal(name=name, reason=what))
    return Contents(models=models, refused=tuple(refused))


def _subfolders(folder: Path) -> set[str]:
    if not folder.is_dir():
        raise BundleError(f"there is no bundle folder {str(folder)!r}; name one with --bundles")
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
        return {entry.name for entry in entries if entry.is_dir()}
    except OSError as error:
        raise BundleError(f"the bundle folder {str(folder)!r} cannot be read: {error.strerror}") from None


def _wait_for(folder: Path, names: set[str]) -> set[str]:
    """Looks for subfolders for a moment; returns those that were there at no time."""
    for _ in range(_LOOKS):
        time.sleep(_BETWEEN_LOOKS_S)
        names = {name for name in names if not (folder / name).is_dir()}
        if not names:
            break
    return names


def _visit(
    entry: Path, runtime: Runtime, before: LoadedModel | None, trials: Trials | None
) -> LoadedModel | str | None:
    """The bundle in a folder; or a sentence that says why there is none; or None without such a folder."""
    try:
        if not entry.is_dir():
            return None
        bundle = read_bundle(entry)
        if before is not None and bundle.manifest == before.manifest:
            return before
        tried = None if trials is None else trials.curves(entry, bundle)
        return LoadedModel(manifest=bundle.manifest, graphs=runtime.load(bundle, tried))
    except BundleError as error:
        return str(error)
    except OSError as error:
        return f"the folder cannot be read: {error.strerror}"
