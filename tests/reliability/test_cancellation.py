"""A client that leaves frees its rows within one step, wherever its drawing is, however it was asked for."""

import asyncio

import pytest

from tests.reliability.asks import EITHER, STREAMED, WAYS, Ask, Way
from tests.reliability.churn import leave_streams
from tests.reliability.drawings import Clients
from tests.reliability.server import eventually

pytestmark = pytest.mark.alone

WIDE = Ask(model="toy-wide", n=16, steps=1000)  # 2 GB of frames, if anybody would draw them all


async def leave(server, sitting, way, *, calls_of="toy-puppet", rows_left=0):
    """Hangs up, and returns how many calls of a graph were made until the rows were free."""
    before = await server.snapshot()
    sitting.hang_up()
    freed = await eventually(server.snapshot, lambda now: now.rows == rows_left, "the rows are free")
    cancelled = before.outcomes(way.transport).get("cancelled", 0) + 1
    counted = await eventually(
        server.snapshot,
        lambda now: now.outcomes(way.transport).get("cancelled", 0) == cancelled,
        "it counts as cancelled",
        seconds=10,
    )
    assert counted.rows == rows_left
    return freed.calls(calls_of) - before.calls(calls_of)


@pytest.mark.parametrize("way", WAYS)
async def test_leaving_the_queue(idle, way):
    """Behind a drawing whose one step takes long: it is gone before that step is over."""
    async with Clients(idle) as clients:
        before = await idle.snapshot()
        boulder = await clients.begin(Way.SSE, Ask(steps=1, work=4000))
        await eventually(
            idle.snapshot,
            lambda now: now.calls("toy-puppet", "init") > before.calls("toy-puppet", "init"),
            "on",
        )
        queued = await clients.begin(way, Ask(n=7))
        await eventually(idle.snapshot, lambda now: now.rows == 8, "it is in the queue")
        calls = await leave(idle, queued, way, calls_of="toy-puppet", rows_left=1)
        assert calls == 0, "it waited for the running step"
        assert (await boulder.ending()).code == "OK"
        after = await idle.snapshot()
        assert after.calls("toy-puppet") == before.calls("toy-puppet") + 1, "it was drawn after all"


@pytest.mark.parametrize(("idle", "way"), EITHER, indirect=["idle"])
@pytest.mark.parametrize(("step", "of", "work"), [(2, 40, 600), (1, 2, 2500)], ids=["step k", "last step"])
async def test_leaving_at_a_step(idle, way, step, of, work):
    """While the step after `step` is drawn, which takes 0.1 or 0.4 s on an idle machine."""
    async with Clients(idle) as clients:
        before = await idle.snapshot()
        sitting = await clients.begin(way, Ask(n=3, steps=of, work=work))
        if way in STREAMED:
            for _ in range(step):
                assert len(await sitting.frame()) == 3
        drawn = before.calls("toy-puppet") + step
        now = await eventually(idle.snapshot, lambda now: now.calls("toy-puppet") >= drawn, "it is drawn")
        assert now.rows == 3
        # One may have been under way when it left; another may have begun while the word travelled.
        assert await leave(idle, sitting, way) <= 2
        settled = (await idle.snapshot()).calls("toy-puppet")
        assert settled <= drawn + 2
        await asyncio.sleep(0.3)
        assert (await idle.snapshot()).calls("toy-puppet") <= settled + 1, "it draws for nobody"


@pytest.mark.parametrize("way", STREAMED)
async def test_leaving_while_the_server_writes(idle, way):
    """The buffers between server and client are full; the client takes nothing, and then leaves."""
    async with Clients(idle, small_buffer=True) as clients:
        before = (await idle.snapshot()).calls("toy-wide")
        sitting = await clients.begin(way, WIDE)
        assert len(await sitting.frame()) == 16
        stopped = await paused(idle, "toy-wide")
        assert 0 < stopped - before < 200, "it was drawn for a reader that does not read"
        assert await leave(idle, sitting, way, calls_of="toy-wide") <= 1


async def test_leaving_while_a_whole_answer_is_written(idle):
    """The rows of a JSON answer are free as soon as it is drawn, whether anybody takes it or not."""
    async with Clients(idle, small_buffer=True) as clients:
        before = await idle.snapshot()
        sitting = await clients.begin(Way.JSON, Ask(model="toy-wide", n=16, steps=40))  # 8 MB
        drawn = before.calls("toy-wide") + 40
        await eventually(
            idle.snapshot, lambda now: now.calls("toy-wide") == drawn and now.rows == 0, "drawn, and free"
        )
        ended = sum(before.outcomes("http").values()) + 1
        sitting.hang_up()
        await eventually(
            idle.snapshot, lambda now: sum(now.outcomes("http").values()) == ended, "counted once"
        )


async def paused(server, bundle):
    """Waits until a graph is called no more, and returns how often it was called."""
    last = -1
    while (calls := (await server.snapshot()).calls(bundle)) != last:
        last = calls
        await asyncio.sleep(0.3)
    assert (await server.snapshot()).rows == 16, "it waits for its reader"
    return calls


async def test_five_hundred_cancelled_streams_leave_no_memory_behind(idle):
    """The noise of each is 0.2 to 0.6 MB. The soak leaves ten thousand, and looks at the slope."""
    churn = await leave_streams(idle, 500)
    print(churn)
    assert churn.rss[-1] - churn.rss[0] < 32 << 20
