"""ModelStreamInfer with the real client: one answer a step, sent as it is drawn."""

import asyncio

import numpy as np
import pytest
import tritonclient.grpc.aio
from tritonclient.utils import InferenceServerException

from tests.service.grpc.open_inference.conftest import drawn, input_of, is_final, wanted
from tests.service.live import wait_until

SLOW = {"parameters": {"steps": 1000}}  # some seconds


def test_each_step_is_an_answer_and_the_last_is_marked(stream, own):
    stream.ask("toy-steps", parameters={"seed": 7, "steps": 4, "n": 2}, request_id="mine")
    answers = stream.drawing()
    canvases = drawn(own, model="toy-steps", seed=7, steps=4, n=2)
    assert [is_final(answer) for answer in answers] == [False, False, False, True]
    for step, answer in enumerate(answers):
        said = answer.get_response()
        assert (said.id, said.parameters["step"].int64_param) == ("mine", step + 1)
        assert said.parameters["seed"].int64_param == 7
        assert answer.as_numpy("canvas").tobytes() == canvases[:, step].tobytes()


def test_several_requests_are_answered_in_turn(stream):
    stream.ask("toy-steps", parameters={"seed": 1, "steps": 2}, request_id="a")
    image = input_of("image", np.zeros((1, 1, 6, 8), np.float32), "FP32")
    stream.ask("toy-steps:score", [image], request_id="b")
    options = {"parameters": {"seed": 1, "steps": 3}, "outputs": wanted("logit", "canvas")}
    stream.ask("toy-steps", request_id="c", enable_empty_final_response=True, **options)
    ids = [answer.get_response().id for _ in range(3) for answer in stream.drawing()]
    assert ids == ["a", "a", "b", "c", "c", "c"]


def test_an_error_is_said_and_the_stream_goes_on(stream):
    stream.ask("toy-steps", parameters={"n": 900})
    with pytest.raises(InferenceServerException, match=r"n must be 1\.\.64, got 900"):
        stream.next()
    stream.ask("toy-steps", outputs=wanted("canvases"))
    with pytest.raises(InferenceServerException, match=r"outputs\.canvases is of ModelInfer"):
        stream.next()
    stream.ask("toy-slow", parameters={"steps": 1000, "timeout_ms": 200})
    with pytest.raises(InferenceServerException, match="deadline"):
        stream.drawing()
    stream.ask("toy-once", parameters={"seed": 1})
    assert is_final(stream.next())


def test_they_come_while_it_is_drawn(served, stream, idle):
    stream.ask("toy-slow", **SLOW)
    assert not is_final(stream.next()) and served.rows == 1
    stream.client.stop_stream(cancel_requests=True)
    assert wait_until(lambda: served.rows == 0)


async def test_streams_on_an_event_loop_are_left_in_the_middle(served, idle):
    asked = asyncio.Event()

    async def requests():
        yield {"model_name": "toy-slow", "inputs": [], **SLOW}
        await asked.wait()

    async with tritonclient.grpc.aio.InferenceServerClient(served.grpc) as client:
        answers = client.stream_infer(requests())
        async for result, error in answers:
            assert error is None and result.as_numpy("canvas").shape == (1, 1, 6, 8)
            break
        assert served.rows == 1
        answers.cancel()
        asked.set()
    assert await asyncio.to_thread(wait_until, lambda: served.rows == 0)
