"""The folder of a training: what is in it, and that nothing else is ever overwritten."""

__all__ = ["refuse_other_files", "refuse_unwritable", "remove_training"]

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from pentimento.training.loop.checkpoints import BEST, LATEST

LOG, CURVES = "log.jsonl", "curves.png"
PICTURES = ("sheets", "strips", "reconstructions")  # folders that judges write pictures to
_FILES = (LATEST, BEST, LOG, CURVES, "checkpoint.part", "best.part")


def refuse_other_files(folder: Path, *, overwrite: bool) -> None:
    """Raises a ValueError if a new training may not begin in this folder.

    Args:
        folder: Where it would write; need not be there.
        overwrite: Whether a training that is there may be replaced; nothing else ever may.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file; a training needs a folder: name another --out")
    if _is_training(folder):
        if not overwrite:
            raise ValueError(
                f"{folder} holds a training already: add --resume or --overwrite, or name another --out"
            )
        return
    other = next((path.name for path in sorted(folder.iterdir())), None)
    if other is not None:
        raise ValueError(f"{folder} holds {other!r} and no training: name another --out")


def refuse_unwritable(folder: Path) -> None:
    """Raises a ValueError if the folder cannot be made or written to; before anything takes time."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"\0" * 4096)
            trial.flush()
    except OSError as error:
        raise ValueError(f"cannot write to {folder}: {error.strerror}; name another --out") from error
    finally:
        for part in missing:  # what was made for the trial; a training that begins makes it again
            with suppress(OSError):
                part.rmdir()


def remove_training(folder: Path) -> None:
    """Removes what a training has left in its folder, so that the next one is not mixed with it."""
    if not _is_training(folder):
        return
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)
    for name in PICTURES:
        shutil.rmtree(folder / name, ignore_errors=True)


def _is_training(folder: Path) -> bool:
    return (folder / LOG).is_file() or (folder / LATEST).is_file()
