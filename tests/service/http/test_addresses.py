"""Addresses of pictures: the bytes of `POST /generate` in every format, and a sentence for all others."""

import json
import re

import httpx
import pytest

from pentimento.service.http.picture_path import ENDINGS
from tests.service.http.test_generate import problem
from tests.service.live import LiveServer, sse_events, wait_until
from tests.service.sockets import Plug

TIMES = re.compile(rb',?"(elapsed_us|timing)":(\{[^}]*\}|\d+)')
IDS = re.compile(rb"id: [^\n]*\n")

PICTURES = [
    ("toy-steps", "steps=3&n=2", {}),
    ("toy-color", "n=3&scale=3", {}),
    ("toy-rows", "", {}),
    ("toy-labels", "label=2", {}),
    ("toy-labels", "labels=2,0,1&n=3", {"labels": [2, 0, 1]}),
    ("toy-steps", "steps=2&score=true", {}),
    ("toy-steps", "score_by=toy-steps&steps=1", {}),
]


def posted(http: httpx.Client, model: str, query: str, body: dict, kind: str) -> httpx.Response:
    """The drawing with seed 7 as `POST /generate` has it."""
    rest = "&".join(part for part in query.split("&") if not part.startswith("labels="))
    url = f"/generate?model={model}&seed=7&{rest}".rstrip("&")
    return http.post(url, json=body, headers={"Accept": kind})


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("model", "query", "body"), PICTURES)
def test_the_same_bytes_as_generate(http, ending, model, query, body):
    kind = ENDINGS[ending].value
    wanted = posted(http, model, query, body, kind)
    response = http.get(f"/drawings/{model}/7.{ending}?{query}")
    assert (response.status_code, wanted.status_code) == (200, 200), response.text[:500]
    assert response.headers["content-type"] == wanted.headers["content-type"]
    for name in ("Model", "Version", "Seed", "Steps"):
        assert response.headers[f"Pentimento-{name}"] == wanted.headers[f"Pentimento-{name}"]
    assert "Vary" not in response.headers, "the ending decides, not Accept"
    if ending in ("json", "sse"):  # all but the times, which are others each time, and the ids of events
        assert not TIMES.search(response.content)
        assert IDS.sub(b"", response.content) == TIMES.sub(b"", wanted.content)
    else:
        assert response.content == wanted.content
    assert http.get(f"/drawings/{model}@1.0.0/7.{ending}?{query}").content == response.content


def test_a_seed_and_a_model_are_all_that_is_needed(http):
    response = http.get("/drawings/toy-once/0.json")
    assert response.json()["seed"] == 0
    assert http.get("/drawings/toy-once/9223372036854775807.png").status_code == 200


def test_accept_does_not_matter(http):
    for accept in ("text/html,image/webp,*/*;q=0.8", "image/gif", "nothing"):
        response = http.get("/drawings/toy-steps/7.png", headers={"Accept": accept})
        assert response.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("toy-steps/7", 404, "an address of a drawing must end with one of .png, .gif, .apng, .npy, .json, "),
        ("toy-steps/7.bmp", 404, ".sse, got '7.bmp'"),
        ("toy-steps/7.PNG", 404, "got '7.PNG'"),
        ("toy-steps/png", 404, "got 'png'"),
        ("toy-steps/.png", 400, "seed must be a whole number such as 7, got ''"),
        ("toy-steps/x.png", 400, "seed must be a whole number such as 7, got 'x'"),
        ("toy-steps/007.png", 400, "seed must be a whole number such as 7, got '007'"),
        ("toy-steps/-1.png", 400, "seed must be a whole number such as 7, got '-1'"),
        ("toy-steps/1.5.png", 400, "seed must be a whole number such as 7, got '1.5'"),
        ("toy-steps/9223372036854775808.png", 400, "seed must be 0..9223372036854775807"),
        (f"toy-steps/{'9' * 5000}.png", 400, "seed must be a whole number such as 7, got '9999"),
        ("no-such/7.png", 404, "model 'no-such' is not served here; served are: "),
        ("toy-steps@1.0.1/7.png", 404, "version of model 'toy-steps' must be 1.0.0, the one served here, "),
        ("no-such@1.0.0/7.png", 404, "model 'no-such' is not served here"),
        ("toy-steps@/7.png", 400, "version must be three numbers such as 1.0.0, got ''"),
        ("toy-steps@1.0/7.png", 400, "version must be three numbers such as 1.0.0, got '1.0'"),
        (
            "toy-steps@1.0.0@1.0.1/7.png",
            400,
            "must be three numbers such as 1.0.0, got '1.0.0@1.0.1'",
        ),
        ("toy-steps/7.png?steps=900", 400, "steps must be 1..16 for model 'toy-steps', got 900"),
        ("toy-steps/7.png?n=0", 400, "n must be 1.."),
        ("toy-steps/7.png?scale=17", 400, "scale must be 1..16, got 17"),
        ("toy-slow/7.png?n=64&steps=64&scale=16", 400, "scale is too large: 64 images of 64 steps"),
        ("toy-steps/7.png?label=1", 400, "label cannot be given: model 'toy-steps' is not conditional"),
        ("toy-labels/7.png", 400, "label is needed by model 'toy-labels': 0..2"),
        ("toy-labels/7.png?labels=1,", 400, "labels must be classes with commas between them, such as 3,1,4"),
        ("toy-labels/7.png?labels=1,3", 400, "labels[1] must be 0..2 for model 'toy-labels'"),
        ("toy-labels/7.png?labels=1&label=1", 400, "labels cannot be given together with label"),
        (
            "toy-steps/7.png?seed=8",
            400,
            "seed is not known here; known are: boxes, label, labels, n, ",
        ),
        ("toy-steps/7.png?version=1.0.0", 400, "version is not known here"),
        ("toy-steps/7.png?steps=1&steps=2", 400, "steps is given twice in the query: '1' and '2'"),
        ("toy-steps/7.npy?boxes=true", 400, "boxes cannot be had: model 'toy-steps' draws without attention"),
        ("toy-once/7.json?score=true", 422, "model 'toy-once' cannot score"),
        ("toy-steps/7.sse?steps=900", 400, "steps must be 1..16 for model 'toy-steps', got 900"),
        ("toy-steps", 404, "there is nothing at /drawings/toy-steps"),
        ("toy-steps/7.png/8.png", 404, "there is nothing at /drawings/toy-steps/7.png/8.png"),
    ],
)
@pytest.mark.parametrize("tags", [{}, {"If-None-Match": "*"}])
def test_what_is_no_address_is_said_and_not_kept(http, path, status, says, tags):
    """Also to those who claim to have it: else a wrong address would be right for them."""
    response = http.get(f"/drawings/{path}", headers=tags)
    assert says in problem(response, status)["detail"]
    assert response.headers["Cache-Control"] == "no-store" and "ETag" not in response.headers


