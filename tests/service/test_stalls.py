"""Clients that give or take too little: each is let go of after a limit, with everything held for it.

Times are bounds that a busy machine keeps, not measurements.
"""

import asyncio
import contextlib
import logging
import re
import time

import grpc
import pytest

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from tests.service.grpc.serving import serve_grpc
from tests.service.live import LiveServer, wait_until
from tests.service.sockets import Plug, connections

PATIENCE_S = 20.0  # for what takes a second on an idle machine

# Large enough that neither kernel nor transport takes all of it: 4096 pictures a frame, half a megabyte.
LARGE = {"max_images": 4096, "max_rows_in_flight": 3 * 4096, "default_model": "toy-steps"}
STREAM = "POST /generate?n=4096&steps=16"
NDJSON = ("Accept: application/x-ndjson", "Content-Length: 0")


@pytest.fixture
def serve(toys):
    servers = []

    def make(**settings):
        servers.append(LiveServer(toys, **(LARGE | settings)))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def requests(caplog):
    """The fields of the requests' lines so far, those of probes apart."""
    caplog.set_level(logging.INFO, "pentimento.request")
    return lambda: [record.fields for record in caplog.records if hasattr(record, "fields")]


def is_let_go(server):
    return wait_until(lambda: server.rows == 0 and connections(server) == 0, PATIENCE_S)


def test_a_reader_that_takes_nothing_is_let_go(serve, requests):
    server = serve(max_stall_s=1.0, default_timeout_ms=600_000)
    with Plug(server, receive_bytes=4096) as plug:
        plug.ask(STREAM, *NDJSON)
        assert b" 200 OK" in plug.receive(4096)
        assert wait_until(lambda: server.rows == 4096)
        assert is_let_go(server)
        assert b'"done"' not in plug.rest()
    assert wait_until(lambda: len(requests()) == 1)
    (line,) = requests()
    assert (line["status"], line["outcome"]) == (200, "stalled")
    assert line["ms"] >= 1000


def test_a_reader_that_trickles_is_let_go(serve):
    server = serve(max_stall_s=1.0, default_timeout_ms=600_000)
    with Plug(server, receive_bytes=4096) as plug:
        plug.ask(STREAM, *NDJSON)
        end = time.monotonic() + PATIENCE_S
        while connections(server):
            assert plug.receive(1) and time.monotonic() < end, "it still trickles"
            time.sleep(0.02)
    assert server.rows == 0


@pytest.mark.alone
def test_a_slow_reader_that_goes_on_gets_it_all(serve, requests):
    server = serve(max_stall_s=2.0, min_client_bytes_per_s=100, default_timeout_ms=600_000)
    with Plug(server, receive_bytes=65_536) as plug:
        plug.ask("POST /generate?n=4096&steps=16", *NDJSON, "Connection: close")
        slowly = time.monotonic() + 5
        got = [plug.receive()]
        while time.monotonic() < slowly:
            time.sleep(0.1)
            got.append(plug.receive(16_384))
        body = b"".join(got) + plug.rest()
    assert b'{"type":"done",' in body[-2000:]
    assert requests()[-1]["outcome"] == "ok"


def test_a_whole_answer_that_nobody_takes_is_let_go(serve):
    """The request is over by then: what is left is the connection and its buffer."""
    server = serve(max_stall_s=1.0)
    with Plug(server, receive_bytes=4096) as plug:
        plug.ask(STREAM, "Accept: application/x-npy", "Content-Length: 0")
        assert b" 200 OK" in plug.receive(4096)
        assert is_let_go(server)
        assert len(plug.rest()) < 16 * 4096 * 48 * 4


def test_the_deadline_ends_an_answer_whoever_does_not_take_it(serve, requests):
    server = serve(max_stall_s=3600)
    with Plug(server, receive_bytes=4096) as plug:
        plug.ask(f"{STREAM}&timeout_ms=4000", *NDJSON)
        assert b" 200 OK" in plug.receive(4096)
        assert is_let_go(server)
    assert wait_until(lambda: len(requests()) == 1)
    assert requests()[0]["outcome"] == "deadline_exceeded"


def reasons(server):
    """Why admitted requests were not drawn to the end, and how many."""
    with server.client() as client:
        text = client.get("/metrics").text
    found = re.findall(r'pentimento_cancellations_total\{.*reason="(\w+)"\} (\d+)', text)
    return {reason: int(number) for reason, number in found}


