"""Rate limits: a token bucket for each client, in bounded memory."""

__all__ = ["Buckets"]

from collections import OrderedDict
from collections.abc import Callable


class Buckets:
    """A token bucket for each client: `burst` requests at once, and `per_s` a second in the long run.

    A bucket is full at first, and kept as the moment at which it will be full again; a full one is the same
    as none. Belongs to one thread.

    Args:
        per_s: Requests a second, above 0.
        burst: Requests at once, at least 1.
        clock: Seconds that only grow.
        max_clients: Buckets kept; beyond, the client that has not asked for the longest time has a full one.
    """

    def __init__(
        self, *, per_s: float, burst: int, clock: Callable[[], float], max_clients: int = 65_536
    ) -> None:
        self._seconds_each = 1 / per_s
        self._seconds_full = burst / per_s
        self._clock = clock
        self._max_clients = max_clients
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Number of buckets that are kept."""
        return len(self._full_at)

    def take(self, client: str) -> float:
        """Takes one request out of a client's bucket, unless it is empty.

        Returns:
            0, or the seconds after which there is one in it.
        """
        now = self._clock()
        full_at = max(self._full_at.get(client, now), now) + self._seconds_each
        wait = full_at - now - self._seconds_full
        if wait <= 1e-9:  # what may be left over from adding floats
            self._full_at[client], wait = full_at, 0.0
        self._full_at.move_to_end(client)
        if len(self._full_at) > self._max_clients:
            self._full_at.popitem(last=False)
        return wait
