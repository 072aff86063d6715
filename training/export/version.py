"""Which version a bundle gets: another content never has one that its name has had."""

__all__ = ["choose_version"]

from collections.abc import Mapping
from pathlib import Path

from pentimento.bundle.manifest import GraphSpec
from pentimento.bundle.store import MANIFEST, read_manifest


def choose_version(folder: Path, graphs: Mapping[str, GraphSpec], asked: str | None) -> str:
    """Chooses the version of a bundle; "same seed, same version, same bytes" rests on it.

    Args:
        folder: Where the bundle goes; maybe one is there.
        graphs: Its graphs with their checksums.
        asked: A version that was asked for, such as 1.2.0, or None.

    Returns:
        What was asked for; else 1.0.0 for a new bundle, the same version for the same graphs, and for others
        the next minor version.

    Raises:
        BundleError: What is there has no readable manifest.
        ValueError: Other graphs would get the version of the bundle that is there, or an earlier one.
    """
    if not (folder / MANIFEST).is_file():
        return asked or "1.0.0"
    before = read_manifest(folder)
    if _checksums(before.graphs) == _checksums(graphs):
        return asked or before.version
    major, minor, _ = _numbers(before.version)
    if asked is None:
        return f"{major}.{minor + 1}.0"
    if _numbers(asked) <= _numbers(before.version):
        raise ValueError(
            f"--version must be above {before.version}, which {folder} has with another content, got {asked}"
        )
    return asked


def _checksums(graphs: Mapping[str, GraphSpec]) -> dict[str, str]:
    return {name: spec.content for name, spec in graphs.items()}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
