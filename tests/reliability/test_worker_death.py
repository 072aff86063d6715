"""A worker that dies or hangs: its clients lose their drawings, nobody else, and another takes its place."""

import asyncio
import os
import signal
import time

import pytest

from tests.reliability.asks import Ask, Way
from tests.reliability.drawings import Clients
from tests.reliability.server import eventually

LONG = Ask(steps=20, work=600, timeout_ms=120_000)  # about a second on an idle machine
SHORT = Ask(model="toy-steps")


@pytest.mark.parametrize("way", [Way.JSON, Way.STREAM])  # a server for each takes time
async def test_its_drawings_end_and_the_others_finish(serve, way):
    server = serve(workers=2)
    first, second = server.workers
    async with Clients(server) as clients:
        drawings = [asyncio.create_task(clients.draw(way, LONG)) for _ in range(8)]
        await eventually(server.snapshot, lambda now: now.rows == 8, "all are admitted")
        os.kill(first, signal.SIGKILL)
        endings = await asyncio.wait_for(asyncio.gather(*drawings), 60)
        codes = {ending.code for ending in endings}
        assert codes <= {"OK", "CUT", "UNAVAILABLE"}, codes
        assert all(len(ending.frames) == 20 for ending in endings if ending.code == "OK")
        again = await asyncio.gather(*(clients.draw(way, SHORT) for _ in range(8)))
        assert [ending.code for ending in again if ending.code != "OK"] == []
    await eventually(server.snapshot, lambda now: now.rows == 0, "nothing is left of it")
    await replaced(server, first)
    assert second in server.workers and len(server.workers) == 2
    assert "ended; its drawings failed, another takes its place" in server.log
    server.stop()


async def test_a_worker_that_does_nothing_more_is_replaced(serve):
    """Stopped by a signal: its connections are open, and nobody answers there."""
    server = serve(workers=2)
    stopped, other = server.workers
    os.kill(stopped, signal.SIGSTOP)
    await replaced(server, stopped)
    assert "is killed: its event loop does not go round" in server.log
    assert other in server.workers
    async with Clients(server) as clients:
        assert [(await clients.draw(Way.JSON, SHORT)).code for _ in range(8)] == ["OK"] * 8
    server.stop()


async def test_deadlines_hold_while_a_worker_hangs(serve):
    """Also of requests of which it was given a part: who asked was answered by another."""
    server = serve(workers=2, max_images=64)
    stopped, _ = server.workers
    async with Clients(server) as clients:
        os.kill(stopped, signal.SIGSTOP)
        large = Ask(model="toy-steps", n=64, steps=8, timeout_ms=1500)
        began = time.monotonic()
        drawings = [asyncio.create_task(clients.draw(Way.JSON, large)) for _ in range(12)]
        done, late = await asyncio.wait(drawings, timeout=25)
        assert not late, "some wait for ever"
        codes = {drawing.result().code for drawing in done}
        # Those that came to the stopped one itself end with it: it is killed.
        assert codes <= {"OK", "DEADLINE_EXCEEDED", "OVERLOADED", "INTERNAL", "CUT"}, codes
        assert time.monotonic() - began < 25
    await replaced(server, stopped)
    ready = await server.get("/readyz")
    assert '"workers":2' in ready.text
    server.stop()


async def test_a_graph_call_that_does_not_return_takes_its_worker_along_and_nobody_else(serve):
    """It would take minutes. Its deadline holds, and the worker that makes the call is replaced."""
    server = serve(workers=2, max_call_s=4)
    async with Clients(server) as clients:
        began = time.monotonic()
        endless = Ask(steps=2, work=900_000, timeout_ms=1500)
        ending = await asyncio.wait_for(clients.draw(Way.JSON, endless), 60)
        assert ending.code == "DEADLINE_EXCEEDED", ending.detail
        assert time.monotonic() - began < 20
        end = time.monotonic() + 40
        while "is killed: a graph call takes more than 4 s" not in server.log:
            assert time.monotonic() < end, server.log
            await asyncio.sleep(0.1)
        assert (await clients.draw(Way.JSON, SHORT)).code == "OK"
    server.stop()


async def test_workers_do_not_outlive_a_server_that_is_killed(serve):
    server = serve(workers=2)
    workers = server.workers
    server.signal(signal.SIGKILL)
    server.wait()
    end = time.monotonic() + 20
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def replaced(server, pid):
    """Waits until a process is gone and there are two that answer."""
    end = time.monotonic() + 60
    while pid in server.workers or "has taken the place" not in server.log:
        assert time.monotonic() < end, server.log
        await asyncio.sleep(0.05)


def alive(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
