"""Tensors as the protocol has them: name, datatype, shape, and numbers in one of several forms.

What comes in is checked before anything is made of it: its shape and its size in bytes, then its numbers.
"""

__all__ = [
    "DATATYPES",
    "NO_SHARED_MEMORY",
    "Given",
    "Tensor",
    "WIDTHS",
    "raw_bytes",
    "read_numbers_of",
    "read_texts",
]

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pentimento.service.errors import invalid, quoted
from pentimento.service.operations.numbers import read_numbers

Numbers = NDArray[Any]

_KINDS = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
DATATYPES = frozenset({*_KINDS, "BF16", "BYTES"})
"""All of the protocol; a tensor takes one or some of them."""

WIDTHS = {name: np.dtype(kind).itemsize for name, kind in _KINDS.items()}
"""Bytes of a number; those of BYTES say theirs themselves."""

NO_SHARED_MEMORY = "cannot be given: tensors travel in the message, as this server shares no memory"
"""What is said to clients who name a region of theirs."""

_MAX_WHOLE = 4096  # whole numbers of a tensor: the most images that a server can be set to take


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """A tensor of a request, as it came: as little-endian bytes, or as numbers in lists or an array."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    raw: "bytes | memoryview | None" = None
    data: object = None  # nested or flat, in row-major order; of BYTES, texts or bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Tensor:
    """A tensor of an answer."""

    name: str
    datatype: str
    values: Numbers  # of its shape


def raw_bytes(tensor: Tensor) -> bytes:
    """Its numbers in row-major order, little-endian."""
    return tensor.values.astype(_KINDS[tensor.datatype], copy=False).tobytes()


def read_numbers_of(given: Given) -> Numbers:
    """The numbers of a tensor whose datatype and shape have been checked, of that shape.

    Raises:
        PentimentoError: INVALID_ARGUMENT: they are too few, too many, or no such numbers.
    """
    count = math.prod(given.shape)
    if given.raw is not None:
        size = count * WIDTHS[given.datatype]
        if len(given.raw) != size:
            message = f"must have {size} bytes, as {given.datatype} of shape {list(given.shape)}"
            raise invalid(given.name, f"{message}, got {len(given.raw)}")
        return np.frombuffer(given.raw, _KINDS[given.datatype]).reshape(given.shape)
    if given.datatype.startswith("FP"):
        return _reals(given, count)
    if given.datatype in ("BOOL", "UINT8"):  # pictures, which may be large
        numbers = _reals(given, count, truth=given.datatype == "BOOL")
        most = 1 if given.datatype == "BOOL" else 255
        if not ((numbers >= 0) & (numbers <= most) & (numbers == np.floor(numbers))).all():
            raise invalid(given.name, f"must be whole numbers of 0..{most}, as {given.datatype}")
        return numbers.astype(_KINDS[given.datatype])
    return _whole(given, count)


def _reals(given: Given, count: int, *, truth: bool = False) -> Numbers:
    data = given.data
    if truth and isinstance(data, list):
        data = [int(value) if isinstance(value, bool) else value for value in _flat(given, count)]
    numbers = read_numbers(data, None, given.name)
    if numbers.shape not in (given.shape, (count,)):
        raise _other_count(given, numbers.size)
    return numbers.reshape(given.shape)


def _whole(given: Given, count: int) -> Numbers:
    values, kind = _flat(given, count), np.dtype(_KINDS[given.datatype])
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise invalid(given.name, f"must be whole numbers of {low}..{high}, got {_shown(value)}")
    return np.array(values, kind).reshape(given.shape)


def read_texts(given: Given, most: int) -> list[bytes | str]:
    """The elements of a BYTES tensor: bytes, or from JSON texts.

    Args:
        given: Its shape has been checked.
        most: Elements that it may have.

    Raises:
        PentimentoError: INVALID_ARGUMENT: they are too few, too many, or none.
    """
    count = math.prod(given.shape)
    if count > most:
        raise invalid(given.name, f"may have at most {most} elements, got {count}")
    if given.raw is not None:
        return list(_split(given, count))
    values = _flat(given, count)
    for value in values:
        if not isinstance(value, str | bytes):
            raise invalid(given.name, f"must be texts, as BYTES, got {_shown(value)}")
    return values


def _split(given: Given, count: int) -> Iterable[bytes]:
    """Elements that have their length before them, four bytes each."""
    raw, at = memoryview(given.raw or b""), 0
    for index in range(count):
        end = at + 4
        size = int.from_bytes(raw[at:end], "little")
        if end + size > len(raw) or len(raw) < end:
            message = f"ends within element {index}: it has {len(raw)} bytes"
            raise invalid(given.name, f"{message}, each element four for its length and as many as these say")
        yield bytes(raw[end : end + size])
        at = end + size
    if at != len(raw):
        raise invalid(given.name, f"must have {at} bytes for its {count} elements, got {len(raw)}")


def _flat(given: Given, count: int) -> list[Any]:
    """Few values of nested or flat lists, in order."""
    if count > _MAX_WHOLE:
        raise invalid(given.name, f"may have at most {_MAX_WHOLE} numbers of {given.datatype}, got {count}")
    found: list[Any] = []
    _gather(given, given.data, found, count, len(given.shape) + 1)
    if len(found) != count:
        raise _other_count(given, len(found))
    return found


def _gather(given: Given, data: object, found: list[Any], count: int, depth: int) -> None:
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        raise invalid(given.name, f"must have its data in a list, got {_shown(data)}")
    if len(data) > count:
        raise _other_count(given, len(data))
    for value in data:
        if isinstance(value, list) and depth > 1:
            _gather(given, value, found, count, depth - 1)
        else:
            found.append(value)
        if len(found) > count:
            raise _other_count(given, len(found), "at least ")


def _other_count(given: Given, got: int, about: str = "") -> Exception:
    shape, count = list(given.shape), math.prod(given.shape)
    return invalid(given.name, f"must have {count} values, as its shape is {shape}, got {about}{got}")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool | float | None):
        return str(value)
    return str(value) if isinstance(value, int) and abs(value) < 10**20 else f"a {type(value).__name__}"
