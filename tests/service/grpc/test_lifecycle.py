"""gRPC while things go wrong or come to an end: cancellation, deadlines, overload, slow readers, drain."""

import asyncio
import gc
import time
from collections import Counter

import grpc
import pytest

from pentimento.service.grpc.api import SERVICE_NAME
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.telemetry.metrics import Metrics
from tests.service.grpc.serving import serve_grpc

SLOW = pb.DrawingSpec(model="toy-slow", step_count=64)
ALONE = (("grpc.use_local_subchannel_pool", 1),)  # a connection of its own
STEP_S = 2.0  # far above a step of toy-slow, far below its 64 steps on a busy machine


@pytest.fixture
async def serving(toys):
    async with serve_grpc(toys, lanes=1) as serving:
        yield serving


def slow(**fields) -> pb.StreamCanvasRequest:
    spec = pb.DrawingSpec()
    spec.CopyFrom(SLOW)
    spec.MergeFrom(pb.DrawingSpec(**fields))
    return pb.StreamCanvasRequest(drawing=spec)


async def all_free(serving, within_s: float = STEP_S) -> None:
    deadline = time.monotonic() + within_s
    while serving.engine.rows_in_flight:
        assert time.monotonic() < deadline, f"{serving.engine.rows_in_flight} rows are still in flight"
        await asyncio.sleep(0.002)


async def failure(call) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await rest(call)
    return caught.value


async def rest(call) -> list[pb.StreamCanvasResponse]:
    messages = []
    while (message := await call.read()) is not grpc.aio.EOF:
        messages.append(message)
    return messages


@pytest.mark.alone
@pytest.mark.parametrize("how", ["call", "field"])
async def test_a_deadline_ends_the_drawing(serving, how):
    started = time.monotonic()
    request = slow(timeout_ms=40) if how == "field" else slow()
    error = await failure(serving.stub.StreamCanvas(request, timeout=0.04 if how == "call" else None))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < STEP_S
    if how == "field":
        assert dict(error.trailing_metadata())["pentimento-code"] == "DEADLINE_EXCEEDED"
        assert "of 64 steps" in error.details()
    await all_free(serving)


async def test_a_call_with_a_long_deadline_is_no_error(serving):
    request = pb.GenerateRequest(drawing=pb.DrawingSpec(step_count=1))
    assert (await serving.stub.Generate(request, timeout=10_000_000)).frames


async def test_overload_is_refused_with_a_hint(toys):
    async with serve_grpc(toys, lanes=1, max_rows_in_flight=8) as serving:
        first = serving.stub.StreamCanvas(slow(image_count=8))
        await first.read()
        error = await failure(serving.stub.StreamCanvas(slow()))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        metadata = dict(error.trailing_metadata())
        assert metadata["pentimento-code"] == "OVERLOADED"
        assert int(metadata["retry-after-ms"]) > 0
        first.cancel()
        await all_free(serving)


async def test_a_reader_that_stalls_stalls_only_itself_and_expires(toys):
    # 0.8 MB a frame: more than the flow control of HTTP/2 takes in without a reader.
    spec = pb.DrawingSpec(step_count=16, image_count=4096, timeout_ms=6000)
    request = pb.StreamCanvasRequest(drawing=spec, encoding=pb.IMAGE_ENCODING_FLOAT32)
    async with serve_grpc(
        toys, lanes=1, stream_frames=1, max_images=4096, max_rows_in_flight=5000
    ) as serving:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{serving.server.port}") as channel:
            stalled = channel.unary_stream(f"/{SERVICE_NAME}/StreamCanvas")(request.SerializeToString())
            await stalled.read()
            answer = await serving.stub.Generate(pb.GenerateRequest(drawing=pb.DrawingSpec(step_count=3)))
            assert len(answer.frames) == 3
            await asyncio.sleep(1.0)
            assert serving.engine.rows_in_flight == 4096, "it waits for its reader"
            await all_free(serving, within_s=10)  # until its deadline
            await asyncio.sleep(1.2)  # the call itself ends a second after its drawing
            error = await failure(stalled)
            assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert error.details() == "the deadline passed while the client was not reading"


