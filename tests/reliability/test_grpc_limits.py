"""Calls of gRPC that cost next to nothing to begin: none holds much, none stays, and others are answered."""

import asyncio
import contextlib
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pentimento.service.grpc.api import SERVICE_NAME
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.reliability.asks import WAYS, Ask
from tests.reliability.drawings import Clients
from tests.reliability.far import FarAway
from tests.reliability.http2 import Http2Connection

MESSAGE = 8 << 20  # bytes, the most that a message may have
SLOW = 8  # messages that one client may send slowly at a time
SCORE = f"/{SERVICE_NAME}/Score"
CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
REFLECT = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
EMPTY = b"\0\0\0\0\0"  # a message without fields


def head(size):
    """What comes before a message of so many bytes."""
    return b"\0" + size.to_bytes(4, "big")


def draws(server):
    """Whether the server draws, in every way."""

    async def draw():
        async with Clients(server) as clients:
            ask = Ask(model="toy-steps", seed=1)
            return await asyncio.wait_for(asyncio.gather(*(clients.draw(way, ask) for way in WAYS)), 30)

    return [ending.code for ending in asyncio.run(draw())] == ["OK"] * len(WAYS)


def open_of(connection, streams):
    return sum(not connection.over(stream) for stream in streams)


def wait(true, seconds=20.0):
    """Whether it became true in time; asked no more once it was, as it may pass."""
    end = time.monotonic() + seconds
    while not (was := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return was


def test_a_connection_has_so_many_calls_at_a_time(serve):
    server = serve(max_grpc_connection_calls=16)
    with Http2Connection(server.place.grpc_port) as connection:
        streams = [connection.begin(SCORE) for _ in range(1000)]
        assert wait(lambda: open_of(connection, streams) <= 16)
        assert connection.max_streams == 16
        assert len(connection.refused) >= 1000 - 16
        assert draws(server)
    server.stop()


@pytest.mark.alone
def test_half_a_message_is_bounded_and_ended(serve):
    """Twenty streams of 8 MiB less a few bytes."""
    server = serve(max_stall_s=6)
    assert draws(server)
    server.forget_peak()
    at_first = server.rss
    with Http2Connection(server.place.grpc_port) as connection:
        streams = [connection.begin(SCORE) for _ in range(20)]
        for stream in streams:
            connection.send(stream, head(MESSAGE) + bytes(MESSAGE - 3))
        print(f"{(server.rss - at_first) >> 20} MiB more")
        assert wait(lambda: open_of(connection, streams) <= SLOW)
        # What comes before anybody is slow is there for a moment, too; all twenty would be 160 MiB.
        assert server.peak_rss - at_first < (SLOW + 8) * MESSAGE
        assert draws(server), "who is quick is not held up"
        assert wait(lambda: connection.over(*streams)), "none stays"
        assert not connection.closed
    assert sum((asyncio.run(server.snapshot())).outcomes("grpc").values()) > 0
    assert wait(lambda: server.rss - at_first < 48 << 20), "memory comes back"
    server.stop()


@pytest.mark.parametrize("path", [SCORE, CHECK, WATCH, REFLECT])
def test_a_call_without_a_message_is_ended(serve, path):
    server = serve(max_stall_s=2)
    with Http2Connection(server.place.grpc_port) as connection:
        streams = [connection.begin(path) for _ in range(100)]
        assert wait(lambda: open_of(connection, streams) <= SLOW)
        assert draws(server)
        assert wait(lambda: connection.over(*streams), 10)
        said = b"".join(connection.answered.values())
        assert b"max_stall_s" in said or path in (REFLECT, WATCH)
        assert b"at a time" in said, "most are refused, and told why"
    server.stop()


def test_who_leaves_before_its_message_is_there_has_left(serve):
    """And who sends none, and says so, is told."""
    server = serve()
    with Http2Connection(server.place.grpc_port) as connection:
        stream = connection.begin(SCORE)
        connection.send(stream, head(100) + b"half")
        time.sleep(0.1)
        connection.reset(stream)
        assert wait(lambda: "outcome=cancelled" in server.log)
        stream = connection.begin(SCORE)
        connection.finish(stream)
        assert b"the request of Score has no message" in connection.wait(stream, 10)
    assert wait(lambda: server.log.count("outcome=") == 2), "a line is written when there is time"
    server.stop()


def test_a_call_without_a_key_is_refused_before_its_message(serve):
    server = serve(api_keys="alice " + "k" * 20)
    with Http2Connection(server.place.grpc_port) as connection:
        stream = connection.begin(SCORE)
        assert b"UNAUTHENTICATED" in connection.wait(stream, 10)
        kept = connection.begin(SCORE, {"authorization": "Bearer " + "k" * 20})
        assert connection.wait(kept, 0.5) is None, "who has one may send its message"
    server.stop()


def test_health_is_watched_a_number_of_times(serve):
    server = serve()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Http2Connection(server.place.grpc_port)) for _ in range(20)]
        streams = []
        for connection in connections:
            streams.append([])
            for _ in range(30):
                streams[-1].append(connection.begin(WATCH))
                connection.send(streams[-1][-1], EMPTY)
        assert wait(lambda: sum(map(open_of, connections, streams)) <= 128), "8 a connection, 128 a client"
        assert all(open_of(*each) <= 8 for each in zip(connections, streams, strict=True))
        said = b"".join(data for connection in connections for data in connection.answered.values())
        assert b"at most 8 health watches" in said and b"at most 128 health watches" in said
        with grpc.insecure_channel(server.grpc) as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            assert answer.status == answer.SERVING
    with grpc.insecure_channel(server.grpc) as channel:  # they have left: there is room again
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
    server.stop()


