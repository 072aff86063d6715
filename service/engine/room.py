"""What requests hold at a time, in rows and in numbers: reserved before anything is made for them."""

__all__ = ["Held", "Place", "Room"]

import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from pentimento.service.errors import Code, PentimentoError


class Held(NamedTuple):
    """What is held: rows, and numbers (noise, latents, pixels, canvases that wait for their end)."""

    rows: int
    values: int


class Room:
    """Counts what requests hold, up to limits, and says no beyond them.

    Args:
        max_rows: Rows that may be held.
        max_values: Numbers that may be held.
        elsewhere: Reads what other processes hold under the same limits.
        on_change: Told what is held here when that changes.
    """

    def __init__(
        self,
        *,
        max_rows: int,
        max_values: int,
        elsewhere: Callable[[], Held] = lambda: Held(0, 0),
        on_change: Callable[[Held], None] = lambda _: None,
    ) -> None:
        self._limit = Held(max_rows, max_values)
        self._elsewhere, self._on_change = elsewhere, on_change
        self.held = Held(0, 0)

    def take(self, rows: int, values: int, deadline: float) -> "Place":
        """Reserves room for one request, which expires at `deadline` on the monotonic clock.

        Raises:
            PentimentoError: OVERLOADED with a hint when to come back.
        """
        held, elsewhere = self.held, self._elsewhere()
        in_flight, numbers = held.rows + elsewhere.rows, held.values + elsewhere.values
        if in_flight + rows > self._limit.rows:
            raise PentimentoError(
                Code.OVERLOADED,
                f"{in_flight} rows are in flight and {rows} more would pass the limit of {self._limit.rows}",
                retry_after_s=1.0,
            )
        if numbers + values > self._limit.values:
            raise PentimentoError(
                Code.OVERLOADED,
                f"requests in flight hold {numbers} numbers and {values} more would pass the limit of "
                f"{self._limit.values}",
                retry_after_s=1.0,
            )
        self.change(rows, values)
        return Place(self, rows, values, deadline)

    def change(self, rows: int, values: int) -> None:
        """Adds to what is held, or takes away."""
        self.held = Held(self.held.rows + rows, self.held.values + values)
        self._on_change(self.held)


class Place:
    """What one request holds: from its reservation until its `with` was left and its last job is over.

    Attributes:
        deadline: When the request expires, in seconds on the monotonic clock.
    """

    __slots__ = ("_kept", "_room", "_running", "_values", "deadline")

    def __init__(self, room: Room, rows: int, values: int, deadline: float) -> None:
        self._room, self._kept, self._values = room, rows, values
        self._running = 0  # rows of jobs that are not over
        self.deadline = deadline

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; negative beyond it."""
        return self.deadline - time.monotonic()

    def begin(self, rows: int) -> None:
        """A job of so many of its rows begins."""
        self._running += rows

    def end(self, rows: int) -> None:
        """A job is over: its rows are free, unless other jobs are still to come."""
        self._running -= rows
        if not self._kept:
            self._give_back(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """No more jobs come: all that no running job needs is free."""
        kept, self._kept = self._kept, 0
        self._give_back(kept - self._running)

    def _give_back(self, rows: int) -> None:
        values = 0
        if not self._running:
            values, self._values = self._values, 0
        self._room.change(-rows, -values)