async def test_a_fault_of_ours_says_nothing_of_the_inside(serving, monkeypatch, caplog):
    def broken() -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(serving.operations, "models", broken)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await serving.stub.ListModels(pb.ListModelsRequest())
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in caught.value.details()
    assert "the secret inside" in caplog.text


@pytest.mark.alone
async def test_what_outlasts_the_grace_period_is_cut(serving):
    call = serving.stub.StreamCanvas(slow())
    await call.read()
    started = time.monotonic()
    await serving.server.stop(0.05)
    assert time.monotonic() - started < STEP_S
    assert (await failure(call)).code() is grpc.StatusCode.UNAVAILABLE
    await all_free(serving)


async def test_whoever_calls_while_it_stops_is_not_told_that_it_left_itself(toys):
    """gRPC answers CANCELLED to a call that it has read and not yet handed over (grpc/grpc#41785)."""
    ends = Counter()

    async def client(port):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=ALONE) as channel:
            ask = channel.unary_unary(f"/{SERVICE_NAME}/ListModels")
            while not ends["UNAVAILABLE"]:
                try:
                    await ask(b"")
                    ends["OK"] += 1
                except grpc.aio.AioRpcError as error:
                    ends[error.code().name] += 1

    for _ in range(10):
        ends.clear()
        async with serve_grpc(toys) as serving:
            clients = [asyncio.create_task(client(serving.server.port)) for _ in range(8)]
            while ends["OK"] < 50:
                await asyncio.sleep(0.001)
            await serving.server.stop(5)
            await asyncio.wait_for(asyncio.gather(*clients), 10)
        assert set(ends) == {"OK", "UNAVAILABLE"}


async def test_a_stop_waits_for_what_runs_and_not_for_what_comes(serving):
    ends = []

    async def call_again_and_again():
        with pytest.raises(grpc.aio.AioRpcError):
            while True:
                await serving.stub.ListModels(pb.ListModelsRequest())
                ends.append("OK")

    drawing = serving.stub.Generate(pb.GenerateRequest(drawing=SLOW))
    callers = [asyncio.create_task(call_again_and_again()) for _ in range(8)]
    while not (serving.engine.rows_in_flight and ends):
        await asyncio.sleep(0.001)
    started = time.monotonic()
    await serving.server.stop(60)
    assert len((await drawing).frames) == 64
    assert time.monotonic() - started < 30
    await asyncio.gather(*callers)


async def test_every_call_is_counted(toys):
    metrics = Metrics()
    async with serve_grpc(toys, metrics=metrics, lanes=1) as serving:
        await serving.stub.ListModels(pb.ListModelsRequest())
        await failure(serving.stub.StreamCanvas(slow(image_count=-1)))
        call = serving.stub.StreamCanvas(slow())
        await call.read()
        await call.read()
        call.cancel()
        await all_free(serving)
        await asyncio.sleep(0.05)
    text = metrics.expose().decode()
    for operation, outcome in (
        ("models", "ok"),
        ("generate", "invalid_argument"),
        ("generate", "cancelled"),
    ):
        labels = f'operation="{operation}",outcome="{outcome}",transport="grpc"'
        assert f"pentimento_requests_total{{{labels}}} 1.0" in text
    assert 'pentimento_first_canvas_seconds_count{transport="grpc"} 1.0' in text


async def test_cancelled_calls_are_collected(serving):
    """The handlers let CancelledError through, so no task of theirs is left (grpc/grpc#43360)."""
    before = len(asyncio.all_tasks())
    for _ in range(20):
        call = serving.stub.StreamCanvas(slow())
        await call.read()
        call.cancel()
    await all_free(serving)
    del call
    await asyncio.sleep(0.1)
    gc.collect()
    assert len(asyncio.all_tasks()) <= before + 2
