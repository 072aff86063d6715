"""Nested lists to arrays of numbers: looked through before numpy sees them, and not beyond what is needed.

numpy makes of words an array in which each has as much room as the longest: 157 KB of JSON can be 1.6 GB. And
it keeps the interpreter to itself while it converts; so here it gets numbers alone, and few at a time.
"""

__all__ = ["read_numbers"]

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pentimento.service.errors import PentimentoError, invalid

Floats = NDArray[np.float32]

_AT_ONCE = 1 << 14  # numbers that are looked at, or converted, together: a fraction of a millisecond
_MOST_DIMENSIONS = 16  # of any shape; no bundle wants half as many, and numpy has no more than 64
_NUMBERS = frozenset({int, float})  # and not their subclass bool
_LISTS = frozenset({list, tuple})


def read_numbers(values: object, shape: Sequence[int] | None, field: str) -> Floats:
    """Reads a given array.

    Args:
        values: Nested lists of numbers, or an array of them.
        shape: What it must have, or None for any. Lists with more in them are refused without a look at the
            rest.
        field: What messages call it.

    Returns:
        The numbers, float32; what is too large for that is infinite.

    Raises:
        PentimentoError: INVALID_ARGUMENT: they are no numbers, or of another shape.
    """
    wanted = None if shape is None else tuple(shape)
    if isinstance(values, np.ndarray | np.generic):
        if values.dtype.kind not in "fiu":
            raise _no_numbers(field)
        found = values.shape
    else:
        found = _shape(values, wanted, field)
    if wanted is not None and found != wanted:
        raise _other_shape(field, wanted, found)
    try:
        array = values if isinstance(values, np.ndarray | np.generic) else _converted(values, found)
    except OverflowError:  # a whole number of more than 300 digits
        return np.full(found, np.inf, np.float32)
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=np.float32)


def _shape(values: object, wanted: tuple[int, ...] | None, field: str) -> tuple[int, ...]:
    """The shape of nested lists that hold numbers only, no more than wanted, and are of even lengths."""
    if type(values) in _NUMBERS:
        return ()
    if not isinstance(values, list | tuple):
        raise _no_numbers(field)
    found: list[int] = []
    level: list[Sequence[object]] = [values]  # all lists of one depth
    while True:
        length = len(level[0])
        if set(map(len, level)) != {length}:
            raise _no_numbers(field)
        found.append(length)
        if wanted is None and len(found) > _MOST_DIMENSIONS:
            raise invalid(field, f"may be nested at most {_MOST_DIMENSIONS} deep")
        if wanted is not None and len(level) * length > math.prod(wanted):
            raise _other_shape(field, wanted, (*found, *_first_lengths(level[0][0])))
        types: set[type] = set()
        for each in level:
            for start in range(0, length, _AT_ONCE):
                types.update(map(type, each[start : start + _AT_ONCE]))
        if types <= _NUMBERS:
            return tuple(found)
        if not types <= _LISTS:
            raise _no_numbers(field)
        level = list(itertools.chain.from_iterable(level))  # type: ignore[arg-type]  # lists, as just seen


def _converted(values: object, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Lists of that shape as an array, converted in pieces."""
    each = math.prod(shape[1:])
    if not isinstance(values, list | tuple) or len(values) * each <= _AT_ONCE:
        return np.asarray(values, dtype=np.float64).reshape(shape)
    if each > _AT_ONCE:
        return np.stack([_converted(part, shape[1:]) for part in values])
    step = _AT_ONCE // each
    pieces = [values[start : start + step] for start in range(0, len(values), step)]
    return np.concatenate([np.asarray(piece, dtype=np.float64) for piece in pieces])


def _first_lengths(values: object) -> tuple[int, ...]:
    """The shape that lists seem to have, by the first of each."""
    lengths = []
    while isinstance(values, list | tuple):
        lengths.append(len(values))
        values = values[0] if values else None
    return tuple(lengths)


def _other_shape(field: str, shape: Sequence[int], got: tuple[int, ...]) -> PentimentoError:
    return invalid(field, f"must have shape {tuple(shape)}, got {got}")


def _no_numbers(field: str) -> PentimentoError:
    return invalid(field, "must be numbers in nested lists of even lengths")
