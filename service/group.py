"""What the processes of one server have in common: a board of numbers that all see, and who to ask."""

__all__ = ["Board", "Group", "Slot"]

import mmap
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

_FIELDS = ("beat", "rows", "values", "lane_rows", "call_since_ms", "received", "sending", "serves")


class Slot:
    """The numbers of one worker. Each has one writer, the worker; words are read and written whole.

    `beat` grows while its event loop goes round; `rows` are in flight that it admitted, and `values` the
    numbers that these hold; `lane_rows` are on its lane, whoever admitted them; `call_since_ms`, on the
    system's monotonic clock, is when its lane's thread began the call that it makes, 0 if it makes none;
    `received` are bytes of requests that it holds while they come in, and `sending` of answers that nobody
    has taken yet; `serves` is 1 once it has begun to answer, or to compute for others.
    """

    def __init__(self, words: memoryview, number: int) -> None:
        self._words, self._first = words, number * len(_FIELDS)

    def read(self, name: str) -> int:
        """One number."""
        value: int = self._words[self._first + _FIELDS.index(name)]
        return value

    def write(self, name: str, value: int) -> None:
        """Sets one number."""
        self._words[self._first + _FIELDS.index(name)] = value

    def clear(self) -> None:
        """Sets all to 0: the worker is gone."""
        for name in _FIELDS:
            self.write(name, 0)


class Board:
    """The slots of all workers: shared memory, and no messages.

    Args:
        handle: File descriptor of the shared memory.
        count: Number of workers.
    """

    def __init__(self, handle: int, count: int) -> None:
        self.handle, self.count = handle, count
        self._memory = mmap.mmap(handle, _size(count))
        self._words = memoryview(self._memory).cast("q")
        self.slots = [Slot(self._words, number) for number in range(count)]

    @property
    def wanted(self) -> int:
        """Workers that there should be, as the parent last said."""
        value: int = self._words[self.count * len(_FIELDS)]
        return value

    @wanted.setter
    def wanted(self, count: int) -> None:
        self._words[self.count * len(_FIELDS)] = count

    @property
    def serving(self) -> int:
        """Workers that have begun to answer or to compute, and are not known to be gone."""
        return sum(slot.read("serves") for slot in self.slots)

    @classmethod
    def create(cls, count: int) -> Self:
        """Makes one with zeros, for other processes to open by its handle, which they inherit."""
        handle = os.memfd_create("pentimento-workers", 0)
        os.ftruncate(handle, _size(count))
        return cls(handle, count)

    def elsewhere(self, number: int, name: str) -> int:
        """The sum of a number over all workers but one."""
        return sum(slot.read(name) for each, slot in enumerate(self.slots) if each != number)


def _size(count: int) -> int:
    return max(mmap.PAGESIZE, 8 * (count * len(_FIELDS) + 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What a server that is one of several workers knows of the others.

    Attributes:
        number: Of this worker, from 0.
        board: The numbers of all.
        has_lane: Whether this one has a lane of its own; else another process calls all graphs.
        reload: Has all workers read the bundle folder again, one after the other; gives a `Reload`.
        expose: Gives the metrics of all workers together, as text.
        default: The bundle that the others take for requests that name none; None: they start, too.
    """

    number: int
    board: Board
    has_lane: bool
    reload: Callable[[], Awaitable[object]]
    expose: Callable[[], Awaitable[bytes]]
    default: str | None = None

    @property
    def slot(self) -> Slot:
        """The numbers of this worker."""
        return self.board.slots[self.number]
