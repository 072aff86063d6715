"""A client that sends requests ahead of the answers: it makes the server hold its bytes, and no more."""

import asyncio
import contextlib
import json

import pytest

from tests.reliability.server import eventually
from tests.reliability.wire import HttpConnection

pytestmark = pytest.mark.alone

GET = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: %d\r\n\r\n"


async def test_a_flood_that_reads_nothing_holds_little_and_is_let_go_of_at_once(serve):
    """4 MB of requests, eight times over: parsed, they would be 400 MB each."""
    server = serve(max_stall_s=3)
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(HttpConnection(server.http_port, small_buffer=True))
            for _ in range(8)
        ]
        before = server.rss
        server.forget_peak()

        async def flood(client):
            with contextlib.suppress(ConnectionError):
                await client.send(GET * (4_300_000 // len(GET)))

        floods = [asyncio.create_task(flood(client)) for client in clients]
        end = asyncio.get_running_loop().time() + 60
        while not all(each.done() for each in floods):
            assert (await server.get("/healthz")).status == 200
            assert asyncio.get_running_loop().time() < end, "they are not cut"
            await asyncio.sleep(0.05)
        assert server.log.count(" is cut: it took ") == 8
        assert server.peak_rss - before < 32 << 20
    assert "Traceback" not in server.log
    server.stop()


async def test_thousands_are_answered_in_order(shared):
    count = 5000
    async with HttpConnection(shared.http_port) as client:
        sending = asyncio.create_task(client.send(b"".join(HEALTH % number for number in range(count))))
        for number in range(count):
            status, headers = await client.head()
            await client.body()
            assert (status, headers["x-request-id"]) == (200, str(number))
        await sending


@pytest.mark.parametrize("framing", ["a length", "chunks"])
async def test_bodies_among_them_are_read_whole(shared, framing):
    """Each with what follows it in the same packet."""
    body = b'{"seed": 7, "steps": 1%s}' % (b" " * 5000)
    if framing == "a length":
        head, sent = b"Content-Length: %d" % len(body), body
    else:
        parts = [body[at : at + 1500] for at in range(0, len(body), 1500)]
        head, sent = b"Transfer-Encoding: chunked", b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in parts)
        sent += b"0\r\n\r\n"
    post = b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + head
    async with HttpConnection(shared.http_port) as client:
        await client.send((post + b"\r\n\r\n" + sent + HEALTH % 1) * 20)
        answers = []
        for _ in range(20):
            status, headers = await client.head()
            drawn = await client.body()
            assert (status, headers["pentimento-seed"]) == (200, "7")
            status, headers = await client.head()
            await client.body()
            assert (status, headers["x-request-id"]) == (200, "1")
            answers.append(drawn.partition(b'"elapsed_us"')[0])
        assert len(set(answers)) == 1


@pytest.mark.parametrize("ahead", [1, 300])
async def test_who_leaves_with_requests_ahead_is_noticed(shared, ahead):
    """Whoever asked last is not the one that is being answered."""
    calls, steps = (await shared.snapshot()).calls("toy-puppet"), 60
    before = (await shared.snapshot()).outcomes("http").get("cancelled", 0)
    asked = {"model": "toy-puppet", "steps": steps, "latents": {"work": [[300]]}}  # 50 ms a step
    async with HttpConnection(shared.http_port) as client:
        body = json.dumps(asked).encode()
        await client.ask("POST", "/generate", headers={"Content-Type": "application/json"}, body=body)
        await eventually(shared.snapshot, lambda seen: seen.calls("toy-puppet") > calls, "a step is made")
        await client.send(GET * ahead)
    seen = await eventually(
        shared.snapshot,
        lambda seen: seen.rows == 0 and seen.outcomes("http").get("cancelled", 0) == before + 1,
        "its row is free, and it is counted as cancelled",
    )
    assert seen.calls("toy-puppet") - calls < steps / 2
