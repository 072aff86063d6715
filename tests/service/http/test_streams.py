"""Streams: frames as they are drawn, exactly one end, and nothing left behind when a client leaves."""

import json
import socket

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.service.http.test_generate import problem
from tests.service.live import LiveServer, sse_events, wait_until

SSE = {"Accept": "text/event-stream"}
STREAMS = ["text/event-stream", "application/x-ndjson"]
SLOW = {"model": "toy-slow", "steps": 1000}  # some seconds of drawing


def outcomes(client: httpx.Client) -> dict[str, float]:
    """Counted requests over HTTP by outcome; those over gRPC are of other tests."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        sample.labels["outcome"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "pentimento_requests_total"
        and (sample.labels["operation"], sample.labels["transport"]) == ("generate", "http")
    }


@pytest.fixture
def idle(live):
    """The shared server, idle before and after; how many calls its slow graph has made."""
    assert wait_until(lambda: live.rows == 0)
    yield lambda: live.server.metrics.registry.get_sample_value(
        "pentimento_graph_call_seconds_count", {"bundle": "toy-slow", "graph": "step"}
    )
    assert wait_until(lambda: live.rows == 0), "rows were left in flight"


@pytest.mark.parametrize("kind", STREAMS)
def test_frames_arrive_as_they_are_drawn(live, http, idle, kind):
    before = idle() or 0
    with http.stream("POST", "/generate", params=SLOW | {"steps": 60}, headers={"Accept": kind}) as response:
        lines = (line for line in response.iter_lines() if line.startswith(("data: ", "{")))
        for number, line in enumerate(lines, 1):
            content = json.loads(line.removeprefix("data: "))
            if number == 1:
                assert content["step"] == 1
                assert live.rows == 1  # the first frame is here while later ones are still to be drawn
                assert idle() - before < 60
    assert number == 61


@pytest.mark.parametrize("kind", STREAMS)
def test_a_failing_drawing_ends_with_one_error(http, idle, kind):
    latent = [[[[1000.0] * 8] * 6]]
    body = {"model": "toy-fragile", "steps": 5, "latents": {"latent": latent}}
    response = http.post("/generate", json=body, headers={"Accept": kind})
    assert response.status_code == 200
    if kind == "text/event-stream":
        events = list(sse_events(response.text.split("\n")))
    else:
        lines = [json.loads(line) for line in response.text.splitlines()]
        events = [(line.pop("type"), line) for line in lines]
    assert [name for name, _ in events] == ["frame", "frame", "error"]
    error = events[-1][1]
    assert (error["code"], error["status"], error["step"]) == ("INFERENCE_FAILED", 500, 2)
    assert "toy-fragile/step" in error["detail"] and "onnx" not in error["detail"].lower()


def test_a_failing_drawing_is_a_problem_when_nothing_was_sent(http, idle):
    body = {"model": "toy-fragile", "latents": {"latent": [[[[1000.0] * 8] * 6]]}}
    assert problem(http.post("/generate", json=body), 500)["code"] == "INFERENCE_FAILED"


def test_hanging_up_on_a_picture_cancels_the_drawing(live, http, idle):
    """The other ways of asking are in tests/reliability."""
    before, calls = outcomes(http).get("cancelled", 0), idle() or 0
    with socket.create_connection(("127.0.0.1", live.server.http_port)) as connection:
        connection.sendall(
            b"POST /generate?model=toy-slow&steps=1000 HTTP/1.1\r\nHost: localhost\r\n"
            b"Accept: image/png\r\n\r\n"
        )
        assert wait_until(lambda: (idle() or 0) >= calls + 2)
        assert live.rows == 1
        at_close = idle()
    assert wait_until(lambda: live.rows == 0)
    assert idle() - at_close < 100  # of the 1000 steps; what the engine owes is one
    assert wait_until(lambda: outcomes(http).get("cancelled", 0) == before + 1)


def test_hanging_up_in_the_middle_of_the_body(live, http, idle, caplog):
    before = outcomes(http).get("cancelled", 0)
    with socket.create_connection(("127.0.0.1", live.server.http_port)) as connection:
        connection.sendall(
            b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
    assert wait_until(lambda: outcomes(http).get("cancelled", 0) == before + 1)
    assert not caplog.records


def test_deadline_before_the_first_byte_is_504(http, idle):
    response = http.post("/generate", params=SLOW | {"timeout_ms": 100})
    assert problem(response, 504)["code"] == "DEADLINE_EXCEEDED"


def test_deadline_in_a_stream_is_one_error(http, idle):
    response = http.post("/generate", params=SLOW | {"timeout_ms": 200}, headers=SSE)
    events = list(sse_events(response.text.split("\n")))
    names = [name for name, _ in events]
    assert names.count("error") == 1 and names[-1] == "error" and "done" not in names
    assert events[-1][1]["code"] == "DEADLINE_EXCEEDED"


def test_overload_is_refused_at_the_door(toys):
    server = LiveServer(toys, max_rows_in_flight=4)
    try:
        with server.client() as client, server.client() as other:
            with client.stream("POST", "/generate", params=SLOW | {"n": 3}, headers=SSE) as response:
                assert response.status_code == 200
                refused = other.post("/generate", params={"model": "toy-once", "n": 2})
                body = problem(refused, 429)
                assert body["code"] == "OVERLOADED" and "limit of 4" in body["detail"]
                assert int(refused.headers["Retry-After"]) >= 1
                # Before the first byte also for a stream: the status says it.
                problem(other.post("/generate", params={"model": "toy-once", "n": 2}, headers=SSE), 429)
                assert other.post("/generate", params={"model": "toy-once"}).status_code == 200
            assert wait_until(lambda: server.rows == 0)
    finally:
        server.close()


def test_every_end_is_counted_once(http, idle):
    before = outcomes(http)
    http.post("/generate")
    http.post("/generate", headers=SSE)
    http.post("/generate?steps=900")
    http.post("/generate", json={"model": "toy-fragile", "latents": {"latent": [[[[1000.0] * 8] * 6]]}})

    def grown():
        after = outcomes(http)
        growth = {name: value - before.get(name, 0) for name, value in after.items()}
        return {name: more for name, more in growth.items() if more}

    # An end is counted after its answer has gone out, so whoever has the answer may be sooner.
    assert wait_until(lambda: grown() == {"ok": 2, "invalid_argument": 1, "inference_failed": 1}), grown()
