"""One RPC as its handler sees it: what is known of it, and a write that ends with a slow or absent reader."""

__all__ = ["Call", "Context", "Pace"]

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, TypeAlias
from urllib.parse import unquote

import grpc
from google.protobuf.message import Message

from pentimento.service.door.door import Caller
from pentimento.service.errors import Code, PentimentoError, Stalled
from pentimento.service.telemetry.request_log import RequestFacts, request_id

_MOMENT_S = 1.0
_SECRETS = ("authorization", "x-api-key")

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


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
    repeated: str | None = None  # a secret that the metadata has twice: nobody would know which one counts
    sent: int = 0  # bytes of the last message
    end: float = math.inf  # on the clock of the event loop: when it ends if it waits for its reader

    @classmethod
    def begin(cls, context: Context, pace: Pace) -> Self:
        """Makes the Call of an RPC from gRPC's context.

        Its request id is `x-request-id` of the metadata, where that is sane, or made; it returns as trailing
        metadata.
        """
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
        address = _address(context.peer())
        call = cls(
            id=request_id(first.get("x-request-id")),
            client=address or "-",
            caller=Caller(
                address,
                authorization=first.get("authorization"),
                api_key=first.get("x-api-key"),
                forwarded_for=",".join(hops) or None,
            ),
            context=context,
            pace=pace,
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
        """Makes writes fail that wait for their reader after `seconds`; computing has its own deadline."""
        self.end = asyncio.get_running_loop().time() + seconds

    async def write(self, message: Message) -> None:
        """Sends a message of a stream, and waits until gRPC has taken it.

        Raises:
            PentimentoError: DEADLINE_EXCEEDED: the client took less than it must, or nothing at the end.
            CancelledError: The client has left.
        """
        data = message.SerializeToString()
        self.sent = len(data)
        seconds = self.pace.max_stall_s + self.sent / self.pace.min_bytes_per_s
        # What is late by no fault of the reader is still given a moment.
        left = max(_MOMENT_S, self.end - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(min(seconds, left)):
                await self.context.write(data)
        except TimeoutError:
            if left < seconds:
                late = "the deadline passed while the client was not reading"
                raise PentimentoError(Code.DEADLINE_EXCEEDED, late) from None
            raise Stalled(f"the client took no message in {seconds:.3g} s; see max_stall_s") from None
        except grpc.aio.InternalError:  # the client left while it was written: gRPC says so a moment later
            raise asyncio.CancelledError from None


def _address(peer: str) -> str | None:
    """The address of `ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000`; None where there is none."""
    kind, _, place = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return None
    return unquote(place).rpartition(":")[0].strip("[]")
