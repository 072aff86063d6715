"""What a burst has left is given back to the system, and nothing is done where there was none."""

import asyncio
import sys
from types import SimpleNamespace

import pytest

from pentimento.service.engine import memory
from pentimento.service.engine.memory import keep_giving_back, memory_in_use

MIB = 1 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_what_is_in_use_is_told():
    before = memory_in_use()
    held = bytearray(64 * MIB)
    held[::4096] = b"\1" * len(held[::4096])
    assert memory_in_use() - before > 48 * MIB


class Process:
    """One that is at a MiB number after the other, one at each look; `live` of it cannot be given back."""

    def __init__(self, monkeypatch, live=0):
        self.now, self.live, self.pauses, self.given_back = 100, live, [], []
        monkeypatch.setattr(memory, "give_back_memory", self._give_back)
        # Not asyncio's own: servers of other tests sleep by it, on threads beside this one.
        mine = SimpleNamespace(sleep=self._sleep, to_thread=asyncio.to_thread)
        monkeypatch.setattr(memory, "asyncio", mine)

    async def watch(self, *sizes):
        self._sizes = iter(sizes)
        with pytest.raises(asyncio.CancelledError):
            await keep_giving_back(lambda: self.now * MIB, 1)
        return self.given_back

    async def _sleep(self, seconds):
        self.pauses.append(seconds)
        self.now = next(self._sizes, None)
        if self.now is None:
            raise asyncio.CancelledError

    def _give_back(self):
        self.given_back.append(self.now)
        self.now = max(self.live, 100)


async def test_growth_beyond_the_limit_is_given_back(monkeypatch):
    assert await Process(monkeypatch).watch(160, 165, 120, 163, 400, 100) == [165, 400]


async def test_the_least_counts(monkeypatch):
    assert await Process(monkeypatch).watch(90, 150, 155) == [155]


async def test_what_is_in_use_is_asked_for_more_and_more_rarely(monkeypatch):
    process = Process(monkeypatch, live=200)
    await process.watch(*[200] * 8, 100, 100)
    assert process.given_back == [200] * 8
    assert process.pauses == [1, 2, 4, 8, 16, 32, 32, 32, 32, 1, 1]