def test_nor_are_other_methods_and_bodies(http):
    response = http.post("/drawings/toy-steps/7.png")
    assert problem(response, 405)["detail"].endswith("use GET, HEAD")
    assert response.headers["Cache-Control"] == "no-store"
    body = json.dumps({"steps": 2})
    response = http.request("GET", "/drawings/toy-steps/7.png", content=body)
    assert problem(response, 400)["detail"].startswith("body must be empty: an address says everything")


def calls(live) -> float:
    """Calls of the graph that draws toy-steps, so far."""
    labels = {"bundle": "toy-steps", "graph": "step"}
    return live.server.metrics.registry.get_sample_value("pentimento_graph_call_seconds_count", labels) or 0.0


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_head_is_had_without_a_drawing(live, http, ending):
    whole = http.get(f"/drawings/toy-steps@1.0.0/7.{ending}")
    before = calls(live)
    head = http.head(f"/drawings/toy-steps@1.0.0/7.{ending}")
    assert head.status_code == 200 and head.content == b"" and calls(live) == before
    varying = {"date", "x-request-id", "content-length", "transfer-encoding", "x-accel-buffering"}
    names = ({*whole.headers} | {*head.headers}) - varying
    assert {name: head.headers.get(name) for name in names} == {
        name: whole.headers.get(name) for name in names
    }
    assert "content-length" not in head.headers, "it is not known before it is drawn"
    assert http.head("/drawings/toy-steps/7.png?steps=900").status_code == 400


def test_hanging_up_frees_the_rows(live, http):
    """As everywhere: at the latest after the step that is being drawn."""
    assert wait_until(lambda: live.rows == 0)
    for ending in ("png", "sse"):
        with Plug(live) as plug:
            plug.ask(f"GET /drawings/toy-slow/7.{ending}?steps=1000")
            assert wait_until(lambda: live.rows == 1)
        assert wait_until(lambda: live.rows == 0)


def test_what_guards_the_others_guards_addresses(toys):
    key = {"X-API-Key": "k" * 20}
    server = LiveServer(toys, api_keys="k" * 20, calibrate=False, max_rows_in_flight=2, max_client_streams=1)
    try:
        with server.client() as client, server.client() as other:
            refused = client.get("/drawings/toy-steps/7.png")
            assert refused.status_code == 401 and refused.headers["Cache-Control"] == "no-store"
            found = client.get("/drawings/toy-steps@1.0.0/7.png", headers=key)
            assert found.headers["Cache-Control"] == "private, max-age=31536000, immutable"
            kept = key | {"If-None-Match": found.headers["ETag"]}
            found = client.get("/drawings/toy-steps/7.png", headers=key)
            assert found.headers["Cache-Control"] == "private, no-cache"
            url = "/drawings/toy-slow/7.sse?steps=1000&n=2"
            with client.stream("GET", url, headers=key) as stream:
                assert stream.status_code == 200
                full = other.get("/drawings/toy-steps/7.png", headers=key)
                assert "the limit of 2" in problem(full, 429)["detail"]
                assert full.headers["Cache-Control"] == "no-store" and full.headers["Retry-After"]
                full = other.get("/drawings/toy-steps/7.sse", headers=key)
                assert "may have at most 1 streams open" in problem(full, 429)["detail"]
                # Nobody needs room for what is not drawn.
                assert other.get("/drawings/toy-steps/7.png", headers=kept).status_code == 304
                assert other.head("/drawings/toy-steps/7.png", headers=key).status_code == 200
            assert wait_until(lambda: server.rows == 0)
    finally:
        server.close()


def test_the_servers_deadline_holds(toys):
    server = LiveServer(toys, calibrate=False, default_timeout_ms=50)
    try:
        with server.client() as client:
            late = client.get("/drawings/toy-slow@1.0.0/7.png?steps=1000")
            assert problem(late, 504)["code"] == "DEADLINE_EXCEEDED"
            assert late.headers["Cache-Control"] == "no-store"
            stream = client.get("/drawings/toy-slow/7.sse?steps=1000")
            name, error = list(sse_events(stream.text.split("\n")))[-1]
            assert (name, error["code"]) == ("error", "DEADLINE_EXCEEDED")
            # It would pass again: a browser that comes back, as all do, is told to stay away.
            last = re.findall(r"^id: (.+)$", stream.text, re.MULTILINE)[-1]
            again = client.get("/drawings/toy-slow/7.sse?steps=1000", headers={"Last-Event-ID": last})
            assert again.status_code == 204
    finally:
        server.close()