def test_who_watches_is_told_though_another_has_left(serve):
    """The implementation that comes with gRPC forgets all watchers of a service when one leaves."""
    server = serve()
    with grpc.insecure_channel(server.grpc) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        stays, leaves = (stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(2))
        assert [next(watch).status for watch in (stays, leaves)] == [
            health_pb2.HealthCheckResponse.SERVING
        ] * 2
        leaves.cancel()
        time.sleep(0.5)
        server.signal()  # with nothing to finish: it ends at once
        assert next(stays).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert server.wait() == 0


@pytest.mark.alone
@pytest.mark.parametrize(
    ("rpc", "data", "says"),
    [
        ("Score", b"\x12\0" * 3_000_000, "images must have at most 64 entries"),
        ("Encode", b"\x12\0" * 3_000_000, "images must have at most 64 entries"),
        ("EstimateLikelihood", b"\x12\0" * 3_000_000, "images must have at most 64 entries"),
        ("Generate", b"\x0a\x80\x9b\xee\x02" + b"\x3a\0" * 3_000_000, "latents must have at most 64 entries"),
        (
            "Generate",
            b"\x0a\x80\x9b\xee\x02" + b"\x4a\4\x0a\2ab" * 1_000_000,
            "seeds must have at most 64 entries",
        ),
        ("Generate", b"\x0a\0" * 3_000_000, "at most 8192 fields"),
    ],
    ids=["images", "images to encode", "images and their likelihood", "latents", "seeds", "messages"],
)
def test_a_list_without_end_costs_next_to_nothing(shared, rpc, data, says):
    """Six megabytes that would be millions of objects, and hold the event loop for seconds."""
    shared.forget_peak()
    at_first = shared.rss
    options = (("grpc.max_send_message_length", -1),)
    with grpc.insecure_channel(shared.grpc, options=options) as channel:
        call = channel.unary_unary(f"/{SERVICE_NAME}/{rpc}").future(data)
        longest = 0.0
        while not call.done():
            began = time.monotonic()
            assert asyncio.run(shared.get("/healthz")).status == 200
            longest = max(longest, time.monotonic() - began)
        assert call.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert says in call.details()
    print(f"the longest answer of /healthz took {1000 * longest:.0f} ms")
    assert longest < 1.0
    assert shared.peak_rss - at_first < 48 << 20


def test_numbers_that_are_many_may_come(shared):
    """Packed, in either form: a list is refused for what it would cost, not for its length."""
    with grpc.insecure_channel(shared.grpc) as channel:
        tensor = pb.Tensor(name="latent", shape=[2, 1, 6, 8], values=[0.25] * 96)
        spec = pb.DrawingSpec(model="toy-steps", latents=[tensor], seed=3)
        stub = pb_grpc.CanvasServiceStub(channel)
        read = stub.Generate(pb.GenerateRequest(drawing=spec))
        tensor.data = b"\0\0\x80\x3e" * 96
        tensor.ClearField("values")
        spec = pb.DrawingSpec(model="toy-steps", latents=[tensor], seed=3)
        assert stub.Generate(pb.GenerateRequest(drawing=spec)).frames[-1].images == read.frames[-1].images


async def test_pictures_from_far_away_are_not_slow(serve):
    """Sixty of 300 KB at a time, there and back in 0.2 s: each takes longer than what is prompt."""
    server = serve()
    channel_options = (("grpc.max_send_message_length", -1),)
    async with FarAway(server.place.grpc_port, 0.1) as far:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{far.port}", options=channel_options) as channel:
            score = pb_grpc.CanvasServiceStub(channel).Score

            async def upload(number):
                try:
                    await score(pb.ScoreRequest(images=[b"no picture" * 30_000]), timeout=60)
                except grpc.aio.AioRpcError as error:
                    return error.code(), error.details()

            for _ in range(2):
                ends = await asyncio.gather(*(upload(number) for number in range(60)))
                assert {code for code, _ in ends} == {grpc.StatusCode.INVALID_ARGUMENT}, ends
                assert all("images[0]" in details for _, details in ends)
    server.stop()
