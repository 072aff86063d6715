"""A lane's process that dies: its drawings fail, nobody else's, and another takes its place."""

import asyncio
import os
import signal
import time

import pytest

from tests.reliability.asks import Ask, Way
from tests.reliability.drawings import Clients
from tests.reliability.server import eventually

LONG = Ask(steps=20, work=600, timeout_ms=120_000)  # about a second on an idle machine


@pytest.mark.parametrize("way", [Way.JSON, Way.STREAM])  # a server for each takes time
async def test_its_drawings_fail_and_the_others_finish(serve, way):
    server = serve(lanes=2)
    async with Clients(server) as clients:
        drawings = [asyncio.create_task(clients.draw(way, LONG)) for _ in range(4)]  # two on each lane
        await eventually(server.snapshot, lambda now: now.calls("toy-puppet") >= 4, "all are drawn")
        dead = server.lanes[0]
        os.kill(dead, signal.SIGKILL)
        endings = await asyncio.wait_for(asyncio.gather(*drawings), 60)
        assert sorted(ending.code for ending in endings) == ["INTERNAL"] * 2 + ["OK"] * 2
        assert all(len(ending.frames) == 20 for ending in endings if ending.code == "OK")
        again = await asyncio.gather(*(clients.draw(way, Ask(model="toy-steps")) for _ in range(8)))
        assert [ending.code for ending in again] == ["OK"] * 8
    assert (await server.snapshot()).rows == 0
    assert dead not in server.lanes and len(server.lanes) == 2
    assert "ended unexpectedly; its drawings failed, and another takes its place" in server.log
    server.stop()


async def test_without_any_lane_it_says_so_and_comes_back(serve):
    server = serve(lanes=1)
    async with Clients(server) as clients:
        os.kill(server.lanes[0], signal.SIGKILL)  # another is there at once
        await drawn(clients)
        os.kill(server.lanes[0], signal.SIGKILL)  # the next is half a second away
        endings = [await clients.draw(Way.JSON, Ask(model="toy-steps")) for _ in range(20)]
        refused = [ending for ending in endings if ending.code == "UNAVAILABLE"]
        assert refused and all(ending.retry_after_s for ending in refused)
        assert {ending.code for ending in endings} <= {"UNAVAILABLE", "INTERNAL", "OK"}
        await drawn(clients)
    server.stop()


async def drawn(clients):
    """Asks until a drawing is there."""
    end = time.monotonic() + 60
    while (await clients.draw(Way.JSON, Ask(model="toy-steps"))).code != "OK":
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def test_lanes_do_not_outlive_a_server_that_is_killed(serve):
    server = serve(lanes=2)
    lanes = server.lanes
    server.signal(signal.SIGKILL)
    server.wait()
    end = time.monotonic() + 10
    while any(alive(pid) for pid in lanes):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
