"""A job's rows within the array of a whole batch, and how rows are put below each other again.

Outputs of a call stay together, as the runtime made them; each job knows where its own rows lie. So while the
same jobs go on together, nothing is taken apart and nothing copied.
"""

__all__ = ["Array", "Arrays", "Rows", "blank", "stack"]

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pentimento.bundle.drawing import STEPS

Array = NDArray[Any]
Arrays = Mapping[str, Array]


def blank(name: str, shape: Sequence[int], dtype: DTypeLike) -> Array:
    """Values of a graph's input that mean nothing, but that a request could have: of steps 1, else 0.

    Graphs may divide by the number of steps, and a division of integers by zero is an error.
    """
    return (np.ones if name == STEPS else np.zeros)(shape, dtype=dtype)


class Rows(NamedTuple):
    """Neighbouring rows `start` to `stop` (exclusive) of an array of shape (rows, ...)."""

    array: Array
    start: int
    stop: int

    @classmethod
    def of(cls, array: Array) -> "Rows":
        """All rows of an array."""
        return cls(array, 0, len(array))

    @property
    def values(self) -> Array:
        """The rows, as a view."""
        return self.array[self.start : self.stop]

    def owned(self) -> Array:
        """The rows, in an array that keeps no larger one alive."""
        values, base = self.values, self.array.base
        whole = len(values) == len(self.array) and not (
            isinstance(base, np.ndarray) and base.nbytes > values.nbytes
        )
        return values if whole else values.copy()


def stack(parts: Sequence[Rows]) -> Array:
    """Puts rows below each other in one array, C order; no copy where they are neighbours already."""
    pieces: list[Array] = []
    array, start, stop = parts[0]
    for part in parts[1:]:
        if part.array is array and part.start == stop:
            stop = part.stop
        else:
            pieces.append(array[start:stop])
            array, start, stop = part
    if not pieces and stop - start == len(array) and not isinstance(array, np.ndarray):
        return array  # on a device, where it may stay
    pieces.append(array[start:stop])
    return np.ascontiguousarray(pieces[0]) if len(pieces) == 1 else np.concatenate(pieces)