def test_the_reason_of_a_cancellation_is_the_stall_on_both_transports(serve):
    server = serve(max_stall_s=1.0, min_client_bytes_per_s=1 << 20)
    with Plug(server, receive_bytes=4096) as plug:
        plug.ask(STREAM, *NDJSON)
        assert b" 200 OK" in plug.receive(4096)
        assert is_let_go(server)
    assert reasons(server) == {"stalled": 1}
    with grpc.insecure_channel(server.grpc) as channel:
        stalled = channel.unary_stream("/pentimento.v1.CanvasService/StreamCanvas")(stream())
        next(stalled)
        assert wait_until(lambda: server.rows == 4096)
        assert wait_until(lambda: server.rows == 0, PATIENCE_S)
    assert reasons(server) == {"stalled": 2}


def test_the_reason_of_a_cancellation_is_the_deadline_of_a_reader_that_does_not_read(serve):
    server = serve(max_stall_s=3600)
    with Plug(server, receive_bytes=4096) as plug:
        plug.ask(f"{STREAM}&timeout_ms=4000", *NDJSON)
        assert b" 200 OK" in plug.receive(4096)
        assert is_let_go(server)
    assert reasons(server) == {"deadline": 1}


@pytest.mark.alone
def test_a_stall_is_one_whatever_passes_at_the_same_time(serve, requests):
    """Its drawing is paused, and late, too; the answer goes to nobody."""
    server = serve(max_stall_s=1.0)
    for number in range(1, 6):
        with Plug(server, receive_bytes=4096) as plug:
            plug.ask(f"{STREAM}&timeout_ms={2000 + 10 * number}", *NDJSON)
            assert b" 200 OK" in plug.receive(4096)
            assert is_let_go(server)
        assert wait_until(lambda number=number: len(requests()) == number)
    assert [line["outcome"] for line in requests()] == ["stalled"] * 5


def test_a_deadline_is_told_to_a_reader_that_reads(serve):
    server = serve(max_stall_s=3600, default_model="toy-slow")
    with Plug(server) as plug:
        plug.ask("POST /generate?steps=64&timeout_ms=100", *NDJSON, "Connection: close")
        assert b'{"type":"error",' in plug.rest()


def test_a_connection_without_a_request_is_closed(serve):
    server = serve(max_stall_s=0.5)
    with Plug(server) as plug:
        assert plug.closes_within(PATIENCE_S)


