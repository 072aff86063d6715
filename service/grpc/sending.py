"""A budget in bytes for answers on their way: all that gRPC was handed and that no client has taken yet.

gRPC keeps what it is handed until its client reads it, however much that is: its windows bound only what is
on the wire. So a call asks here before it hands anything over, and where it can before its answer is made.
What does not fit waits.
"""

__all__ = ["NoRoom", "Outgoing", "Sending"]

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.group import Group
from pentimento.service.settings import Settings

_SHARES = 4  # a client may have a quarter: one who does not read leaves the others room
_SMALL = 64 << 10  # bytes that may always go to a client who has nothing on its way: HTTP/2 lets them in
_TIGHT = 0.75  # of the budget: when more is on its way, who is slow is let go of
_LOOK_S = 0.05  # other workers make room without a word
_RETRY_S = 1.0  # nobody knows how long the others take


class NoRoom(PentimentoError):
    """OVERLOADED: an answer does not fit now. It may be waited for.

    Args:
        message: One sentence.
        size: Bytes of the answer.
    """

    def __init__(self, message: str, size: int) -> None:
        super().__init__(Code.OVERLOADED, message, retry_after_s=_RETRY_S)
        self.size = size


@dataclass(slots=True, eq=False)
class _Wait:
    size: int
    there: "asyncio.Future[None]"


