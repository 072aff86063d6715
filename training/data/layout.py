"""What the folders around pictures mean: which are splits, which classes; ambiguity is told or refused."""

__all__ = ["Layout", "Place", "lay_out"]

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from pentimento.training.data.tree import LeftOut

Role = Literal["train", "test", "validation"]
Inner = dict[PurePosixPath, tuple[str, ...]]
"""The parts of each picture's path, without the folders around all of them."""

_ROLES: dict[str, Role] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What a picture is for."""

    tests: bool
    label: str  # its class; empty where there are none


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The pictures that are taken."""

    places: dict[PurePosixPath, Place]
    holds_out: bool  # no folder has test pictures, so some of these must be
    notes: tuple[str, ...]  # how it was understood, where it could be otherwise


def lay_out(paths: Iterable[PurePosixPath], left_out: LeftOut) -> Layout:
    """Says what each picture is for.

    A folder around everything is no class. Then the first folder is a split if all pictures lie below splits
    (train, test, val and the like), and the next one is the class, however deep a picture lies in it.

    Args:
        paths: Where the pictures lie.
        left_out: Told of those that are not taken.

    Raises:
        ValueError: There are no training pictures, or it cannot be told what was meant.
    """
    notes: list[str] = []
    inner = _unwrap({path: path.parts for path in paths})
    folders = sorted({parts[0] for parts in inner.values() if len(parts) > 1})
    splits = [name for name in folders if name.lower() in _ROLES]
    roles = {_ROLES[name.lower()] for name in splits}
    if splits and len(splits) == len(folders):
        strays = [path for path, parts in inner.items() if len(parts) == 1]
        _leave_strays(strays, len(inner) - len(strays), "pictures beside the splits", left_out)
        return _splits(
            {path: parts for path, parts in inner.items() if len(parts) > 1}, splits, notes, left_out
        )
    if len(roles) > 1:
        others = [f"{name}/" for name in folders if name not in splits]
        raise ValueError(
            f"the splits {_listed(splits)} lie beside {', '.join(others[:3])}: "
            "put those below a split, or elsewhere"
        )
    if splits:
        notes.append(f"{splits[0]}/ is a class and no split, as other folders lie beside it")
    labels = _labels(inner, "no folder", left_out)
    _note_depth(inner, 2, notes)
    places = {path: Place(tests=False, label=label) for path, label in labels.items()}
    return Layout(places=places, holds_out=True, notes=tuple(notes))


def _unwrap(inner: Inner) -> Inner:
    """Takes away the folders that everything lies in, as archives have them, if others are in these."""
    while (
        len({parts[0] for parts in inner.values()}) == 1
        and min(len(parts) for parts in inner.values()) > 1
        and max(len(parts) for parts in inner.values()) > 2
        and next(iter(inner.values()))[0].lower() not in _ROLES
    ):
        inner = {path: parts[1:] for path, parts in inner.items()}
    return inner


def _splits(inner: Inner, splits: list[str], notes: list[str], left_out: LeftOut) -> Layout:
    found: dict[Role, Inner] = {"train": {}, "test": {}, "validation": {}}
    for path, parts in inner.items():
        found[_ROLES[parts[0].lower()]][path] = parts[1:]
    if not found["train"]:
        raise ValueError(f"there are no training pictures: all {len(inner)} lie below {_listed(splits)}")
    train = _labels(found["train"], "the training folder", left_out)
    known = set(train.values())
    tests: dict[PurePosixPath, str] = {}
    for role in ("test", "validation"):
        fit, unlabelled = {}, []
        for path, parts in found[role].items():
            label = parts[0] if len(parts) > 1 else ""
            if not label and known != {""}:
                unlabelled.append(path)
            elif label in known:
                fit[path] = label
            else:
                raise ValueError(
                    f"{path} is of the class {label!r}, which no training picture has; "
                    f"they have {_listed(sorted(known)) if known != {''} else 'no classes'}"
                )
        for path in unlabelled:
            left_out.add(f"{role} pictures without a class, which the training pictures have", path)
        if tests:
            for path in fit:
                left_out.add("validation pictures, as others test", path)
        elif fit:
            tests = fit
            if role == "validation":
                notes.append("the validation pictures test, as no others do")
    _note_depth(inner, 3, notes)
    places = {path: Place(tests=False, label=label) for path, label in train.items()}
    places |= {path: Place(tests=True, label=label) for path, label in tests.items()}
    return Layout(places=places, holds_out=not tests, notes=tuple(notes))


def _labels(inner: Inner, where: str, left_out: LeftOut) -> dict[PurePosixPath, str]:
    """The class of each picture; those without one are left out where most have one."""
    strays = [path for path, parts in inner.items() if len(parts) == 1]
    if len(strays) == len(inner):
        return dict.fromkeys(inner, "")
    _leave_strays(strays, len(inner) - len(strays), "pictures beside the class folders", left_out)
    return {path: parts[0] for path, parts in inner.items() if len(parts) > 1}


def _leave_strays(strays: list[PurePosixPath], others: int, reason: str, left_out: LeftOut) -> None:
    if len(strays) >= others:
        raise ValueError(
            f"the {reason} ({len(strays)}: {strays[0]}) are no fewer than those within ({others}): "
            "put all into folders, or none"
        )
    for path in strays:
        left_out.add(reason, path)


def _note_depth(inner: Inner, usual: int, notes: list[str]) -> None:
    deep = [path for path, parts in inner.items() if len(parts) > usual]
    if deep:
        more = ", ..." if len(deep) > 1 else ""
        notes.append(f"deeper than the folder that is their class ({len(deep)}): {deep[0]}{more}")


def _listed(names: list[str]) -> str:
    return ", ".join(f"{name}/" for name in names[:5]) + (", ..." if len(names) > 5 else "")
