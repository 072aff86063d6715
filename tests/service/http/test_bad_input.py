"""Bad input over HTTP: a clear 4xx problem that names field, limit and value; and the server lives on."""

import json

import pytest

from pentimento.service.settings import Settings
from tests.service.http.test_generate import problem
from tests.service.live import LiveServer

JSON = {"Content-Type": "application/json"}
LIMIT = Settings().max_body_bytes


@pytest.fixture(autouse=True)
def lives_on(http):
    yield
    assert http.post("/generate", params={"steps": 1}).status_code == 200


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("steps=0", "steps must be 1..16 for model 'toy-steps', got 0"),
        ("steps=-1", "steps must be 1..16 for model 'toy-steps', got -1"),
        ("steps=900", "steps must be 1..16 for model 'toy-steps', got 900"),
        ("steps=1000000000", "steps must be 1..16 for model 'toy-steps', got 1000000000"),
        ("steps=five", "steps must be a whole number, got 'five'"),
        ("steps=NaN", "steps must be a whole number, got 'NaN'"),
        ("steps=5.0", "steps must be a whole number, got '5.0'"),
        ("steps=", "steps must be a whole number, got ''"),
        ("steps=%00", "steps must be a whole number, got '\\x00'"),
        ("steps=1_0", "steps must be a whole number, got '1_0'"),
        ("model=toy-once&steps=2", "steps must be 1 for model 'toy-once', which draws in one step, got 2"),
        ("n=0", "n must be 1..64, got 0"),
        ("n=65", "n must be 1..64, got 65"),
        ("seed=-1", "seed must be 0..9223372036854775807, got -1"),
        ("seed=9223372036854775808", "seed must be 0..9223372036854775807, got 9223372036854775808"),
        ("timeout_ms=0", "timeout_ms must be 1..600000, got 0"),
        ("score=maybe", "score must be true or false, got 'maybe'"),
        ("scale=17", "scale must be 1..16, got 17"),
        ("label=1", "label cannot be given: model 'toy-steps' is not conditional, got 1"),
        ("model=toy-labels&label=3", "label must be 0..2 for model 'toy-labels' of 3 classes, got 3"),
        (
            "step=5",
            "step is not known here; known are: boxes, label, model, n, scale, score, score_by, seed, steps, "
            "timeout_ms",
        ),
    ],
)
def test_query(http, query, detail):
    body = problem(http.post(f"/generate?{query}"), 400)
    assert body["detail"] == detail
    assert body["code"] == "INVALID_ARGUMENT"
    assert body["field"] == detail.split()[0]


@pytest.mark.parametrize("digits", [21, 4400])
def test_numbers_too_long_to_quote(http, digits):
    detail = problem(http.post("/generate", params={"seed": "9" * digits}), 400)["detail"]
    assert detail.startswith("seed must be a whole number of at most 20 digits, got '999")
    assert len(detail) < 150
    body = problem(http.post("/generate", content='{"seed": %s}' % ("9" * digits), headers=JSON), 400)
    assert body["field"] in ("seed", "body")


def test_unknown_model(http):
    for response in (
        http.post("/generate?model=nope"),
        http.get("/models/nope"),
        http.post("/generate?model="),
    ):
        body = problem(response, 404)
        assert (body["code"], body["field"]) == ("NOT_FOUND", "model")
        assert "toy-steps" in body["detail"]


def test_what_a_model_cannot_do(http):
    body = problem(http.post("/generate?model=toy-once&score=true"), 422)
    assert body["code"] == "UNSUPPORTED"
    assert body["detail"].startswith("model 'toy-once' cannot score")
    assert "models that can: toy-color, toy-steps" in body["detail"]


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"{", "body must be JSON: EOF while parsing"),
        (b"hello", "body must be JSON: expected value"),
        (b"\xff\xfe", "body must be JSON in UTF-8, got the byte order mark of UTF-16"),
        (b"[1]", "body must be a JSON object, got an array"),
        (b"null", "body must be a JSON object, got null"),
        (b'{"n": NaN}', "NaN and Infinity are not JSON"),
        (b'{"latents": {"latent": [Infinity]}}', "NaN and Infinity are not JSON"),
        (b'{"steps": "5"}', None),  # as in the query: digits are digits
        (b'{"steps": 2.5}', "steps must be a whole number, got 2.5"),
        (b'{"steps": true}', "steps must be a whole number, got True"),
        (b'{"score": "yes"}', "score must be true or false, got 'yes'"),
        (b'{"model": 3}', "model should be a valid string, got 3"),
        (
            b'{"stepz": 3}',
            "stepz is not known here; known are: boxes, controls, label, labels, latents,",
        ),
        (b'{"scale": 3}', "scale is not known here"),
        (b'{"latents": []}', "latents should be a valid dictionary, got list"),
        (b"[" * 10_000, "body may be nested at most 32 deep"),
        (b'{"latents":' * 10_000, "body may be nested at most 32 deep"),
        (b'{"latents": {"latent": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}", "nested at most 32 deep"),
    ],
)
def test_json(http, content, detail):
    response = http.post("/generate", content=content, headers=JSON)
    if detail is None:
        assert response.status_code == 200
    else:
        assert detail in problem(response, 400)["detail"]


