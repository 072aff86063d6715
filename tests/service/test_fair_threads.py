"""Threads that clients take turns in."""

import asyncio
import gc
import threading
import weakref

import pytest

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.fair_threads import ASKER, FairThreads


class Held:
    """One thread that does nothing until it is released; what is done then is in `order`."""

    def __init__(self):
        self.threads, self.order = FairThreads(1, "test"), []
        self._go, self._tasks = threading.Event(), []

    async def __aenter__(self):
        self.ask("first", self._go.wait, 30)
        while not self.threads._pool._threads:
            await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_):
        self._go.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def ask(self, client, work=None, *args, **options):
        async def do():
            ASKER.set(client)
            return await self.threads.run(work or self.order.append, *args, **options)

        task = asyncio.create_task(do())
        self._tasks.append(task)
        return task


async def test_clients_take_turns():
    async with Held() as held:
        for i in range(4):
            held.ask("many", None, f"many {i}")
        held.ask("few", None, "few 0")
        held.ask("other", None, "other 0")
        held.ask("few", None, "few 1")
        await asyncio.sleep(0)
    assert held.order == ["many 0", "few 0", "other 0", "many 1", "few 1", "many 2", "many 3"]


async def test_what_it_returns_or_raises_comes_back():
    threads = FairThreads(2, "test")
    assert await threads.run(divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 7, 0)


async def test_what_is_late_never_begins():
    async with Held() as held:
        late = held.ask("a", None, "late", left_s=0.05, doing="it was tried")
        with pytest.raises(PentimentoError, match="the deadline passed while it was tried") as caught:
            await late
        over = held.ask("a", None, "over", left_s=0.0)
        with pytest.raises(PentimentoError):
            await over
        held.ask("a", None, "in time", left_s=60.0)
        await asyncio.sleep(0)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    assert held.order == ["in time"]


class Large:
    """Something that can be looked for."""


async def test_nothing_is_kept_of_what_is_done():
    """Not even until the next garbage collection: it may be some megabytes."""
    threads, large = FairThreads(1, "test"), Large()
    seen = weakref.ref(large)
    gc.collect()
    gc.disable()
    try:
        given = [await threads.run(lambda each: each, large)]
        with pytest.raises(AttributeError):
            await threads.run(lambda each: each.nothing, large)
        await threads.run(int)  # the thread lets go of what it did before
        del given, large
        assert seen() is None
    finally:
        gc.enable()


async def test_what_is_cancelled_is_let_go_of_at_once():
    async with Held() as held:
        large = Large()
        seen, task = weakref.ref(large), held.ask("a", None, large)
        del large
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        held._tasks.remove(task)
        del task
        await asyncio.sleep(0)
        gc.collect()
        assert seen() is None
        held.ask("a", None, "another")
        await asyncio.sleep(0)
    assert held.order == ["another"]
