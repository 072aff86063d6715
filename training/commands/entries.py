"""Bundles that a user lets meet: named outright, or all of a folder that suit each other."""

__all__ = ["Entries", "find_entries", "same_data"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.store import MANIFEST, Bundle, BundleError, read_bundle

_MAX_BUNDLES = 100  # their pictures, and everybody's judgement of them, take as long as all that


@dataclass(frozen=True, kw_only=True, slots=True)
class Entries:
    """Bundles that meet, and those of folders that do not, with a sentence each."""

    bundles: tuple[Bundle, ...]
    left_out: tuple[str, ...]


def find_entries(paths: Sequence[Path], dataset: str | None) -> Entries:
    """Reads bundles and folders of bundles.

    Of a folder those enter that draw images of the shape, and have learned from the data, that most of its
    bundles have; or those of the bundles that were named outright, where there are any.

    Args:
        paths: Each a bundle, or a folder of bundles.
        dataset: The data set to judge by, if another than that of the bundles: then any data will do.

    Raises:
        ValueError: A folder holds no bundles, or there are too many.
        BundleError: One that was named outright is no bundle.
    """
    named: list[Bundle] = []
    found: list[Bundle] = []
    left_out: list[str] = []
    for path in paths:
        if (path / MANIFEST).exists():
            named.append(read_bundle(path))
            continue
        inside = [each for each in sorted(path.glob("*")) if (each / MANIFEST).exists()]
        if not inside:
            raise ValueError(f"{path} is neither a bundle nor a folder of bundles")
        for folder in inside:
            try:
                found.append(read_bundle(folder))
            except BundleError as error:
                left_out.append(f"{folder.name}: {error}")
    if len(named) + len(found) > _MAX_BUNDLES:
        raise ValueError(f"at most {_MAX_BUNDLES} bundles may meet, got {len(named) + len(found)}")
    left_out += [f"{b.manifest.name}: it does not draw" for b in found if b.manifest.drawing is None]
    found = [bundle for bundle in found if bundle.manifest.drawing is not None]
    entered, others = _alike(named, found, dataset)
    return Entries(bundles=(*named, *entered), left_out=(*left_out, *others))


def _alike(
    named: Sequence[Bundle], found: Sequence[Bundle], dataset: str | None
) -> tuple[list[Bundle], list[str]]:
    """The found bundles that can meet the named ones, or most of the found; a sentence for each other."""
    leading = [bundle.manifest for bundle in named or found]
    if not leading:
        return [], []
    shape = Counter(manifest.image.shape for manifest in leading).most_common(1)[0][0]
    learned = Counter(_data_of(manifest) for manifest in leading if manifest.image.shape == shape)
    learned.pop(None, None)
    data = learned.most_common(1)[0][0] if learned and dataset is None else None
    entered: list[Bundle] = []
    others: list[str] = []
    for bundle in found:
        manifest, own = bundle.manifest, _data_of(bundle.manifest)
        if manifest.image.shape != shape:
            sides = ("x".join(map(str, each)) for each in (manifest.image.shape, shape))
            others.append("{}: it draws images of {}, not {}".format(manifest.name, *sides))
        elif None not in (own, data) and own != data:
            others.append(f"{manifest.name}: it learned from {own}, not {data}")
        else:
            entered.append(bundle)
    return entered, others


def same_data(manifests: Sequence[Manifest], dataset: str | None) -> Manifest:
    """The manifest that says what all are judged by: the first that says what it was trained on.

    Raises:
        ValueError: Two were trained on different data, and no data set is named.
    """
    telling = [manifest for manifest in manifests if manifest.provenance is not None]
    for manifest in telling[1:] if dataset is None else []:
        ours, theirs = telling[0].provenance, manifest.provenance
        if ours and theirs and ours.dataset != theirs.dataset:
            raise ValueError(
                f"bundle {telling[0].name!r} was trained on {ours.dataset!r} and {manifest.name!r} on "
                f"{theirs.dataset!r}; say with --dataset which test images both are to judge"
            )
    return (telling or list(manifests))[0]


def _data_of(manifest: Manifest) -> str | None:
    return manifest.provenance.dataset if manifest.provenance else None
