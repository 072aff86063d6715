"""A budget in bytes for what is being received: all bodies and messages of both transports together.

Each request may have as much as `max_body_bytes`, and there may be thousands of connections: without a budget
the two would multiply.
"""

__all__ = ["Parcel", "Receiving"]

from collections.abc import Callable
from typing import Self

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.group import Group
from pentimento.service.settings import Settings

_RETRY_S = 1.0  # nobody knows how long the others take


class Receiving:
    """The budget of a server, over all its workers. Belongs to one event loop.

    Args:
        max_bytes: That all parcels together may hold.
        elsewhere: Gives the bytes that the other workers hold.
        note: Told of the bytes that this one holds, at each change.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        elsewhere: Callable[[], int] = lambda: 0,
        note: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.max_bytes = max_bytes
        self.held = 0
        """Bytes that the parcels of this process hold."""
        self._elsewhere, self._note = elsewhere, note

    @classmethod
    def of(cls, settings: Settings, group: Group | None = None) -> Self:
        """Makes the budget that the settings give.

        Args:
            settings: Of the server.
            group: The other workers; None: this process is alone.

        Raises:
            RuntimeError: One sentence: the budget is smaller than one body may be.
        """
        most, each = settings.max_receiving_bytes, settings.max_body_bytes
        if most < each:
            raise RuntimeError(
                f"max_receiving_bytes must be at least max_body_bytes, which is {each}, got {most}: a body "
                "of that size could never be received"
            )
        if group is None:
            return cls(most)
        board, number, slot = group.board, group.number, group.slot
        return cls(
            most,
            elsewhere=lambda: board.elsewhere(number, "received"),
            note=lambda held: slot.write("received", held),
        )

    def open(self) -> "Parcel":
        """A parcel that holds nothing yet."""
        return Parcel(self)

    def fits(self, size: int) -> bool:
        """Whether so many bytes more may be held."""
        return self.held + size + self._elsewhere() <= self.max_bytes

    def change(self, size: int) -> None:
        """Counts so many bytes more, or with a negative number less; for parcels."""
        self.held += size
        self._note(self.held)


class Parcel:
    """A request's body or message while it is received and read; holds bytes of the budget until closed."""

    __slots__ = ("_held", "_is_open", "_receiving", "refused")

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving
        self._held = 0
        self._is_open = True
        self.refused = False
        """Whether some of it was refused: then what is there is not the whole."""

    def take(self, size: int) -> bool:
        """Counts bytes that have come.

        Returns:
            Whether they may be kept. Of a parcel that was refused or closed, nothing more may.
        """
        if self.refused or not self._is_open:
            return False
        if not self._receiving.fits(size):
            self.refused = True
            return False
        self._held += size
        self._receiving.change(size)
        return True

    def check(self) -> None:
        """Refuses the request if some of it was refused.

        Raises:
            PentimentoError: OVERLOADED.
        """
        if self.refused:
            message = (
                "the bodies and messages that are being received, of all clients, may have at most "
                f"{self._receiving.max_bytes} bytes together, and this one would be beyond; try again"
            )
            raise PentimentoError(Code.OVERLOADED, message, retry_after_s=_RETRY_S)

    def close(self) -> None:
        """Gives the bytes back. Harmless twice."""
        self._is_open = False
        if self._held:
            self._receiving.change(-self._held)
            self._held = 0
