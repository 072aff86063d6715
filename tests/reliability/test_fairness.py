"""Short drawings beside long ones, small bundles beside busy ones, single images beside crowds: none starves.

Counted in graph calls, not in time. The busy bundle has 48 rows and takes 8 in a call: a round is 6 calls.
"""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.reliability.asks import WAYS, Ask, Way
from tests.reliability.drawings import Clients
from tests.reliability.server import eventually

pytestmark = pytest.mark.alone

ROUND = 6  # calls until every long drawing has had its turn
LONG = Ask(n=8, steps=200, work=60)


@asynccontextmanager
async def busy(server):
    """Six long drawings under way."""
    async with Clients(server) as clients:
        sittings = [await clients.begin(Way.NDJSON, LONG) for _ in range(ROUND)]
        drains = [asyncio.create_task(sitting.ending()) for sitting in sittings]
        await eventually(server.snapshot, lambda now: now.calls("toy-puppet") > 2 * ROUND, "all are drawing")
        yield clients
        assert not any(drain.done() for drain in drains), "they were to outlast it"
        for drain in drains:
            drain.cancel()
        await asyncio.gather(*drains, return_exceptions=True)


@pytest.fixture
def narrow(serve):
    """A server whose calls take 8 rows, on one lane."""
    server = serve(max_batch_rows=8)
    yield server
    server.stop()


async def calls_while(server, drawing):
    """Calls that the busy bundle made while something else was drawn."""
    before = (await server.snapshot()).calls("toy-puppet")
    ending = await drawing
    assert ending.code == "OK", ending.detail
    return (await server.snapshot()).calls("toy-puppet") - before


async def test_a_short_drawing_waits_for_its_turn_alone(narrow):
    """Two calls, a round each; first come, first served would make it wait for 1200."""
    async with busy(narrow) as clients:
        for way in WAYS:
            calls = await calls_while(narrow, clients.draw(way, Ask(steps=1)))
            assert calls <= 4 * ROUND, f"{way.name} waited for {calls} calls"


async def test_a_small_bundle_waits_for_its_turns_alone(narrow):
    """Six calls, a round each, beside a bundle that always has work."""
    async with busy(narrow) as clients:
        for way in WAYS:
            calls = await calls_while(narrow, clients.draw(way, Ask(model="toy-steps", steps=5)))
            assert calls <= 2 * 6 * ROUND, f"{way.name} waited for {calls} calls"


async def test_a_crowd_of_small_requests_does_not_starve_a_large_one(narrow):
    """A full batch finds its place among single rows that keep coming."""
    async with Clients(narrow) as clients:
        stop = asyncio.Event()

        async def small(seed: int) -> int:
            drawn = 0
            while not stop.is_set():
                assert (await clients.draw(Way.STREAM, Ask(steps=2, work=60, seed=seed))).code == "OK"
                drawn += 1
            return drawn

        crowd = [asyncio.create_task(small(seed)) for seed in range(12)]
        await eventually(narrow.snapshot, lambda now: now.calls("toy-puppet") > 4, "they are drawing")
        calls = await calls_while(narrow, clients.draw(Way.JSON, Ask(n=8, steps=5)))
        stop.set()
        drawn = await asyncio.gather(*crowd)
        # Twelve rows are two or three batches, so that each of its five steps waits for three calls at most.
        assert calls <= 5 * 4 + 4, f"it waited for {calls} calls"
        assert all(drawn)


async def test_equal_drawings_advance_alike(narrow):
    """Of twelve equal drawings that began together, none is far behind."""
    async with Clients(narrow) as clients:
        begin = (clients.begin(WAYS[1 + i % 2], Ask(n=4, steps=200, work=60)) for i in range(12))
        sittings = await asyncio.gather(*begin)
        drains = [asyncio.create_task(sitting.ending()) for sitting in sittings]
        await eventually(narrow.snapshot, lambda now: now.calls("toy-puppet") > 20 * ROUND, "some rounds")
        steps = [len(sitting.frames) for sitting in sittings]
        assert max(steps) - min(steps) <= 6, f"they are at {steps}"  # the first had a start
        for drain in drains:
            drain.cancel()
        await asyncio.gather(*drains, return_exceptions=True)
