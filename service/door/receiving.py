"""A budget in bytes for what is being received: all bodies and messages of both transports together.

Each request may have as much as `max_body_bytes`, and there may be thousands of connections: without a budget
the two would multiply. One client has a share of it. And what is slow keeps nobody out: when most of it is
held, bodies that do not come on give their place to others.
"""

__all__ = ["Parcel", "Receiving"]

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import NoReturn, Self

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.group import Group
from pentimento.service.settings import Settings

_RETRY_S = 1.0  # nobody knows how long the others take
_SHARES = 4  # a client may hold a quarter: three others find room beside it
_TIGHT = 0.75  # of the budget: when more is held, who is slow is let go of
_PIECE = 64 << 10  # bytes of a body that must come
_PIECE_S = 2.0  # in this time then: a telephone sends ten times as fast


class Receiving:
    """The budget of a server, over all its workers. Belongs to one event loop.

    Args:
        max_bytes: That all parcels together may hold.
        share: That the parcels of one client may hold in this process; None: all.
        elsewhere: Gives the bytes that the other workers hold.
        note: Told of the bytes that this one holds, at each change.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        share: int | None = None,
        elsewhere: Callable[[], int] = lambda: 0,
        note: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_bytes, self.share = max_bytes, max_bytes if share is None else share
        self.held = 0
        """Bytes that the parcels of this process hold."""
        self._of: Counter[str] = Counter()  # of these, by client
        self._coming: OrderedDict[Parcel, float] = OrderedDict()  # since when no piece came; longest first
        self._elsewhere, self._note, self._clock = elsewhere, note, clock

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
            return cls(most, share=max(each, most // _SHARES))
        board, number, slot = group.board, group.number, group.slot
        return cls(
            most,
            share=max(each, most // _SHARES // board.count),
            elsewhere=lambda: board.elsewhere(number, "received"),
            note=lambda held: slot.write("received", held),
        )

    def open(self, client: str = "") -> "Parcel":
        """A parcel of a client that holds nothing yet."""
        return Parcel(self, client)

    def why_not(self, client: str, size: int) -> str | None:
        """Why a client may not hold so many bytes more; None if it may. For parcels, as all below."""
        if self._of[client] + size > self.share:
            return (
                "the bodies and messages that are being received of one client may have at most "
                f"{self.share} bytes together, and this one would be beyond; try again"
            )
        if self.held + size + self._elsewhere() > self.max_bytes:
            self.make_room()
            if self.held + size + self._elsewhere() > self.max_bytes:
                return (
                    "the bodies and messages that are being received, of all clients, may have at most "
                    f"{self.max_bytes} bytes together, and this one would be beyond; try again"
                )
        return None

    def change(self, client: str, size: int) -> None:
        """Counts so many bytes more of a client, or with a negative number less."""
        self.held += size
        self._of[client] += size
        if not self._of[client]:
            del self._of[client]
        self._note(self.held)

    def comes(self, parcel: "Parcel") -> None:
        """Notes that a piece of a parcel has come, or its beginning, and that more is to come."""
        self._coming[parcel] = self._clock()
        self._coming.move_to_end(parcel)

    def is_there(self, parcel: "Parcel") -> None:
        """Notes that no more is to come of a parcel."""
        self._coming.pop(parcel, None)

    def make_room(self) -> None:
        """Lets go of parcels that do not come on, the slowest first, while most of the budget is held."""
        latest = self._clock() - _PIECE_S
        while self._coming and self.held + self._elsewhere() > _TIGHT * self.max_bytes:
            parcel, since = next(iter(self._coming.items()))
            if since > latest:
                return
            parcel.lose(
                f"more than {_TIGHT:.0%} of what all bodies together may have is held, and this one came at "
                f"less than {_PIECE / _PIECE_S:.0f} bytes a second; try again"
            )

    async def watch(self) -> NoReturn:
        """Makes room for what other workers receive, too, for ever."""
        while True:
            await asyncio.sleep(_PIECE_S / 2)
            self.make_room()


class Parcel:
    """A request's body or message while it is received and read; holds bytes of the budget until closed.

    Attributes:
        wake: Called when it was lost while its reader waits for more; None: it is taken whole, and not lost.
    """

    __slots__ = ("_client", "_held", "_is_open", "_piece", "_receiving", "_refusal", "wake")

    def __init__(self, receiving: Receiving, client: str) -> None:
        self._receiving, self._client = receiving, client
        self._held = self._piece = 0
        self._is_open = True
        self._refusal: str | None = None
        self.wake: Callable[[], None] | None = None

    @property
    def refused(self) -> bool:
        """Whether some of it was refused or lost: then what is there is not the whole."""
        return self._refusal is not None

    def belong_to(self, client: str) -> None:
        """Says whose it is, when that is known."""
        self._receiving.change(self._client, -self._held)
        self._client = client
        self._receiving.change(client, self._held)

    def take(self, size: int) -> bool:
        """Counts bytes that have come.

        Returns:
            Whether they may be kept. Of a parcel that was refused or closed, nothing more may.
        """
        if self.refused or not self._is_open:
            return False
        refusal = self._receiving.why_not(self._client, size)
        if refusal is not None or self.refused:  # room may have been made of this one
            self._refusal = self._refusal or refusal
            self._receiving.is_there(self)
            return False
        if self.wake is not None:
            self._piece += size
            if self._piece >= _PIECE or not self._held:
                self._piece = 0
                self._receiving.comes(self)
        self._held += size
        self._receiving.change(self._client, size)
        return True

    def complete(self) -> None:
        """Says that it is there, and no more will come."""
        self._receiving.is_there(self)

    def lose(self, why: str) -> None:
        """Gives the bytes back, as others need the room; whoever reads it is told so."""
        self._refusal = why
        self._give_back()
        if self.wake is not None:
            self.wake()

    def check(self) -> None:
        """Refuses the request if some of it was refused.

        Raises:
            PentimentoError: OVERLOADED.
        """
        if self._refusal is not None:
            raise PentimentoError(Code.OVERLOADED, self._refusal, retry_after_s=_RETRY_S)

    def close(self) -> None:
        """Gives the bytes back. Harmless twice."""
        self._is_open = False
        self.wake = None
        self._give_back()

    def _give_back(self) -> None:
        self._receiving.is_there(self)
        if self._held:
            self._receiving.change(self._client, -self._held)
            self._held = 0
