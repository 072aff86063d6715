"""Checkpoint files: the state of a training, written whole or not at all."""

__all__ = ["BEST", "LATEST", "CheckpointError", "read_checkpoint", "write_checkpoint"]

import contextlib
import os
import pickle
from pathlib import Path
from typing import Any

import torch

LATEST = "checkpoint.pt"  # the latest state: everything needed to resume
BEST = "best.pt"  # the same content, as it was at the best evaluation
_VERSION = 1


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message is one sentence."""


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Writes a checkpoint. A process killed at any moment leaves the old file or the new one, never a part.

    Args:
        path: The file.
        content: Tensors and plain values, nested in dicts and lists.

    Raises:
        CheckpointError: It cannot be written, such as on a full disk; the old file stays.
    """
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as stream:
            torch.save({"version": _VERSION, **content}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as the latter
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise CheckpointError(
            f"cannot write {path}: {why}; what was saved before is still there, and --resume goes on from it"
        ) from error


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Reads a checkpoint's tensors and plain values; nothing in the file is executed.

    Args:
        path: The file.
        device: Where the tensors go.

    Returns:
        What `write_checkpoint` was given, and the format's `version`.

    Raises:
        CheckpointError: The file is missing, damaged, or of another format version.
    """
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"there is no checkpoint {path}") from None
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        # torch's own words are paragraphs about loading files that one should not trust.
        raise CheckpointError(f"checkpoint {path} is damaged, or is none") from error
    if content.get("version") != _VERSION:
        raise CheckpointError(
            f"checkpoint {path} has version {content.get('version')!r}; this program reads {_VERSION}"
        )
    return dict(content)
