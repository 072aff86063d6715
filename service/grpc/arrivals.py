"""Messages of gRPC on their way: each has a time in which it must be there, and few may be slow.

gRPC hands a message over when it is complete, and lets in as much of it as a message may have as soon as
somebody waits for it. What has come of it is known by connection (`progress`). Slow is what does not come on,
and counts as large as it may become; so does everything of a client of which as much has come.
"""

__all__ = ["Arrivals"]

import asyncio
import math
from collections import Counter
from dataclasses import dataclass, field

from pentimento.service.errors import Code, PentimentoError, Stalled
from pentimento.service.grpc.call import Context, Pace
from pentimento.service.grpc.progress import Progress

_PROMPT_S = 0.1  # by then, and when the event loop has gone round once more, a message is there, or looked at
_MOST_SLOW = 32  # at a time, in this process; each may have `max_body_bytes`
_MOST_SLOW_OF_CLIENT = 8  # a quarter: one client cannot keep out the others
_RETRY_S = 1.0
_PAUSE = 10  # times what a look took: with thousands of connections it takes some milliseconds


@dataclass(slots=True, eq=False)
class _Arrival:
    client: str
    peer: str
    task: "asyncio.Task[object]"
    since: float  # on the clock of the event loop
    rounds: int = 0  # that the watch has made since it was due
    failure: PentimentoError | None = field(default=None, repr=False)


class Arrivals:
    """Reads messages. Belongs to one event loop.

    Args:
        pace: Each must be there within `max_stall_s`; a connection on which some come must bring
            `min_bytes_per_s` for each of them, or they are slow.
        max_bytes: Of a message.
        progress: Measures connections.
    """

    def __init__(self, pace: Pace, max_bytes: int, progress: Progress) -> None:
        self._pace, self._max_bytes, self._progress = pace, max_bytes, progress
        self._waited_for: dict[_Arrival, None] = {}  # those that began first come first
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
        arrival = _Arrival(client, context.peer(), task, loop.time())
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
        if not isinstance(data, bytes):  # gRPC's EOF
            return None
        self._progress.complete(arrival.peer, len(data))
        return data

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Looks at what is waited for: ends what is late, and what is slow beyond the limits."""
        now = loop.time()
        due = []
        for arrival in self._waited_for:
            if now - arrival.since < _PROMPT_S:
                break
            if arrival.failure is None:
                arrival.rounds += 1
                due.append(arrival)
        if any(arrival.rounds > 1 for arrival in due):
            slow = self._slow(now)
        else:
            slow = set()
        places: Counter[str] = Counter()  # that slow ones have taken, by client
        for arrival in due:
            arrival.failure = self._judge(arrival, now, arrival.peer in slow, places)
            if arrival.failure is not None:
                arrival.task.cancel()
        pause_s = max(_PROMPT_S, _PAUSE * (loop.time() - now))
        self._timer = loop.call_later(pause_s, self._look, loop) if self._waited_for else None

    def _slow(self, now: float) -> set[str]:
        """The peers whose messages do not come on, or of whose client so much has come that they may not."""
        coming = Counter(arrival.peer for arrival in self._waited_for)
        oldest: dict[str, float] = {}
        clients: dict[str, set[str]] = {}
        for arrival in self._waited_for:
            oldest.setdefault(arrival.peer, arrival.since)
            clients.setdefault(arrival.client, set()).add(arrival.peer)
        self._progress.look(now, oldest)
        has = {peer: min(self._progress.pending(peer), n * self._max_bytes) for peer, n in coming.items()}
        if sum(has.values()) > _MOST_SLOW * self._max_bytes:
            return set(coming)
        slow = {
            peer
            for peer, n in coming.items()
            if not self._progress.moves(peer, now, n * self._pace.min_bytes_per_s)
        }
        for peers in clients.values():
            if sum(has[peer] for peer in peers) > _MOST_SLOW_OF_CLIENT * self._max_bytes:
                slow |= peers
        return slow

    def _judge(
        self, arrival: _Arrival, now: float, is_slow: bool, places: "Counter[str]"
    ) -> PentimentoError | None:
        most_s = self._pace.max_stall_s
        if now - arrival.since >= most_s:
            return Stalled(f"the message was not there in {most_s:.3g} s; see max_stall_s")
        # In the first round it may be there, and its reader not yet have run: who computes holds up both.
        if not is_slow or arrival.rounds == 1:
            return None
        if places[arrival.client] >= _MOST_SLOW_OF_CLIENT:
            who, most = f"client {arrival.client}", _MOST_SLOW_OF_CLIENT
        elif places.total() >= _MOST_SLOW:
            who, most = "all clients together", _MOST_SLOW
        else:
            places[arrival.client] += 1
            return None
        ms = math.ceil(1000 * (now - arrival.since))
        message = (
            f"{who} may send at most {most} messages slowly at a time; this one was not there in {ms} ms"
        )
        return PentimentoError(Code.OVERLOADED, message, retry_after_s=_RETRY_S)
