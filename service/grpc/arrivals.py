"""Messages of gRPC on their way: each has a time in which it must be there, and few may be slow.

gRPC hands a message over when it is complete, and lets in as much of it as a message may have as soon as
somebody waits for it; how much is there, nothing in its interface says. So what is slow counts as large as it
may become.
"""

__all__ = ["Arrivals"]

import asyncio
import math
from collections import Counter
from dataclasses import dataclass, field

from pentimento.service.errors import Code, PentimentoError, Stalled
from pentimento.service.grpc.call import Context

_PROMPT_S = 0.1  # by then, and when the event loop has gone round once more, a message is there, or slow
_MOST_SLOW = 32  # at a time, in this process; each may have `max_body_bytes`
_MOST_SLOW_OF_CLIENT = 8  # a quarter: one client cannot keep out the others
_RETRY_S = 1.0


@dataclass(slots=True, eq=False)
class _Arrival:
    client: str
    task: "asyncio.Task[object]"
    since: float  # on the clock of the event loop
    rounds: int = 0  # that the watch has made since it was due
    is_slow: bool = False
    failure: PentimentoError | None = field(default=None, repr=False)


class Arrivals:
    """Reads messages. Belongs to one event loop.

    Args:
        max_stall_s: Seconds in which each must be there.
    """

    def __init__(self, max_stall_s: float) -> None:
        self._max_stall_s = max_stall_s
        self._waited_for: dict[_Arrival, None] = {}  # those that began first come first
        self._slow: Counter[str] = Counter()  # of these, by client
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, context: Context, client: str) -> bytes | None:
        """Waits for the next message of a call.

        Args:
            context: Of the call, without a deserializer.
            client: Who sends it.

        Returns:
            The message as bytes; None: the client has said that there is none.

        Raises:
            PentimentoError: DEADLINE_EXCEEDED: it was not there in time. OVERLOADED: too many are slow.
            CancelledError: The client has left.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        arrival = _Arrival(client, task, loop.time())
        self._waited_for[arrival] = None
        if self._timer is None:  # one for all
            self._timer = loop.call_later(_PROMPT_S, self._look, loop)
        try:
            data = await context.read()
        except asyncio.CancelledError:
            if arrival.failure is None or task.uncancel():
                raise
            raise arrival.failure from None
        finally:
            del self._waited_for[arrival]
            if arrival.is_slow:
                self._slow[client] -= 1
                if not self._slow[client]:
                    del self._slow[client]
        return data if isinstance(data, bytes) else None  # gRPC's EOF

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Looks at what is waited for: ends what is late, and what is slow beyond the limits."""
        now = loop.time()
        for arrival in self._waited_for:
            if now - arrival.since < _PROMPT_S:
                break
            if arrival.failure is None:
                arrival.rounds += 1
                arrival.failure = self._judge(arrival, now)
                if arrival.failure is not None:
                    arrival.task.cancel()
        self._timer = loop.call_later(_PROMPT_S, self._look, loop) if self._waited_for else None

    def _judge(self, arrival: _Arrival, now: float) -> PentimentoError | None:
        if now - arrival.since >= self._max_stall_s:
            return Stalled(f"the message was not there in {self._max_stall_s:.3g} s; see max_stall_s")
        # In the first round it may be there, and its reader not yet have run: who computes holds up both.
        if arrival.is_slow or arrival.rounds == 1:
            return None
        if self._slow[arrival.client] >= _MOST_SLOW_OF_CLIENT:
            who, most = f"client {arrival.client}", _MOST_SLOW_OF_CLIENT
        elif self._slow.total() >= _MOST_SLOW:
            who, most = "all clients together", _MOST_SLOW
        else:
            arrival.is_slow = True
            self._slow[arrival.client] += 1
            return None
        ms = math.ceil(1000 * (now - arrival.since))
        message = (
            f"{who} may send at most {most} messages slowly at a time; this one was not there in {ms} ms"
        )
        return PentimentoError(Code.OVERLOADED, message, retry_after_s=_RETRY_S)
