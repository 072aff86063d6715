"""Overloads a server: requests arrive at a steady rate, whether or not those before are answered."""

__all__ = ["Storm", "capacity", "storm"]

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.reliability.asks import Ask, Ending, Way
from tests.reliability.drawings import Clients


@dataclass
class Storm:
    """How the requests of an overload ended.

    Attributes:
        endings: Number of requests by their end's code.
        refused_s: Seconds that each refusal took, as its client saw it.
        wrong: Sentences about requests that ended as none may.
    """

    endings: Counter[str] = field(default_factory=Counter)
    refused_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def note(self, way: Way, ask: Ask, ending: Ending, seconds: float) -> None:
        """Counts the end of a request."""
        self.endings[ending.code] += 1
        if ending.code == "OVERLOADED":
            self.refused_s.append(seconds)
            if not ending.retry_after_s or ending.retry_after_s <= 0:
                self.wrong.append(f"{way.name}: refused without a word when to come back")
        elif ending.code != "OK":
            self.wrong.append(f"{way.name}: {ending.code}: {ending.detail}")
        elif len(ending.frames) != ask.steps:
            self.wrong.append(f"{way.name}: {len(ending.frames)} of {ask.steps} frames, and an end")

    def refused_ms(self, percentile: float) -> float:
        """A percentile of the times that refusals took, in milliseconds."""
        return float(np.percentile(self.refused_s, percentile)) * 1000 if self.refused_s else math.nan

    def __str__(self) -> str:
        return (
            f"{self.endings['OK']} finished, {self.endings['OVERLOADED']} refused within "
            f"{self.refused_ms(50):.1f} ms (median), {self.refused_ms(99):.1f} ms (p99)"
        )


async def capacity(clients: Clients, ask: Ask, at_once: int) -> float:
    """Measures the drawings a second that a server makes when `at_once` of them always run."""
    rounds = 3
    started = time.monotonic()
    for _ in range(rounds):
        endings = await asyncio.gather(*(clients.draw(Way.STREAM, ask) for _ in range(at_once)))
        assert all(ending.code == "OK" for ending in endings)
    return rounds * at_once / (time.monotonic() - started)


async def storm(
    clients: Clients,
    ask: Ask,
    *,
    rate: float,
    seconds: float,
    ways: Sequence[Way],
    progress: Callable[[str], None] = lambda _: None,
) -> Storm:
    """Sends `rate` requests a second, spread over `ways`, and waits for the end of all."""
    storm = Storm()
    started = time.monotonic()
    running: set[asyncio.Task[None]] = set()

    async def one(way: Way) -> None:
        began = time.monotonic()
        ending = await clients.draw(way, ask)
        storm.note(way, ask, ending, time.monotonic() - began)

    for index, way in enumerate(itertools.cycle(ways)):
        due = started + index / rate
        if due > started + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.create_task(one(way))
        running.add(task)
        task.add_done_callback(running.discard)
        if index % max(1, round(rate)) == 0:
            progress(f"{time.monotonic() - started:.0f} of {seconds:.0f} s, {len(running)} under way")
    await asyncio.gather(*running)
    return storm