class Sending:
    """The budget of a server, over all its workers. Belongs to one event loop.

    Args:
        max_bytes: That all answers on their way may have; no message is larger.
        share: That those of one client may have in this process, unless it is a single one.
        elsewhere: Gives the bytes that other workers have on their way; None: there are none.
        note: Told of the bytes that this one has, at each change.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        share: int | None = None,
        elsewhere: Callable[[], int] | None = None,
        note: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.max_bytes, self.share = max_bytes, max_bytes // _SHARES if share is None else share
        self.held = 0
        """Bytes that are on their way from this process, or reserved for answers that are made."""
        self._of: Counter[str] = Counter()  # of these, by client
        self._elsewhere, self._note = elsewhere or (lambda: 0), note
        self._is_shared = elsewhere is not None
        self._waiting: dict[str, deque[_Wait]] = {}  # by client, who take turns
        self._made = 0  # bytes of messages that wait: they are made, and not reserved for
        self._is_full = False  # somebody waits for what others have: nobody may overtake it
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, settings: Settings, group: Group | None = None) -> Self:
        """Makes the budget that the settings give.

        Args:
            settings: Of the server.
            group: The other workers; None: this process is alone.
        """
        most = settings.max_sending_bytes
        if group is None:
            return cls(most)
        board, number, slot = group.board, group.number, group.slot
        return cls(
            most,
            share=most // _SHARES // board.count,
            elsewhere=lambda: board.elsewhere(number, "sending"),
            note=lambda held: slot.write("sending", held),
        )

    @property
    def is_tight(self) -> bool:
        """Whether most of it is on its way, in all workers together: large answers may have to wait."""
        return self.held + self._elsewhere() > _TIGHT * self.max_bytes

    def open(self, client: str) -> "Outgoing":
        """What is on its way to a client for one call: nothing yet."""
        return Outgoing(self, client)

    def take(self, client: str, size: int) -> bool:
        """Counts so many bytes more for a client, if they fit and nobody waits for the same; for calls."""
        if not self._is_let_through(client, size):
            if client in self._waiting or self._is_full or self.why_not(client, size) is not None:
                return False
        self._change(client, size)
        return True

    def give_back(self, client: str, size: int) -> None:
        """Counts so many bytes less, and lets in who waits for them; for calls."""
        self._change(client, -size)
        if self._waiting:
            self._let_in()

    def why_not(self, client: str, size: int) -> str | None:
        """Why a client may not have so many bytes more on their way; None if it may."""
        if self._is_let_through(client, size):
            return None
        if (has := self._of[client]) and has + size > self.share:
            return (
                f"client {client} has not taken {has} bytes of its answers, and {size} more would pass the "
                f"limit of {self.share}; take them first"
            )
        if (has := self.held + self._elsewhere()) + size > self.max_bytes:
            return (
                f"{has} bytes of answers are on their way to all clients, and {size} more would pass the "
                f"limit of {self.max_bytes}; try again"
            )
        return None

    async def wait(self, client: str, size: int, *, made: bool) -> None:
        """Waits until so many bytes more are counted for a client; who gives it a time cancels this.

        Args:
            client: Whose call it is.
            size: Bytes.
            made: Whether the message is there already. Of such, no more than `max_bytes` may wait.

        Raises:
            NoRoom: There are too many.
        """
        if made and self._made + size > self.max_bytes:
            raise NoRoom(self.why_not(client, size) or "too many answers wait; try again", size)
        wait = _Wait(size, asyncio.get_running_loop().create_future())
        queue = self._waiting.setdefault(client, deque())
        queue.append(wait)
        self._made += made * size
        try:
            self._let_in()
            await wait.there
        except asyncio.CancelledError:
            if wait.there.done() and not wait.there.cancelled():
                self.give_back(client, size)
            raise
        finally:
            self._made -= made * size
            with contextlib.suppress(ValueError):
                queue.remove(wait)
            if not queue and self._waiting.get(client) is queue:
                del self._waiting[client]
            self._let_in()

    def _is_let_through(self, client: str, size: int) -> bool:
        return size <= _SMALL and not self._of[client]

    def _change(self, client: str, size: int) -> None:
        self.held += size
        self._of[client] += size
        if not self._of[client]:
            del self._of[client]
        self._note(self.held)

    def _let_in(self) -> None:
        """Lets in who fits, one client after the other, each in its order."""
        self._is_full = False
        for client in list(self._waiting):
            queue = self._waiting[client]
            while queue:
                wait = queue[0]
                if not wait.there.done():
                    reason = self.why_not(client, wait.size)
                    if reason is not None or (self._is_full and not self._is_let_through(client, wait.size)):
                        self._is_full |= self._of[client] == 0 or self._of[client] + wait.size <= self.share
                        break
                    self._change(client, wait.size)
                    wait.there.set_result(None)
                    self._waiting[client] = self._waiting.pop(client)  # the others first, the next time
                queue.popleft()
        self._watch()

    def _watch(self) -> None:
        if self._is_shared and self._timer is None and any(self._waiting.values()):
            self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self._look)

    def _look(self) -> None:
        self._timer = None
        self._let_in()


class Outgoing:
    """What of the budget one call has: from its reservation until its client has taken the message."""

    __slots__ = ("_handed", "_held", "_is_open", "_sending", "client")

    def __init__(self, sending: Sending, client: str) -> None:
        self._sending = sending
        self._held = self._handed = 0
        self._is_open = True
        self.client = client

    def reserve(self, size: int) -> None:
        """Reserves room for so many bytes in all, if it is there at once.

        Raises:
            NoRoom: It is not.
        """
        more = size - self._held
        if more > 0 and self._is_open:
            if not self._sending.take(self.client, more):
                why = self._sending.why_not(self.client, more) or "others wait for room; try again"
                raise NoRoom(why, size)
            self._held = size

    async def wait(self, size: int, *, made: bool) -> None:
        """Waits for room for so many bytes in all; who gives it a time cancels this.

        Args:
            size: Bytes.
            made: Whether the message is there already.

        Raises:
            NoRoom: Too many wait whose messages are made.
        """
        more = size - self._held
        if more > 0 and self._is_open:
            await self._sending.wait(self.client, more, made=made)
            self._held += more
            if not self._is_open:
                self.taken()

    def hand_over(self, size: int) -> None:
        """Notes that gRPC has been handed so many bytes, for which there is room; the rest is given back."""
        if self._is_open:
            self._handed = size
            self.keep_handed()

    def keep_handed(self) -> None:
        """Gives back what was reserved and not handed over: no more will be."""
        self._give_back(self._held - self._handed)

    def taken(self) -> None:
        """Gives everything back: the client has taken what was handed over."""
        self._handed = 0
        self.keep_handed()

    def close(self) -> None:
        """Gives everything back for good: the call is over, whatever its handler still does."""
        self._is_open = False
        self.taken()

    def _give_back(self, size: int) -> None:
        if size > 0:
            self._held -= size
            self._sending.give_back(self.client, size)
