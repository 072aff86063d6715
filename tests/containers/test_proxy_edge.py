"""The proxy at the edge: who connects is bounded in what he holds, there and behind it, and for how long."""

import asyncio
import contextlib
import time

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.containers.envoy import ENVOY, standing
from tests.programs import missing
from tests.reliability.puppets import write_puppets
from tests.reliability.wire import HttpConnection
from tests.service.toys import write_toys

pytestmark = pytest.mark.skipif(ENVOY is None, reason=missing("envoy"))

QUICK_S = 2  # in the place of what is 10 to 60 s
STREAMS = 14
WIDE = {"model": "toy-wide", "n": 64, "steps": 40}  # 24 MB in all, and a third more in JSON
HELD = 8 << 20  # bytes of the proxy for all; without its limits these were 20 MB over HTTP, 270 over gRPC


def in_a_hurry(config):
    """The same configuration, whose times end sooner; each must be there."""
    (listener,) = config["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    for times, names in (
        (manager, ("request_headers_timeout", "request_timeout", "stream_flush_timeout")),
        (manager["common_http_protocol_options"], ("idle_timeout",)),
    ):
        for name in names:
            assert 5 <= int(times[name].removesuffix("s")) <= 60
            times[name] = f"{QUICK_S}s"
    return config


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    write_toys(folder, ["toy-steps"])
    write_puppets(folder)
    slow = {"max_stall_s": QUICK_S, "min_client_bytes_per_s": 1 << 20}  # a frame of WIDE is 0.6 MB
    with standing(folder, tmp_path_factory.mktemp("envoy"), in_a_hurry, **slow) as proxy:
        yield proxy


HALVES = {
    "nothing": b"",
    "half a line": b"POST /gen",
    "half the headers": b"POST /generate HTTP/1.1\r\nHost: a\r\nContent-",
    "half a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM",
}


@pytest.mark.parametrize("half", HALVES)
async def test_who_does_not_go_on_is_let_go_of(proxy, half):
    async with HttpConnection(proxy.port) as connection:
        await connection.send(HALVES[half])
        said = await asyncio.wait_for(connection.rest(), 20 * QUICK_S)  # to the connection's end
    assert b" 200 " not in said


async def test_half_a_body_ends_at_the_proxy(proxy):
    """No server sees it, and so none sees it three times."""
    before = [(await replica.snapshot()).total("pentimento_requests_total") for replica in proxy.replicas]
    began = time.monotonic()
    async with HttpConnection(proxy.port) as connection:
        headers = {"Content-Type": "application/json", "Content-Length": "900"}
        await connection.ask("POST", "/generate", headers=headers, body=b'{"n": 1,')
        status, _ = await asyncio.wait_for(connection.head(), 20 * QUICK_S)
    assert status == 408 and time.monotonic() - began < 10 * QUICK_S
    after = [(await replica.snapshot()).total("pentimento_requests_total") for replica in proxy.replicas]
    assert after == before
    assert not any("/generate" in line for replica in proxy.replicas for line in replica.log.splitlines())


async def outcomes(proxy, transport, outcome):
    """How many drawings ended like this, on all servers."""
    snapshots = [await replica.snapshot() for replica in proxy.replicas]
    return sum(snapshot.outcomes(transport).get(outcome, 0) for snapshot in snapshots)


async def test_streams_that_nobody_reads_pile_up_nowhere(proxy):
    """Over HTTP: what waits is a bounded part of each, so the servers see that they stall, and end them."""
    memory, ok = proxy.rss, await outcomes(proxy, "http", "ok")
    async with contextlib.AsyncExitStack() as connections:
        for _ in range(STREAMS):
            connection = HttpConnection(proxy.port, small_buffer=True)
            await connections.enter_async_context(connection)
            query = "&".join(f"{name}={value}" for name, value in WIDE.items())
            await connection.ask("POST", f"/generate?{query}", headers={"Accept": "text/event-stream"})
        most = 0
        end = time.monotonic() + 60
        while await outcomes(proxy, "http", "stalled") < STREAMS:
            most = max(most, proxy.rss)
            assert time.monotonic() < end, "the servers take it for read"
            await asyncio.sleep(0.2)
    assert await outcomes(proxy, "http", "ok") == ok
    assert most - memory < HELD


def request(*, model, n, steps=3):
    return pb.StreamCanvasRequest(drawing=pb.DrawingSpec(model=model, image_count=n, step_count=steps))


async def test_calls_that_nobody_reads_stall_no_other_client(proxy):
    """Over gRPC: a server ends a connection of four such calls, which is why clients do not share one."""
    memory = proxy.rss
    wide, small = request(**WIDE), request(model="toy-steps", n=1)
    options = [("grpc.http2.lookahead_bytes", 65535), ("grpc.http2.bdp_probe", 0)]
    async with grpc.aio.insecure_channel(proxy.address, options=options) as stuck:
        calls = [pb_grpc.CanvasServiceStub(stuck).StreamCanvas(wide, timeout=120) for _ in range(STREAMS)]
        for call in calls:
            await call.read()
        drawn = 0
        end = time.monotonic() + 60
        async with grpc.aio.insecure_channel(
            proxy.address, options=[("grpc.use_local_subchannel_pool", 1)]
        ) as other:
            while await outcomes(proxy, "grpc", "stalled") < STREAMS:
                frames = [
                    frame async for frame in pb_grpc.CanvasServiceStub(other).StreamCanvas(small, timeout=30)
                ]
                drawn += bool(frames)
                assert time.monotonic() < end, "the servers take it for read"
        assert drawn > 3 and proxy.rss - memory < HELD
        for call in calls:
            call.cancel()


async def test_a_stream_that_asks_again_is_not_waited_for(proxy):
    """Reflection: the end of its requests comes after their answers."""
    async with grpc.aio.insecure_channel(proxy.address) as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(timeout=20)
        for _ in range(2):
            await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
            answer = await call.read()
            names = {service.name for service in answer.list_services_response.service}
            assert "pentimento.v1.CanvasService" in names
        await call.done_writing()


async def test_a_body_that_is_too_large_is_refused_by_the_server_in_its_words(proxy):
    async with HttpConnection(proxy.port) as connection:
        body = b'{"n": 1, "seed": ' + b" " * (8 << 20) + b"1}"
        await connection.ask("POST", "/generate", body=body, headers={"Content-Type": "application/json"})
        status, _ = await asyncio.wait_for(connection.head(), 60)
        assert status == 413 and b"body may have at most 8388608 bytes" in await connection.body()
