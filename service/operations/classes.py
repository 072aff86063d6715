"""The class that a request means: by its number, or by its name."""

__all__ = ["class_of"]

import re
from functools import lru_cache

from pentimento.bundle.manifest import Manifest
from pentimento.service.errors import PentimentoError, invalid, quoted
from pentimento.service.messages import Label

_SHOWN = 10  # classes that a message lists


def class_of(manifest: Manifest, given: Label, field: str, *, numbers_are_names: bool = False) -> int:
    """The index of a class of a conditional bundle.

    Args:
        manifest: Of the bundle that is asked; it has classes.
        given: An index; or a text: digits for the index, else a name, in whatever case. Blanks around a text
            do not matter.
        field: What a message calls it.
        numbers_are_names: Whether digits mean a class of that name first, and no index at all where any name
            is a number. Otherwise the same digits would mean one class in a query, which is text, and another
            in JSON.

    Raises:
        PentimentoError: INVALID_ARGUMENT: there is no such class.
    """
    assert manifest.labels is not None
    names = manifest.labels.names
    folded, numbered = _known(names)
    if not numbers_are_names and isinstance(given, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", given):
        given = int(given)
    if isinstance(given, int):
        if 0 <= given < len(names):
            return given
        allowed = f"0..{len(names) - 1} for model {manifest.name!r} of {len(names)} classes"
        raise invalid(field, f"must be {allowed}, got {given}")
    text = given.strip()
    indexed = not (numbers_are_names and numbered)
    if indexed and re.fullmatch(r"[0-9]{1,6}", text) and int(text) < len(names):
        return int(text)
    found = names.index(text) if text in names else folded.get(text.casefold())
    if found is None:
        raise _unknown(manifest, field, text, indexed=indexed)
    return found


def _unknown(manifest: Manifest, field: str, text: str, *, indexed: bool) -> PentimentoError:
    assert manifest.labels is not None
    names = manifest.labels.names
    shown = ", ".join(name[:40] for name in names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    number = f" or its number, 0..{len(names) - 1}" if indexed else ""
    allowed = f"one of the {len(names)} classes of model {manifest.name!r} ({shown}){number}"
    return invalid(field, f"must be {allowed}, got {quoted(text)}")


@lru_cache(maxsize=16)
def _known(names: tuple[str, ...]) -> tuple[dict[str, int], bool]:
    """Classes by their names without case, of equal ones the first; and whether some name is a number."""
    folded: dict[str, int] = {}
    for i, name in enumerate(names):
        folded.setdefault(name.casefold(), i)
    return folded, any(name.isdecimal() for name in names)
