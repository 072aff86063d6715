"""Clients that die, or stop reading: what they hold is bounded and let go of, and nobody else notices."""

import asyncio
import contextlib
import signal
import subprocess
import sys

import pytest

from tests.reliability.asks import STREAMED, WAYS, Ask, Way
from tests.reliability.drawings import Clients
from tests.reliability.server import REPOSITORY, eventually
from tests.reliability.wire import HttpConnection

EACH = 4  # clients of each kind
A_FRAME = 16 * 96 * 96 * 4  # bytes of a frame of toy-wide as the engine holds it
# Frames' worth of memory for a stalled stream, in server and lane: its own, state, on their way; not 1000.
HELD = 24


async def bystanders(server):
    """Draws in every way, and returns the last picture of each."""
    async with Clients(server) as clients:
        ask = Ask(model="toy-steps", steps=5, seed=7)
        endings = await asyncio.wait_for(asyncio.gather(*(clients.draw(way, ask) for way in WAYS)), 30)
    assert [ending.code for ending in endings] == ["OK"] * len(WAYS)
    return [ending.frames[-1][0] for ending in endings]


@pytest.mark.parametrize("idle", ["shared", "pair"], indirect=True)
async def test_a_killed_client_frees_its_rows(idle):
    alone = await bystanders(idle)
    before = await idle.snapshot()
    client = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.reliability.doomed",
            str(idle.http_port),
            str(idle.place.grpc_port),
            str(EACH),
        ],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
    )
    try:
        assert await asyncio.to_thread(client.stdout.readline) == b"all have begun\n"
        assert (await idle.snapshot()).rows == 2 * EACH * len(STREAMED)
        beside = asyncio.create_task(bystanders(idle))
        client.send_signal(signal.SIGKILL)
        after = await eventually(idle.snapshot, lambda now: now.rows == 0, "all free")
    finally:
        client.kill()
        client.wait()
        client.stdout.close()
    assert await beside == alone
    assert after.calls("toy-puppet") < 500, "it was drawn to the end"
    for transport, streams in (("http", 2 * EACH), ("grpc", EACH)):
        was = before.outcomes(transport).get("cancelled", 0)
        await eventually(
            idle.snapshot,
            lambda now, transport=transport, wanted=was + streams: (
                now.outcomes(transport).get("cancelled") == wanted
            ),
            f"{streams} of {transport} count as cancelled",
        )


@pytest.mark.alone
async def test_a_reader_that_stops_holds_a_bounded_part_and_stalls_nobody(serve):
    """Every stream would be 590 MB."""
    server = serve(max_rows_in_flight=16 * (EACH * len(STREAMED) + 1))
    alone = await bystanders(server)
    async with Clients(server, small_buffer=True) as clients:
        ask = Ask(model="toy-wide", n=16, steps=1000)
        warm = await clients.draw(Way.JSON, Ask(model="toy-wide", n=16, steps=8))
        assert warm.code == "OK"
        at_first = server.rss
        stalled = [await clients.begin(way, ask) for way in STREAMED for _ in range(EACH)]
        await asyncio.gather(*(sitting.frame() for sitting in stalled))
        assert await bystanders(server) == alone
        await still(server)
        stopped_at = server.rss
        grown = stopped_at - at_first
        print(f"{len(stalled)} stalled streams hold {grown / len(stalled) / 1e6:.1f} MB each")
        assert grown < len(stalled) * HELD * A_FRAME
        assert (await server.snapshot()).rows == 16 * len(stalled), "they wait for their readers"
        assert await bystanders(server) == alone
        assert server.rss - stopped_at < len(stalled) * A_FRAME, "it still grows"
        assert (await server.snapshot()).calls("toy-wide") < 200 * len(stalled)
    await eventually(server.snapshot, lambda now: now.rows == 0, "all rows are free")
    assert await bystanders(server) == alone
    server.stop()


async def still(server):
    """Waits until toy-wide is drawn no more."""
    calls = -1
    while (now := (await server.snapshot()).calls("toy-wide")) != calls:
        calls = now
        await asyncio.sleep(0.3)


STALL = {"max_stall_s": 1, "min_client_bytes_per_s": 100_000}  # of a frame of 150 kB over gRPC, two seconds


async def test_a_stalled_stream_is_ended(serve):
    """Long before its deadline: its rows, itself and its connection, though its client takes nothing."""
    server = serve(**STALL)
    async with Clients(server, small_buffer=True) as clients:
        ask = Ask(model="toy-wide", n=16, steps=1000, timeout_ms=600_000)
        stalled = [await clients.begin(way, ask) for way in STREAMED]
        await asyncio.gather(*(sitting.frame() for sitting in stalled))
        await eventually(server.snapshot, lambda now: now.rows == 0, "their rows are free", seconds=20)
        await over(server, http=2, grpc=1)
        for sitting in stalled:
            ending = await asyncio.wait_for(sitting.ending(), 10)
            assert ending.code != "OK" and len(ending.frames) < 1000
    server.stop()


async def test_a_whole_answer_that_nobody_takes_is_let_go_of(serve):
    """Its rows are free already; here it is the answer that must not stay for ever."""
    server = serve(**STALL)
    async with Clients(server, small_buffer=True) as clients:
        sitting = await clients.begin(Way.JSON, Ask(model="toy-wide", n=64, steps=20))  # 15 MB
        await over(server, http=1)
        await asyncio.sleep(4)
        assert (await asyncio.wait_for(sitting.ending(), 10)).code == "CUT"
    server.stop()


async def test_a_reader_that_trickles_is_ended_too(serve):
    """Twenty bytes a second keep a connection alive, but not a stream."""
    server = serve(**STALL)
    async with HttpConnection(server.http_port, small_buffer=True) as connection:
        path = "/generate?model=toy-wide&n=16&steps=1000&timeout_ms=600000"
        await connection.ask("POST", path, headers={"Accept": Way.NDJSON.value})
        assert (await connection.head())[0] == 200
        trickle = asyncio.create_task(connection.trickle())
        await over(server, http=1)
        trickle.cancel()
        assert (await server.snapshot()).rows == 0
    server.stop()


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /gene",
        b"POST /generate HTTP/1.1\r\nHost: localhost\r\nX-More: a",
        b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
    ],
    ids=["half a line", "half a header", "half a body"],
)
async def test_a_request_that_trickles_is_ended(serve, begun):
    """A byte every tenth of a second, on fifty connections."""
    server = serve(**STALL)
    alone = await bystanders(server)

    async def trickle() -> None:
        async with HttpConnection(server.http_port) as connection:
            await connection.send(begun)
            with contextlib.suppress(ConnectionError):
                while not connection.closed:
                    await connection.send(b" ")
                    await asyncio.sleep(0.1)

    tricklers = [asyncio.create_task(trickle()) for _ in range(50)]
    assert await bystanders(server) == alone
    await asyncio.wait_for(asyncio.gather(*tricklers), 20)
    assert await bystanders(server) == alone
    server.stop()


async def over(server, **streams):
    """Waits until so many requests are over and counted, by transport."""
    await eventually(
        server.snapshot,
        lambda now: all(sum(now.outcomes(each).values()) == count for each, count in streams.items()),
        f"the requests are over: {streams}",
        seconds=20,
    )
