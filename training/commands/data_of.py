"""The data that a bundle is judged by: those it was trained on, or others."""

__all__ = ["data_of"]

from pathlib import Path

from rich.console import Console

from pentimento.bundle.manifest import Manifest
from pentimento.pictures.shaping import Fit
from pentimento.training.data.datasets import NAMES, Dataset, load_dataset


def data_of(
    manifest: Manifest, dataset: str | None, fit: Fit | None, folder: Path | None, console: Console
) -> Dataset:
    """Loads what a bundle is to be judged by, and says so if it is not what the bundle was trained on.

    Args:
        manifest: The bundle's.
        dataset: Another data set than the training's, by name or path.
        fit: What becomes of pictures of another size or kind; None: as in the training.
        folder: The user's folder of data sets.
        console: For what is said.

    Raises:
        ValueError: The bundle does not say what it was trained on, or that is a user's own data.
        DatasetError: The data cannot be found or read.
    """
    source = manifest.provenance
    if dataset is None:
        if source is None:
            raise ValueError(
                f"bundle {manifest.name!r} does not say what it was trained on; name a --dataset"
            )
        if source.dataset not in NAMES:
            raise ValueError(
                f"bundle {manifest.name!r} was trained on {source.dataset!r}, which is no known data set; "
                f"say where it lies with --dataset"
            )
    trained_with = source.config.get("fit") if source else None
    loaded = load_dataset(
        dataset or str(source.dataset if source else ""),
        channels=manifest.image.channels,
        image_size=manifest.image.height,
        fit=fit or trained_with or "crop",
        folder=folder,
    )
    known = source.dataset_sha256 if source else None
    if dataset is None and known not in (None, loaded.sha256):
        console.print(
            f"These are not the very images of the training: SHA-256 {str(known)[:12]}… there, "
            f"{loaded.sha256[:12]}… of {loaded.name} here. Figures will differ from the manifest's."
        )
    return loaded
