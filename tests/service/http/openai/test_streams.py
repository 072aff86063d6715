"""images.generate(stream=True): partial images are steps of the drawing, sent as they are drawn."""

import asyncio
import json

import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.service.http.openai.conftest import async_client_of, client_of
from tests.service.live import LiveServer, sse_events, wait_until

SLOW = {"model": "toy-slow", "prompt": "", "stream": True, "extra_body": {"steps": 1000}}  # some seconds


def outcomes(own):
    """Counted drawings over HTTP by outcome."""
    return {
        sample.labels["outcome"]: sample.value
        for family in text_string_to_metric_families(own.get("/metrics").text)
        for sample in family.samples
        if sample.name == "pentimento_requests_total"
        and (sample.labels["operation"], sample.labels["transport"]) == ("generate", "http")
    }


def frames_of(own, **params):
    return [frame["images"] for frame in own.post("/generate", params=params).json()["frames"]]


@pytest.mark.parametrize(
    ("count", "steps"),
    [(0, []), (1, [2]), (2, [1, 3]), (3, [1, 2, 3]), (4, [1, 2, 3, 4])],
)
def test_partial_images_are_steps_of_the_drawing(client, own, count, steps):
    with client.images.generate(
        prompt="", stream=True, partial_images=count, extra_body={"seed": 9, "steps": 5}
    ) as stream:
        events = list(stream)
    frames = frames_of(own, seed=9, steps=5)
    partial, (last,) = events[:-1], events[-1:]
    assert [event.type for event in partial] == ["image_generation.partial_image"] * count
    assert [(event.partial_image_index, event.step) for event in partial] == list(enumerate(steps))
    assert [event.b64_json for event in partial] == [frames[step - 1][0] for step in steps]
    assert (last.type, last.step, last.steps) == ("image_generation.completed", 5, 5)
    assert last.b64_json == frames[-1][0]
    for event in events:
        assert (event.seed, event.size, event.output_format) == (9, "8x6", "png")
        assert (event.background, event.quality) == ("opaque", "auto") and event.created_at > 1_700_000_000
    assert last.usage.total_tokens == 0


def test_each_of_several_images_is_completed(client, own):
    with client.images.generate(
        prompt="", n=3, stream=True, partial_images=1, extra_body={"seed": 9, "steps": 4}
    ) as stream:
        events = list(stream)
    frames = frames_of(own, seed=9, steps=4, n=3)
    assert [event.image_index for event in events] == [0, 1, 2, 0, 1, 2]
    assert [event.type.split(".")[1] for event in events] == ["partial_image"] * 3 + ["completed"] * 3
    assert [event.b64_json for event in events] == [*frames[1], *frames[3]]
    assert {event.partial_image_index for event in events[:3]} == {0}


def test_they_come_while_it_is_drawn(served, client, idle):
    before = idle()
    options = SLOW | {"partial_images": 299, "extra_body": {"steps": 300}}
    with client.images.generate(**options) as stream:
        first = next(stream)
        assert (first.partial_image_index, first.step) == (0, 1)
        assert served.rows == 1 and idle() - before < 300  # later steps are still to be drawn
        assert [event.step for event in stream] == list(range(2, 301))


def test_leaving_in_the_middle_frees_the_rows(served, client, own, idle):
    before = outcomes(own).get("cancelled", 0)
    with client.images.generate(**SLOW, partial_images=999) as stream:
        next(stream)
        assert served.rows == 1
    at_close = idle()
    assert wait_until(lambda: served.rows == 0)
    assert idle() - at_close < 100  # of the 1000 steps; what the engine owes is one
    assert wait_until(lambda: outcomes(own).get("cancelled", 0) == before + 1)


async def eventually(condition):
    return await asyncio.to_thread(wait_until, condition)


async def test_a_cancelled_task_frees_the_rows(served, own, idle):
    """Of a stream that is read, and of a whole answer that is waited for."""

    async def read(client):
        async with await client.images.generate(**SLOW, partial_images=999) as stream:
            async for _ in stream:
                seen.set()

    async def wait(client):
        await client.images.generate(**(SLOW | {"stream": False}))

    async with async_client_of(served) as client:
        seen, before = asyncio.Event(), outcomes(own).get("cancelled", 0)
        task = asyncio.create_task(read(client))
        await asyncio.wait_for(seen.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await eventually(lambda: served.rows == 0)
        calls = idle()
        task = asyncio.create_task(wait(client))
        assert await eventually(lambda: idle() > calls + 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await eventually(lambda: served.rows == 0)
        assert await eventually(lambda: outcomes(own).get("cancelled", 0) == before + 2)


async def test_streams_on_an_event_loop(served, own):
    async with async_client_of(served) as client:
        stream = await client.images.generate(
            prompt="", stream=True, partial_images=1, extra_body={"seed": 4, "steps": 2}
        )
        events = [event async for event in stream]
    assert [[event.b64_json] for event in events] == frames_of(own, seed=4, steps=2)


def test_an_error_in_a_stream_is_raised_by_the_client(client, idle):
    options = SLOW | {"extra_body": {"steps": 1000, "timeout_ms": 300}}
    with pytest.raises(openai.APIError) as caught, client.images.generate(**options) as stream:
        list(stream)
    assert (caught.value.code, caught.value.type) == ("deadline_exceeded", "server_error")
    assert "deadline" in caught.value.message


def test_a_stream_has_one_end(own, idle):
    body = {"model": "toy-slow", "stream": True, "steps": 1000, "timeout_ms": 300}
    response = own.post("/v1/images/generations", json=body)
    assert response.status_code == 200 and response.headers["content-type"].startswith("text/event-stream")
    events = list(sse_events(response.text.split("\n")))
    assert [name for name, _ in events] == ["error"]
    assert events[0][1]["type"] == "error" and events[0][1]["error"]["code"] == "deadline_exceeded"
    whole = own.post("/v1/images/generations", json={"stream": True, "partial_images": 2})
    names = [name for name, _ in sse_events(whole.text.split("\n"))]
    assert names == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert all(json.loads(line[6:])["seed"] < 2**53 for line in whole.text.splitlines() if line[:1] == "d")


@pytest.fixture(scope="module")
def narrow(toys):
    """A server with room for four rows, a stream a client, and small bodies."""
    server = LiveServer(
        toys, max_rows_in_flight=4, max_client_streams=1, max_body_bytes=100_000, calibrate=False
    )
    yield server
    server.close()


def test_there_is_room_for_so_many_rows(narrow):
    with client_of(narrow) as client:
        with client.images.generate(**SLOW, n=3) as _, pytest.raises(openai.RateLimitError) as caught:
            client.images.generate(model="toy-once", prompt="", n=2)
        assert "limit of 4" in caught.value.body["message"]
        assert (caught.value.type, caught.value.code) == ("rate_limit_error", "rate_limit_exceeded")
        assert int(caught.value.response.headers["Retry-After"]) >= 1
        assert wait_until(lambda: narrow.rows == 0)


def test_a_client_may_have_so_many_streams(narrow):
    with client_of(narrow) as client:
        with client.images.generate(**SLOW) as _, pytest.raises(openai.RateLimitError, match="stream"):
            client.images.generate(**SLOW)
        assert wait_until(lambda: narrow.rows == 0)


def test_a_body_may_have_so_many_bytes(narrow):
    with client_of(narrow) as client, pytest.raises(openai.APIStatusError) as caught:
        client.images.generate(model="toy-once", prompt="a" * 100_001)
    assert caught.value.status_code == 413 and "at most 100000 bytes" in caught.value.body["message"]