@pytest.mark.parametrize(
    ("latents", "words"),
    [
        ({"latent": [[[[0.0] * 8] * 6]] * 2}, ["latents.latent", "(1, 1, 6, 8)", "(2, 1, 6, 8)"]),
        ({"latent": [0.0] * 48}, ["latents.latent", "(1, 1, 6, 8)", "(48,)"]),
        ({"latent": [[1.0], [1.0, 2.0]]}, ["latents.latent"]),
        ({"latent": "zeros"}, ["latents.latent"]),
        ({"latent": None}, ["latents.latent"]),
        ({"latent": [[[[1e999] * 8] * 6]]}, ["latents.latent"]),
        ({"latent": [[[[1e300] * 8] * 6]]}, ["latents.latent"]),
        ({"noise": [1.0]}, ["latents.noise", "latent, z"]),
        ({"z": [[[[0.0] * 8] * 6]]}, ["latents.z", "(1, 5, 1, 6, 8)"]),
    ],
)
def test_latents(http, latents, words):
    text = json.dumps({"n": 1, "latents": latents}).replace("Infinity", "1e999")
    detail = problem(http.post("/generate", content=text, headers=JSON), 400)["detail"]
    for word in words:
        assert word in detail


def test_content_types(http):
    body = problem(http.post("/generate", data={"steps": "3"}), 415)
    assert body["detail"] == "Content-Type must be application/json, got 'application/x-www-form-urlencoded'"
    assert problem(http.post("/generate", content=b"{}"), 415)["field"] == "Content-Type"
    packed = http.post("/generate", content=b"{}", headers=JSON | {"Content-Encoding": "gzip"})
    assert problem(packed, 415)["field"] == "Content-Encoding"
    own = http.post("/generate", content=b'{"steps": 1}', headers={"Content-Type": "application/vnd.x+json"})
    assert own.status_code == 200


def test_body_too_large_by_its_announced_length(http):
    body = problem(http.post("/generate", content=b" " * (LIMIT + 1), headers=JSON), 413)
    assert body["detail"] == f"body may have at most {LIMIT} bytes, got {LIMIT + 1}"


def test_body_too_large_by_what_comes(http):
    chunks = (b" " * 65536 for _ in range(LIMIT // 65536 + 2))
    assert "got more" in problem(http.post("/generate", content=chunks, headers=JSON), 413)["detail"]


def test_largest_body_is_read(http):
    content = b'{"steps": 1}' + b" " * (LIMIT - 12)
    assert http.post("/generate", content=content, headers=JSON).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "image/webp", "application/json;q=0"])
def test_nothing_acceptable(http, accept):
    body = problem(http.post("/generate", headers={"Accept": accept}), 406)
    assert "text/event-stream" in body["detail"] and body["code"] == "NOT_ACCEPTABLE"


def test_unknown_paths_and_methods(http):
    assert problem(http.get("/nothing/here"), 404)["detail"] == "there is nothing at /nothing/here; see /docs"
    response = http.get("/generate")
    assert problem(response, 405)["detail"] == "GET is not possible at /generate; use POST"
    assert response.headers["allow"] == "POST"
    assert problem(http.delete("/models"), 405)["code"] == "METHOD_NOT_ALLOWED"


def test_answers_too_large_for_memory_are_refused_before_a_step(toys):
    server = LiveServer(toys, max_images=4096, max_rows_in_flight=100_000)
    try:
        with server.client() as client:
            query = {"model": "toy-slow", "steps": 1000, "n": 750}
            body = problem(client.post("/generate", params=query), 400)
            assert "n is too large" in body["detail"] and "text/event-stream" in body["detail"]
            strip = {"model": "toy-steps", "n": 200, "steps": 16, "scale": 16}
            headers = {"Accept": "image/png"}
            assert problem(client.post("/generate", params=strip, headers=headers), 400)["field"] == "scale"
            assert client.post("/generate", params=strip).status_code == 200
        assert server.rows == 0
    finally:
        server.close()
