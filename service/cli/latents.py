"""Reads the noise of `--latents`: of a file of arrays, what drawings of a model take."""

__all__ = ["latents_of"]

import zipfile
from collections.abc import Sequence
from pathlib import Path

from pentimento.service.cli.easel import ModelRow
from pentimento.service.errors import invalid
from pentimento.service.messages import Floats


def latents_of(path: Path, model: str | None, rows: Sequence[ModelRow]) -> dict[str, Floats]:
    """What a model's drawings take of a file of arrays.

    Args:
        path: The file.
        model: The model's name; None for the default one.
        rows: The models that there are.

    Returns:
        Arrays by name, (n, ...) each; others of the file, such as a posterior's mean, are left out.

    Raises:
        PentimentoError: The file is no .npz of arrays, or has nothing that the model takes.
    """
    import numpy as np

    row = next((row for row in rows if (row.is_default if model is None else row.name == model)), None)
    if row is None:  # whoever is asked for it says so
        return {}
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: np.asarray(file[name], np.float32) for name in file.files if name in row.latents}
            names = file.files
    except (ValueError, OSError, AttributeError, zipfile.BadZipFile) as error:
        raise invalid("--latents", f"must be a .npz file of numbers, {str(path)!r} is not: {error}") from None
    if not found:
        takes = ", ".join(row.latents) or "none"
        raise invalid("--latents", f"has {', '.join(names) or 'nothing'}; {row.name!r} takes {takes}")
    return found
