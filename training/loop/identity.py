"""Is a checkpoint of this training? If not, what differs, with both values."""

__all__ = ["refuse_other"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pentimento.training.data.datasets import Dataset
from pentimento.training.loop.checkpoints import CheckpointError
from pentimento.training.loop.config import LoopConfig


def refuse_other(saved: Mapping[str, Any], config: LoopConfig, dataset: Dataset, folder: Path) -> None:
    """Raises a CheckpointError that names what differs from the training that a checkpoint is of.

    Data are compared by their checksum, not by their path: they may have moved since.

    Args:
        saved: The checkpoint's content.
        config: The configuration that would go on from it.
        dataset: Its data.
        folder: Where the checkpoint lies, for the message.
    """
    there, here = _flat(_as_read(saved["config"], config)), _flat(config.to_json())
    what = f"the checkpoint in {folder} was made with another"
    if _said(there, "recipe") != _said(here, "recipe"):
        recipes = f"{_said(there, 'recipe')} there, {_said(here, 'recipe')} here"
        raise CheckpointError(f"{what} recipe: {recipes}; name another --out")
    differences = [
        f"{name} {_said(there, name)} there, {_said(here, name)} here"
        for name in sorted(there.keys() | here.keys())
        if name != "dataset" and _said(there, name) != _said(here, name)
    ]
    if differences:
        raise CheckpointError(f"{what} configuration: {'; '.join(differences)}")
    known = saved["dataset_sha256"]
    if known != dataset.sha256:
        raise CheckpointError(
            f"{what} data set: SHA-256 {known[:12]}… there, {dataset.sha256[:12]}… of {dataset.name} here"
        )


def _as_read(values: dict[str, Any], config: LoopConfig) -> dict[str, Any]:
    """A configuration with the fields that later versions added; as it is, if it is of another kind."""
    try:
        return type(config).from_json(values).to_json()
    except (KeyError, TypeError, ValueError):
        return values


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested values by dotted names, such as `model.width`."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return flat


def _said(values: dict[str, Any], name: str) -> str:
    return repr(values[name]) if name in values else "not set"
