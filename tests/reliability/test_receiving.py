"""Bodies of all clients together, over both transports and all workers, are within one budget."""

import asyncio
import contextlib

import grpc
import pytest

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.reliability.server import eventually
from tests.reliability.wire import Cut, HttpConnection

pytestmark = pytest.mark.alone

MIB = 1 << 20
HEAD = b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BUDGET, EACH = 16 * MIB, 4 * MIB
LIMITS = {"max_body_bytes": EACH, "max_receiving_bytes": BUDGET, "trusted_proxies": "127.0.0.1"}


async def begin(stack, server, size=EACH - 10, of=1):
    """A connection that sends all but the end of a body; `of` is the number of the client."""
    client = await stack.enter_async_context(HttpConnection(server.http_port))
    await client.send(HEAD + b"X-Forwarded-For: 192.0.2.%d\r\nContent-Length: %d\r\n\r\n" % (of, EACH))
    with contextlib.suppress(ConnectionError):
        await client.send(b" " * size)
    return client


async def refusal(client):
    """Status, code and headers of an answer that comes before the body is there; None if none does."""
    try:
        status, headers = await asyncio.wait_for(client.head(), 2)
    except (TimeoutError, Cut):
        return None
    return status, headers, await client.body()


SLOW = b"this one came at less than 32768 bytes a second"


@pytest.mark.parametrize("serve", [1, 2], indirect=True)
async def test_bodies_that_never_end_hold_no_more_than_the_budget(serve):
    server = serve(**LIMITS)
    before = server.rss
    server.forget_peak()
    async with contextlib.AsyncExitStack() as stack:
        clients = [await begin(stack, server, of=i) for i in range(24)]
        ends = await asyncio.gather(*(refusal(client) for client in clients))
        refused = [end for end in ends if end is not None]
        assert len(ends) - len(refused) <= BUDGET // (EACH - 10)
        assert len(refused) >= 24 - BUDGET // (EACH - 10)
        for status, headers, body in refused:
            assert (status, headers["retry-after"]) == (429, "1")
            assert b'"code":"OVERLOADED"' in body
            assert b"%d bytes" % BUDGET in body or SLOW in body  # which some are by now
        # What is held, a copy of some of it, and what the sockets' readings leave behind.
        assert server.peak_rss - before < 3 * BUDGET
        # Who sends no body is served meanwhile.
        async with HttpConnection(server.http_port) as other:
            await other.ask("POST", "/generate?steps=1")
            assert (await other.head())[0] == 200

    await eventually(
        server.snapshot, lambda seen: seen.total("pentimento_received_bytes") == 0, "all of it is free"
    )
    async with HttpConnection(server.http_port) as client:
        await client.send(HEAD + b"Content-Length: %d\r\n\r\n" % EACH + b'{"steps": 1}'.ljust(EACH))
        assert (await client.head())[0] == 200
    server.stop()


async def ask(server, of, size=MIB):
    """The status of a drawing that is asked for with so large a body."""
    async with HttpConnection(server.http_port) as client:
        headers = {"Content-Type": "application/json", "X-Forwarded-For": f"192.0.2.{of}"}
        with contextlib.suppress(ConnectionError):
            await client.ask("POST", "/generate", headers=headers, body=b'{"steps": 1}'.ljust(size))
        return (await client.head())[0]


@pytest.mark.parametrize("serve", [1, 2], indirect=True)
async def test_bodies_that_do_not_come_on_give_their_place_to_others(serve):
    """Four clients hold all of the budget and send a byte at a time: who is slowest is told to come back."""
    server, size = serve(**LIMITS), EACH - 4096
    async with contextlib.AsyncExitStack() as stack:
        slow = [await begin(stack, server, size, of=i) for i in range(3)]
        await eventually(
            server.snapshot,
            lambda seen: seen.total("pentimento_received_bytes") == 3 * size,
            "three quarters are held, and while it is no more they may",
        )
        slow.append(await begin(stack, server, size, of=3))
        heads = [asyncio.create_task(client.head()) for client in slow]
        end = asyncio.get_running_loop().time() + 60
        while not any(head.done() for head in heads):
            assert asyncio.get_running_loop().time() < end, "nobody was let go of"
            for client in slow:
                with contextlib.suppress(ConnectionError):
                    await client.send(b" ")
            await asyncio.sleep(0.2)
        first = next(i for i, head in enumerate(heads) if head.done())
        status, headers = heads[first].result()
        assert (status, headers["retry-after"]) == (429, "1")
        assert SLOW in await slow[first].body()
        while (status := await ask(server, of=9)) != 200:
            assert status == 429 and asyncio.get_running_loop().time() < end
        for head in heads:
            head.cancel()
        await asyncio.gather(*heads, return_exceptions=True)
    server.stop()


async def test_one_client_has_a_quarter(serve):
    """However many connections it has: the second body is refused, and another's is read."""
    server = serve(**LIMITS)
    async with contextlib.AsyncExitStack() as stack:
        await begin(stack, server)
        await eventually(
            server.snapshot,
            lambda seen: seen.total("pentimento_received_bytes") == EACH - 10,
            "the first is there",
        )
        refused = await refusal(await begin(stack, server))
        assert refused is not None and refused[0] == 429
        assert b"of one client may have at most %d bytes" % EACH in refused[2]
        assert await ask(server, of=2) == 200
    server.stop()


async def test_messages_of_grpc_are_in_it(serve):
    """While a body of HTTP takes all of the budget, a message is refused with a time to come back."""
    server = serve(max_body_bytes=EACH, max_receiving_bytes=EACH)
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        score = pb_grpc.CanvasServiceStub(channel).Score

        async def said():
            try:
                await score(pb.ScoreRequest(images=[b"no picture" * 50_000]))
            except grpc.aio.AioRpcError as error:
                return error.code(), dict(error.trailing_metadata()).get("retry-after-ms")

        async def until(wanted):
            end = asyncio.get_running_loop().time() + 20
            while (got := await said()) != wanted:
                assert asyncio.get_running_loop().time() < end, got

        usual = await said()
        assert usual[0] is not grpc.StatusCode.RESOURCE_EXHAUSTED
        async with contextlib.AsyncExitStack() as stack:
            await begin(stack, server)
            await eventually(
                server.snapshot,
                lambda seen: seen.total("pentimento_received_bytes") == EACH - 10,
                "the body is there",
            )
            await until((grpc.StatusCode.RESOURCE_EXHAUSTED, "1000"))
        await until(usual)
    assert (await server.snapshot()).total("pentimento_received_bytes") == 0
    server.stop()


async def test_a_budget_below_one_body_is_no_budget(serve):
    with pytest.raises(AssertionError, match="max_receiving_bytes must be at least max_body_bytes"):
        serve(max_body_bytes=2 * MIB, max_receiving_bytes=MIB)
