"""Leaves many streams early, and watches the server's memory."""

__all__ = ["Churn", "leave_streams"]

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.reliability.asks import STREAMED, Ask
from tests.reliability.drawings import Clients
from tests.reliability.server import ServerProcess

_AT_ONCE = 16
_SAMPLES = 20


@dataclass(frozen=True)
class Churn:
    """The server's memory while streams were left.

    Attributes:
        left: Number of streams left when each sample was taken.
        rss: Resident memory then, in bytes.
    """

    left: list[int]
    rss: list[int]

    @property
    def slope(self) -> float:
        """Growth in bytes a stream over the second half: in the first, pools and caches fill."""
        half = len(self.left) // 2
        return float(np.polyfit(self.left[half:], self.rss[half:], 1)[0])

    def __str__(self) -> str:
        grown = (self.rss[-1] - self.rss[0]) / 1e6
        return (
            f"{self.left[-1]} cancelled streams: {self.rss[0] / 1e6:.1f} MB resident at first, "
            f"{grown:+.1f} MB in the end; {self.slope:+.0f} bytes a stream over the second half"
        )


async def leave_streams(
    server: ServerProcess, count: int, *, progress: Callable[[str], None] = lambda _: None
) -> Churn:
    """Begins `count` streams over all transports and leaves each: before its first frame, or after some."""
    churn = Churn([], [])
    done = 0

    async def one(clients: Clients, index: int) -> None:
        nonlocal done
        way = STREAMED[index % len(STREAMED)]
        sitting = await clients.begin(way, Ask(model="toy-slow", steps=1000, n=1 + index % 3, seed=index))
        for _ in range(index // len(STREAMED) % 3):
            await sitting.frame()
        sitting.hang_up()
        done += 1

    async with Clients(server) as clients:
        for start in range(0, count, size := max(_AT_ONCE, count // _SAMPLES)):
            gate = asyncio.Semaphore(_AT_ONCE)

            async def gated(index: int, gate: asyncio.Semaphore = gate) -> None:
                async with gate:
                    await one(clients, index)

            await asyncio.gather(*(gated(index) for index in range(start, min(count, start + size))))
            churn.left.append(done)
            churn.rss.append(server.rss)
            progress(f"{done} of {count} streams left")
    return churn
