"""SIGTERM while clients draw over both transports: what was accepted is finished, what is new is told."""

import asyncio
import signal
from collections import Counter

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.reliability.asks import STREAMED, WAYS, Ask, Way
from tests.reliability.drawings import Clients
from tests.reliability.server import eventually
from tests.reliability.wire import HttpConnection

SLOW = Ask(n=2, steps=30, work=200)  # a second alone on an idle machine; some when several draw

pytestmark = pytest.mark.alone  # who is told what in the last moments depends on what else runs


@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "workers"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_nothing_accepted_is_lost(serve, number):
    """Two clients in every way draw one after the other; the signal comes in the middle."""
    server = serve()
    signalled = asyncio.Event()
    before, after = Counter(), Counter()

    async def client(clients: Clients, way: Way, seed: int) -> None:
        """Asks again and again until the server is gone."""
        while True:
            late = signalled.is_set()
            ending = await clients.draw(way, Ask(n=2, steps=6, work=100, seed=seed))
            assert len(ending.frames) == (6 if ending.code == "OK" else 0), "a stream was cut"
            (after if late else before)[ending.code] += 1
            if ending.code == "CUT" or (ending.code == "UNAVAILABLE" and server.popen.poll() is not None):
                return
            await asyncio.sleep(0.01 if ending.code == "OK" else 0.1)

    async with Clients(server) as clients:
        tasks = [asyncio.create_task(client(clients, way, seed)) for way in WAYS for seed in (1, 2)]
        await eventually(server.snapshot, lambda now: now.calls("toy-puppet") > 30, "all are drawing")
        server.signal(number)
        signalled.set()
        assert await asyncio.to_thread(server.wait, 30) == 0
        await asyncio.wait_for(asyncio.gather(*tasks), 30)
    print(f"asked before the signal: {dict(before)}; after it: {dict(after)}")
    # A request that was on its way when the signal came may be refused; none may vanish.
    assert before["OK"] > len(tasks) and set(before) <= {"OK", "UNAVAILABLE"}
    assert set(after) <= {"UNAVAILABLE", "CUT"}


@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "workers"])
async def test_unready_but_drawing(serve):
    """While it drains: unready on both transports, alive, streams run on, new work gets a clear refusal."""
    server = serve()
    async with Clients(server) as clients:
        running = [await clients.begin(way, SLOW) for way in WAYS for _ in range(2)]
        await eventually(server.snapshot, lambda now: now.rows == 2 * len(running), "all are admitted")
        watch = health_pb2_grpc.HealthStub(clients.channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        assert (await server.get("/readyz")).status == 200
        server.signal()
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        unready = await server.get("/readyz")
        assert (unready.status, unready.code) == (503, "UNAVAILABLE")
        assert (await server.get("/healthz")).status == 200
        async with Clients(server) as newcomers:
            for way in WAYS:
                refused = await newcomers.draw(way, Ask(model="toy-once", steps=1))
                assert (refused.code, "shutting down" in refused.detail) == ("UNAVAILABLE", True)
                assert refused.retry_after_s, "it says when to come back"
        assert (await server.snapshot()).rows, "they are still drawing"
        for ending in await asyncio.gather(*(sitting.ending() for sitting in running)):
            assert (ending.code, len(ending.frames)) == ("OK", SLOW.steps)
        watch.cancel()
    assert await asyncio.to_thread(server.wait) == 0


@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "workers"])
async def test_what_outlives_the_grace_period_ends_with_one_error(serve):
    server = serve(drain_grace_s=0.4)
    async with Clients(server) as clients:
        running = [await clients.begin(way, Ask(steps=1000, work=200)) for way in WAYS]
        await eventually(server.snapshot, lambda now: now.calls("toy-puppet") > 3, "all are drawing")
        server.signal()
        for way, sitting in zip(WAYS, running, strict=True):
            ending = await asyncio.wait_for(sitting.ending(), 20)
            assert ending.code == "UNAVAILABLE", (way, ending.code, ending.detail)
            assert bool(ending.frames) == (way in STREAMED)
    assert await asyncio.to_thread(server.wait) == 0


@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "workers"])
async def test_a_graph_call_that_goes_on_holds_up_the_end_for_seconds_only(serve):
    """It would take minutes: its drawing ends with one error, and the process with 0."""
    server = serve(drain_grace_s=0.3)
    async with Clients(server) as clients:
        warm = await clients.draw(
            Way.JSON, Ask(steps=2, work=3000)
        )  # from now on such calls are made in a thread
        assert warm.code == "OK"
        sitting = await clients.begin(Way.SSE, Ask(steps=2, work=900_000))
        await eventually(server.snapshot, lambda now: now.rows == 1, "it is admitted")
        await asyncio.sleep(0.3)
        server.signal()
        assert (await asyncio.wait_for(sitting.ending(), 30)).code in {"UNAVAILABLE", "CUT"}
    assert await asyncio.to_thread(server.wait, 60) == 0, server.log


@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "workers"])
async def test_a_second_signal_ends_at_once(serve):
    server = serve()
    async with Clients(server) as clients:
        sitting = await clients.begin(Way.SSE, Ask(steps=1000, work=200))
        await sitting.frame()
        server.signal()
        async with asyncio.timeout(10):
            while (await server.get("/readyz")).status != 503:
                await asyncio.sleep(0.01)
        assert server.popen.poll() is None
        server.signal()
        assert await asyncio.to_thread(server.wait, 5) == -signal.SIGTERM
        assert (await sitting.ending()).code == "CUT"


async def test_idle_connections_and_half_requests_hold_nothing_up(serve):
    """Kept-alive connections, half a request line, a body that never comes, a channel with a health watch."""
    server = serve(drain_grace_s=1)
    async with (
        Clients(server) as clients,
        HttpConnection(server.http_port) as idle,
        HttpConnection(server.http_port) as half,
        HttpConnection(server.http_port) as bodiless,
    ):
        assert (await clients.draw(Way.STREAM, Ask(steps=1))).code == "OK"
        watch = health_pb2_grpc.HealthStub(clients.channel).Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        await idle.ask("GET", "/healthz")
        assert (await idle.head())[0] == 200
        await half.send(b"POST /gene")
        await bodiless.send(b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        server.signal()
        assert await asyncio.to_thread(server.wait, 15) == 0
        watch.cancel()
