"""One RPC as its handler sees it: what is known of it, and a write that ends with a slow or absent reader."""

__all__ = ["Call", "Context", "Pace", "caller_of"]

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, TypeAlias
from urllib.parse import unquote

import grpc
from google.protobuf.message import Message

from pentimento.service.door.door import Caller
from pentimento.service.errors import Code, PentimentoError, Stalled
from pentimento.service.grpc.sending import NoRoom, Outgoing
from pentimento.service.telemetry.request_log import RequestFacts, request_id

_MOMENT_S = 1.0
_TICK_S = 0.001  # an event loop's clock may be so coarse
_SECRETS = ("authorization", "x-api-key")

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class _Impatience:
    """Cancels the current task once a write has taken too long.

    One timer for a whole call, which when it rings is set anew for the write under way: a timeout around each
    message took a tenth of what gRPC itself takes to send it.
    """

    __slots__ = ("_due", "_expired", "_loop", "_rings_at", "_task", "_timer")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._due = math.inf  # until when the write under way must be done
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf
        self._expired = False

    def now(self) -> float:
        """The time on the clock of the event loop."""
        return self._loop.time()

    def begin(self, due: float) -> None:
        """A write begins, which must be done when the clock says `due`."""
        self._due = due
        if due < self._rings_at:
            self._set(due)

    def end(self) -> None:
        """The write has ended, in whatever way."""
        self._due = math.inf

    def takes_back(self) -> bool:
        """Whether a cancellation was the timer's alone; then the task is not cancelled any more."""
        return self._expired and self._task is not None and self._task.uncancel() == 0

    def stop(self) -> None:
        """Forgets the timer: nothing is written any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = when
        self._timer = None if when == math.inf else self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._due > self._loop.time() + _TICK_S:
            self._set(self._due)
        elif self._task is not None:
            self._expired = True
            self._task.cancel()


class Pace(NamedTuple):
    """The slowest that a client may read, as a time limit for each message."""

    max_stall_s: float  # for any message
    min_bytes_per_s: float  # and besides, the time that its bytes take at this speed


@dataclass(slots=True, kw_only=True)
class Call(RequestFacts):
    """One RPC: what the log records, who calls, and a way to write to the client."""

    caller: Caller
    context: Context = field(repr=False)
    pace: Pace
    outgoing: Outgoing = field(repr=False)  # what of the budget for answers it has
    repeated: str | None = None  # a secret that the metadata has twice: nobody would know which one counts
    sent: int = 0  # bytes of the last message
    counts_as: str | None = None  # the RPC of our own that metrics count it as; None: its own name
    end: float = math.inf  # on the clock of the event loop: when it ends if it waits for its reader
    impatience: _Impatience = field(default_factory=_Impatience, repr=False)

    @classmethod
    def begin(cls, context: Context, pace: Pace, outgoing: Outgoing) -> Self:
        """Makes the Call of an RPC from gRPC's context.

        Its request id is `x-request-id` of the metadata, where that is sane, or made; it returns as trailing
        metadata.
        """
        caller, first, repeated = _told(context)
        call = cls(
            id=request_id(first.get("x-request-id")),
            client=caller.address or "-",
            caller=caller,
            context=context,
            pace=pace,
            outgoing=outgoing,
            repeated=repeated,
        )
        # With the status, as what comes before an answer would be a message more for each call.
        context.set_trailing_metadata((("x-request-id", call.id),))
        return call

    @property
    def authorization(self) -> str | None:
        """The `authorization` of the metadata; None without it."""
        return self.caller.authorization

    def time_remaining(self) -> float | None:
        """Seconds until the deadline that the client gave; None: it gave none."""
        return self.context.time_remaining()

    def must_end_within(self, seconds: float) -> None:
        """Makes what waits for its reader fail after `seconds`; computing has its own deadline."""
        self.end = self.impatience.now() + seconds

    async def make_room(self, size: int, *, made: bool = False) -> None:
        """Waits until gRPC may be handed an answer of so many bytes, at most `max_stall_s`.

        Args:
            size: Bytes, at most.
            made: Whether the message is there already.

        Raises:
            PentimentoError: OVERLOADED: others still have the room. DEADLINE_EXCEEDED.
            CancelledError: The client has left.
        """
        try:
            self.outgoing.reserve(size)
        except NoRoom as full:
            now = self.impatience.now()
            due = now + self.pace.max_stall_s
            try:
                async with asyncio.timeout_at(min(due, max(self.end, now))):
                    await self.outgoing.wait(size, made=made)
            except TimeoutError:
                if self.end < due:
                    late = "the deadline passed while its answer waited for others to be taken"
                    raise PentimentoError(Code.DEADLINE_EXCEEDED, late) from None
                raise full from None

    async def write(self, message: Message) -> None:
        """Sends a message of a stream, and waits until gRPC has taken it.

        Raises:
            PentimentoError: DEADLINE_EXCEEDED: the client took less than it must, or nothing at the end.
                OVERLOADED: others were not taken in time.
            CancelledError: The client has left.
        """
        data = message.SerializeToString()
        await self.make_room(len(data), made=True)
        self.sent = len(data)
        self.outgoing.hand_over(self.sent)
        seconds = self.pace.max_stall_s + self.sent / self.pace.min_bytes_per_s
        # What is late by no fault of the reader is still given a moment.
        now = self.impatience.now()
        left = max(_MOMENT_S, self.end - now)
        self.impatience.begin(now + min(seconds, left))
        try:
            await self.context.write(data)
        except asyncio.CancelledError:
            if not self.impatience.takes_back():
                raise
            if left < seconds:
                late = "the deadline passed while the client was not reading"
                raise PentimentoError(Code.DEADLINE_EXCEEDED, late) from None
            raise Stalled(f"the client took no message in {seconds:.3g} s; see max_stall_s") from None
        except grpc.aio.InternalError:  # the client left while it was written: gRPC says so a moment later
            raise asyncio.CancelledError from None
        finally:
            self.impatience.end()
        self.outgoing.taken()


def caller_of(context: Context) -> Caller:
    """Who calls, of gRPC's context."""
    return _told(context)[0]


def _told(context: Context) -> tuple[Caller, dict[str, str], str | None]:
    """Who calls, the first value of each key in the metadata, and a secret that it has twice."""
    first: dict[str, str] = {}
    hops: list[str] = []
    repeated = None
    for key, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            if key in first and key in _SECRETS:
                repeated = key
            first.setdefault(key, value)
            if key == "x-forwarded-for":
                hops.append(value)
    caller = Caller(
        _address(context.peer()),
        authorization=first.get("authorization"),
        api_key=first.get("x-api-key"),
        forwarded_for=",".join(hops) or None,
    )
    return caller, first, repeated


def _address(peer: str) -> str | None:
    """The address of `ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000`; None where there is none."""
    kind, _, place = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return None
    return unquote(place).rpartition(":")[0].strip("[]")