@pytest.mark.parametrize("part", [b"G", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"])
def test_half_a_head_is_given_up(serve, part):
    server = serve(max_stall_s=0.5)
    with Plug(server) as plug:
        plug.send(part)
        status, problem = plug.problem()
    assert (status, problem["code"]) == (408, "DEADLINE_EXCEEDED")
    assert problem["detail"] == f"{len(part)} bytes of the request came in 0.5 s; max_stall_s"


def test_half_a_body_is_given_up(serve, requests):
    server = serve(max_stall_s=0.5)
    with Plug(server) as plug:
        plug.ask("POST /generate", "Content-Type: application/json", "Content-Length: 20")
        plug.send(b'{"steps": ')
        assert plug.closes_within(PATIENCE_S)
    assert wait_until(lambda: len(requests()) == 1)
    assert requests()[0]["outcome"] == "stalled"


def test_the_second_request_of_a_connection_is_given_up_as_well(serve):
    server = serve(max_stall_s=0.5)
    with Plug(server) as plug:
        plug.ask("GET /healthz")
        assert b" 200 OK" in plug.receive()
        plug.send(b"GET /healthz HTTP/1.1\r\n")
        assert plug.problem()[0] == 408


@pytest.mark.alone
def test_a_slow_body_that_goes_on_is_read(serve):
    server = serve(max_stall_s=1.0, min_client_bytes_per_s=10)
    body = b'{"steps": 2' + b" " * 100 + b"}"
    with Plug(server) as plug:
        plug.ask(
            "POST /generate",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        for start in range(0, len(body), 5):
            plug.send(body[start : start + 5])
            time.sleep(0.1)
        assert b" 200 OK" in plug.rest()


def stream(encoding=pb.IMAGE_ENCODING_FLOAT32, **fields):
    spec = pb.DrawingSpec(step_count=16, image_count=4096, **fields)
    return pb.StreamCanvasRequest(drawing=spec, encoding=encoding).SerializeToString()


async def all_free(serving):
    async with asyncio.timeout(PATIENCE_S):
        while serving.engine.rows_in_flight:
            await asyncio.sleep(0.01)


async def test_a_reader_of_grpc_that_takes_nothing_is_let_go(toys, requests):
    async with serve_grpc(toys, **LARGE, max_stall_s=1.0, min_client_bytes_per_s=1 << 20) as serving:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{serving.server.port}") as channel:
            stalled = channel.unary_stream("/pentimento.v1.CanvasService/StreamCanvas")(stream())
            await stalled.read()
            assert serving.engine.rows_in_flight == 4096
            await all_free(serving)
            async with asyncio.timeout(PATIENCE_S):
                while not requests():  # the line comes just after the rows are free
                    await asyncio.sleep(0.01)
            (line,) = requests()
            assert (line["status"], line["outcome"]) == ("DEADLINE_EXCEEDED", "stalled")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                while await stalled.read() is not grpc.aio.EOF:
                    pass
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            taken = re.fullmatch(
                r"the client took no message in 1\.7\d s; see max_stall_s", caught.value.details()
            )
            assert taken, caught.value.details()


async def test_a_reader_of_grpc_that_does_not_even_take_the_end_is_cut_off(toys):
    async with serve_grpc(toys, **LARGE, max_stall_s=0.5, min_client_bytes_per_s=1 << 20) as serving:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{serving.server.port}") as channel:
            for _ in range(2):  # the channel makes another connection
                stalled = channel.unary_stream("/pentimento.v1.CanvasService/StreamCanvas")(stream())
                await stalled.read()
                await serving.stub.ListModels(pb.ListModelsRequest())
                async with asyncio.timeout(PATIENCE_S):
                    while serving.server._calls:
                        await asyncio.sleep(0.01)
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    while await stalled.read() is not grpc.aio.EOF:
                        pass
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert (await serving.stub.ListModels(pb.ListModelsRequest())).models, "others are not touched"


@pytest.mark.alone
@pytest.mark.parametrize(("stalled", "cut_off"), [(1, False), (4, True)])
async def test_what_else_runs_on_the_connection_is_waited_for_unless_many_stall(toys, stalled, cut_off):
    settings = LARGE | {"max_rows_in_flight": 20_000, "max_stall_s": 0.2, "min_client_bytes_per_s": 16 << 20}
    ended = asyncio.Event()

    async def draw_again_and_again(ask):
        small = pb.StreamCanvasRequest(drawing=pb.DrawingSpec(model="toy-slow", step_count=16))
        try:
            while not ended.is_set():
                call = ask(small.SerializeToString())
                while await call.read() is not grpc.aio.EOF:
                    pass
        except grpc.aio.AioRpcError as error:
            ended.set()
            return error.code()

    async with serve_grpc(toys, **settings) as serving:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{serving.server.port}") as channel:
            ask = channel.unary_stream("/pentimento.v1.CanvasService/StreamCanvas")
            others = [asyncio.create_task(draw_again_and_again(ask)) for _ in range(2)]
            readers = [ask(stream()) for _ in range(stalled)]
            await asyncio.gather(*(reader.read() for reader in readers))
            async with asyncio.timeout(PATIENCE_S):
                while serving.engine.rows_in_flight >= 4096:
                    await asyncio.sleep(0.01)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), PATIENCE_S if cut_off else 2)
            assert ended.is_set() == cut_off
            ended.set()
            ends = await asyncio.gather(*others)
            assert (grpc.StatusCode.UNAVAILABLE in ends) == cut_off
            async with asyncio.timeout(PATIENCE_S):
                while serving.server._calls:
                    await asyncio.sleep(0.01)


async def test_what_grpc_holds_for_it_is_freed_with_its_connection(toys):
    settings = LARGE | {"max_stall_s": 0.5, "max_timeout_ms": 4000, "max_grpc_connection_age_s": 1}
    async with serve_grpc(toys, **settings) as serving:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{serving.server.port}") as channel:
            stalled = channel.unary_stream("/pentimento.v1.CanvasService/StreamCanvas")(stream())
            await stalled.read()
            await all_free(serving)
            # Its status waits behind the message that it does not take, until the connection is too old.
            async with asyncio.timeout(PATIENCE_S):
                while serving.server._calls:
                    await asyncio.sleep(0.01)
        for _ in range(3):  # others just make another
            await serving.stub.ListModels(pb.ListModelsRequest())
            await asyncio.sleep(0.6)
