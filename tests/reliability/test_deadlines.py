"""A deadline holds in the queue and in mid-drawing, to within one step, in every way of asking."""

import asyncio
import json
import time

import pytest

from tests.reliability.asks import DRAWN_WHOLE, EITHER, STREAMED, WAYS, Ask, Way
from tests.reliability.drawings import Clients
from tests.reliability.server import eventually
from tests.reliability.wire import HttpConnection

pytestmark = pytest.mark.alone

A_STEP = 300.0  # of work: 0.05 s on an idle machine


@pytest.mark.parametrize(("idle", "way"), EITHER, indirect=["idle"])
async def test_a_deadline_in_the_middle_of_a_drawing(idle, way):
    async with Clients(idle) as clients:
        before = await idle.snapshot()
        began = time.monotonic()
        late = await clients.draw(way, Ask(n=2, steps=1000, work=A_STEP, timeout_ms=400))
        took = time.monotonic() - began
        after = await eventually(idle.snapshot, lambda now: now.rows == 0, "its rows are free")
        assert late.code == "DEADLINE_EXCEEDED"
        assert 0.4 <= took < 5
        drawn = after.calls("toy-puppet") - before.calls("toy-puppet")
        assert f"after {drawn} of 1000 steps" in late.detail or f"after {drawn - 1} of 1000" in late.detail
        if way in STREAMED:
            assert drawn - 1 <= len(late.frames) <= drawn, "what was drawn in time was sent"
        await asyncio.sleep(0.2)
        assert (await idle.snapshot()).calls("toy-puppet") <= after.calls("toy-puppet") + 1, "it draws on"
        counted = before.outcomes(way.transport).get("deadline_exceeded", 0) + 1
        assert (await idle.snapshot()).outcomes(way.transport)["deadline_exceeded"] == counted


async def test_a_deadline_in_the_queue(idle):
    """Behind drawings whose steps take long: it ends with the step that is running, without being begun."""
    async with Clients(idle) as clients:
        boulder = await clients.begin(Way.SSE, Ask(steps=30, work=3000))
        await boulder.frame()
        late = [asyncio.create_task(clients.draw(way, Ask(n=3, timeout_ms=60))) for way in WAYS]
        await eventually(idle.snapshot, lambda now: now.rows == 1 + 3 * len(WAYS), "all are admitted")
        admitted = (await idle.snapshot()).calls("toy-puppet")
        for ending in await asyncio.gather(*late):
            assert ending.code == "DEADLINE_EXCEEDED" and not ending.frames
            assert "deadline passed" in ending.detail and "reading" not in ending.detail
        over = await idle.snapshot()
        assert over.calls("toy-puppet") - admitted <= 2, "it waited for more than the running step"
        assert over.rows == 1
        boulder.hang_up()


@pytest.mark.parametrize("way", [Way.UNARY, Way.STREAM])
async def test_the_deadline_of_a_call_is_the_deadline_of_its_drawing(idle, way):
    """The same without the field: gRPC clients set deadlines on calls."""
    async with Clients(idle) as clients:
        before = await idle.snapshot()
        late = await clients.draw(way, Ask(n=2, steps=1000, work=A_STEP), deadline_s=0.4)
        assert late.code == "DEADLINE_EXCEEDED"
        after = await eventually(idle.snapshot, lambda now: now.rows == 0, "its rows are free")
        assert after.calls("toy-puppet") - before.calls("toy-puppet") < 100


@pytest.mark.parametrize("way", DRAWN_WHOLE)
async def test_a_deadline_that_passes_in_the_last_call(idle, way):
    """A call is not interrupted, but what it draws is encoded for nobody."""
    async with Clients(idle) as clients:
        late = await clients.draw(way, Ask(steps=1, work=10 * A_STEP, timeout_ms=150))
        assert late.code == "DEADLINE_EXCEEDED" and not late.frames
        assert late.detail.startswith(
            "the deadline passed "
        )  # where it is noticed, the machine's speed decides


async def test_a_deadline_while_an_animation_is_encoded(idle):
    """A second and more of encoding for a drawing of some tenths: it is given up on the way."""
    path = "/generate?model=toy-wide&n=64&steps=15&seed=1&timeout_ms=300"
    began = time.monotonic()
    async with HttpConnection(idle.http_port) as connection:
        await connection.ask("POST", path, headers={"Accept": "image/gif"})
        status, _ = await connection.head()
        body = await connection.body()
    assert status == 504 and json.loads(body)["detail"].startswith("the deadline passed ")
    assert time.monotonic() - began < 5
