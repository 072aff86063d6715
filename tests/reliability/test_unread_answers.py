"""Answers over gRPC that no client takes: gRPC holds a bounded part of them, and others are answered."""

import asyncio
import contextlib
import time

import grpc
import pytest

from pentimento.service.grpc.api import SERVICE_NAME
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.reliability.http2 import Http2Connection
from tests.reliability.puppets import WIDE_BYTES
from tests.reliability.test_grpc_limits import draws, head, wait

pytestmark = pytest.mark.alone

GENERATE = f"/{SERVICE_NAME}/Generate"
IMAGES, STEPS = 3, 20
EACH = IMAGES * STEPS * WIDE_BYTES  # bytes of an answer, at least
BUDGET = 64 << 20


def request(**given):
    spec = pb.DrawingSpec(model="toy-wide", image_count=IMAGES, step_count=STEPS, seed=1, **given)
    return pb.GenerateRequest(drawing=spec, encoding=pb.IMAGE_ENCODING_UINT8)  # which takes no time


def ask(connection):
    """Asks for a whole drawing, on a connection that lets in 64 KiB of all its answers."""
    data = request().SerializeToString()
    stream = connection.begin(GENERATE)
    connection.send(stream, head(len(data)) + data)
    connection.finish(stream)
    return stream


def held(server):
    return asyncio.run(server.snapshot()).total("pentimento_sending_bytes")


def is_settled(server):
    """Whether a good part of the budget is taken, and nothing was drawn or handed over for half a second.

    Between two drawings there is a moment without rows, and one look may meet it.
    """
    seen = [asyncio.run(server.snapshot()) for _ in range(5) if not time.sleep(0.1)]
    taken = {each.total("pentimento_sending_bytes") for each in seen}
    return not any(each.rows for each in seen) and len(taken) == 1 and taken.pop() > BUDGET / 4


def is_answered(server):
    """Whether somebody else gets an answer as large."""
    with grpc.insecure_channel(server.grpc) as channel:
        try:
            return len(pb_grpc.CanvasServiceStub(channel).Generate(request(), timeout=60).frames) == STEPS
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error
            return False


@pytest.mark.parametrize(("serve", "workers"), [(1, 1), (2, 2)], indirect=["serve"], ids=["alone", "workers"])
def test_answers_that_nobody_takes_hold_no_more_than_the_budget(serve, workers):
    """Five clients, 20 connections, 400 answers of 550 KB: 220 MB, of which gRPC would keep twice as much."""
    server = serve(max_sending_bytes=BUDGET, max_stall_s=2)
    assert draws(server)
    server.forget_peak()
    at_first = server.rss
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(Http2Connection(server.place.grpc_port, f"127.0.0.{2 + number % 5}"))
            for number in range(20)
        ]
        for _ in range(20):
            for connection in connections:
                with contextlib.suppress(OSError):  # it may have been cut by now
                    ask(connection)
        assert wait(lambda: is_settled(server), 60)
        most = held(server)
        assert draws(server), "others are answered, in every way"
        most = max(most, held(server))
        assert wait(lambda: is_answered(server), 60), "who takes nothing is cut when most of it is taken"
        grown = server.peak_rss - at_first
        print(f"{most / 2**20:.0f} MiB on their way, {grown >> 20} MiB more")
        assert BUDGET / 4 < most <= BUDGET + 20 * 65_536
        # gRPC keeps what it is handed about twice; what is being encoded comes beside it.
        assert grown < 5 * BUDGET
        # Another's answer may have found the last room. At 32 KiB/s these are late twenty seconds later.
        assert wait(lambda: any(connection.closed for connection in connections), 90)
        said = b"".join(data for connection in connections for data in connection.answered.values())
        assert b"the limit of" in said, "who waited in vain is told so"
    assert wait(lambda: held(server) == 0), "all of it is given back"
    # A process that has grown by 64 MiB is asked for what is free, every ten seconds.
    assert wait(lambda: server.rss - at_first < (1 + workers) * (64 << 20), 60), "to the system, too"
    server.stop()


def test_an_answer_waits_until_others_are_taken_or_its_time_is_over(serve):
    server = serve(max_sending_bytes=BUDGET)
    with grpc.insecure_channel(server.grpc) as channel:
        generate = pb_grpc.CanvasServiceStub(channel).Generate
        with Http2Connection(server.place.grpc_port) as unread:
            for _ in range(30):
                ask(unread)
            assert wait(lambda: EACH <= held(server) <= BUDGET / 4)
            assert wait(lambda: asyncio.run(server.snapshot()).rows == 0)
            with pytest.raises(grpc.RpcError) as caught:
                generate(request(timeout_ms=1000), timeout=60)
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert "waited for others to be taken" in caught.value.details()
            waits = generate.future(request(), timeout=60)
            with pytest.raises(grpc.FutureTimeoutError):
                waits.result(timeout=1)
            began = asyncio.run(server.snapshot()).calls("toy-wide")
        assert len(waits.result(timeout=60).frames) == STEPS
        assert asyncio.run(server.snapshot()).calls("toy-wide") > began, "nothing was drawn before"
    assert wait(lambda: held(server) == 0)
    server.stop()
