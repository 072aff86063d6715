"""Ten times more than the server can do: refused quickly and clearly, or finished; never in between."""

import asyncio

import pytest

from tests.reliability.asks import WAYS, Ask
from tests.reliability.drawings import Clients
from tests.reliability.server import eventually
from tests.reliability.storm import capacity, storm

ROWS = 8  # that the server admits
DRAWING = Ask(steps=4, work=300)  # 0.2 s alone on an idle machine


@pytest.mark.alone
@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "workers"])
async def test_ten_times_too_much_is_refused_at_the_door(serve):
    server = serve(max_rows_in_flight=ROWS)
    async with Clients(server) as clients:
        able = await capacity(clients, DRAWING, ROWS)
        at_first = server.rss
        after = await storm(clients, DRAWING, rate=10 * able, seconds=4, ways=WAYS)
        print(f"{able:.1f} drawings a second are possible; at ten times that, {after}")
        assert not after.wrong
        assert after.endings["OK"] >= ROWS, "the admitted finish"
        assert after.endings["OVERLOADED"] > 5 * after.endings["OK"]
        # Milliseconds where the processors are idle; here clients, server and others share them.
        assert after.refused_ms(50) < 250, "refusals are slow"
        assert after.refused_ms(99) < 1000, "some refusals are slow"
        assert server.rss - at_first < 32 << 20
        await eventually(server.snapshot, lambda now: now.rows == 0, "all rows are free")
        for way in WAYS:  # and is at once itself again
            assert (await asyncio.wait_for(clients.draw(way, Ask(steps=2)), 10)).code == "OK"
        assert await capacity(clients, DRAWING, ROWS) > able / 3
    server.stop()


async def test_a_request_is_admitted_whole_or_not_at_all(serve):
    server = serve(max_rows_in_flight=ROWS)
    async with Clients(server) as clients:
        for way in WAYS:
            blocker = await clients.begin(way, Ask(n=ROWS - 2, steps=400, work=100))
            await eventually(server.snapshot, lambda now: now.rows == ROWS - 2, "it is admitted")
            for other in WAYS:
                refused = await clients.draw(other, Ask(n=3, steps=1))
                assert refused.code == "OVERLOADED" and f"the limit of {ROWS}" in refused.detail
                assert refused.retry_after_s and not refused.frames
                assert (await server.snapshot()).rows == ROWS - 2
            assert (await clients.draw(way, Ask(n=2, steps=1))).code == "OK"
            blocker.hang_up()
            await eventually(server.snapshot, lambda now: now.rows == 0, "all rows are free")
    server.stop()
