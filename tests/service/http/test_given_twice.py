"""What is given twice is refused by name, wherever it can be: else the last or the first would count."""

import grpc
import pytest

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.http.json_names import repeated_name
from tests.service.live import LiveServer
from tests.service.sockets import Plug

JSON = {"Content-Type": "application/json"}
KEY, OTHER = "k" * 20, "x" * 20


@pytest.fixture(scope="module")
def keyed(toys):
    server = LiveServer(toys, default_model="toy-steps", api_keys=f"{KEY}\n{OTHER}", calibrate=False)
    yield server
    server.close()


def refusal(response, field):
    problem = response.json()
    assert (response.status_code, problem["code"], problem["field"]) == (400, "INVALID_ARGUMENT", field)
    return problem["detail"]


@pytest.mark.parametrize("path", ["generate", "autoencode", "complete", "encode", "score", "likelihood"])
@pytest.mark.parametrize("query", ["timeout_ms=1000&timeout_ms=2000", "timeout_ms=1000&timeout_ms=1000"])
def test_in_the_query(http, path, query):
    values = [part.partition("=")[2] for part in query.split("&")]
    detail = refusal(http.post(f"/{path}?{query}"), "timeout_ms")
    assert detail == f"timeout_ms is given twice in the query: {values[0]!r} and {values[1]!r}"


@pytest.mark.parametrize("query", ["steps=1&steps=2&seed=1", "steps=&steps=2", "steps=1&n=2&st%65ps=2"])
def test_however_it_is_written(http, query):
    assert "is given twice in the query" in refusal(http.post(f"/generate?{query}"), "steps")


def test_in_a_query_too_long_to_be_kept(http):
    unknown = "&".join(f"a{i}={i}" for i in range(100))
    assert "given twice" in refusal(http.post(f"/generate?{unknown}&steps=1&steps=2"), "steps")


def test_where_nothing_is_read_of_the_query(http):
    refusal(http.get("/models?a=1&a=2"), "a")
    assert http.get("/models?a=1&b=2").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"steps": 1, "steps": 2}', "steps"),
        (b'{"steps": 1, "n": 1, "st\\u0065ps": 1}', "steps"),
        (b'{"seeds": {"latent": 1, "latent": 2}}', "seeds.latent"),
        (b'{"latents": {"latent": [[0.1]]}, "seed": 1, "latents": {"latent": [[0.2]]}}', "latents"),
        (b'{"latents": {"latent": [{"a": ":", "a": 2}]}}', "latents.latent.a"),
        (b'{"model": "a:b", "steps" \n : 1, "steps":2}', "steps"),
    ],
)
def test_in_a_body(http, body, field):
    assert (
        refusal(http.post("/generate", content=body, headers=JSON), field)
        == f"{field} is given twice in the body"
    )


@pytest.mark.parametrize(
    "body", [b'{"steps": 1, "model": "toy-steps"}', b'{"seeds": {}, "seed": 1, "label": null}', b"{}"]
)
def test_what_is_given_once_is_read(http, body):
    assert http.post("/generate", content=body, headers=JSON).status_code == 200


def test_names_of_different_objects_may_be_the_same():
    with pytest.raises(ValueError, match="no name is given twice"):
        repeated_name(b'{"a": {"a": [{"a": "a"}, {"a": {}}]}, "b": {"a": "\\"a\\": {"}}')


def test_in_a_body_of_pictures(http):
    body = b'{"images": [], "images": []}'
    for path in ("score", "encode", "likelihood"):
        refusal(http.post(f"/{path}", content=body, headers=JSON), "images")
    for path in ("autoencode", "complete"):
        refusal(http.post(f"/{path}", content=b'{"image": "", "image": ""}', headers=JSON), "image")


def test_in_a_multipart_body(http):
    files = [("image", b"a"), ("mask", b"b"), ("mask", b"c")]
    assert refusal(http.post("/complete", files=files), "mask") == "mask is given twice"
    assert refusal(http.post("/autoencode", files=[("image", b"a"), ("image", b"b")]), "image")


@pytest.mark.parametrize(
    "name",
    ["Authorization", "X-API-Key", "Content-Type", "Content-Encoding", "Origin", "Sec-Fetch-Site",
     "Sec-Fetch-Mode"],
)  # fmt: skip
def test_in_the_headers(live, name):
    with Plug(live) as plug:
        plug.ask(
            "POST /generate", f"{name}: a", f"{name.lower()}: a", "Content-Length: 0", "Connection: close"
        )
        status, problem = plug.problem()
    assert (status, problem["field"]) == (400, name.lower())
    assert problem["detail"] == f"{name.lower()} is given twice in the headers"


@pytest.mark.parametrize(
    "pair",
    [
        ("Content-Length: 2", "Content-Length: 2"),
        ("Content-Length: 2", "Content-Length: 40"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
    ],
)
def test_a_length_or_a_coding_twice_is_no_http(live, pair):
    with Plug(live) as plug:
        plug.ask("POST /generate", *pair, "Content-Type: application/json", "Connection: close")
        status, problem = plug.problem()
    assert (status, problem["code"]) == (400, "INVALID_ARGUMENT")


def test_two_hosts(live):
    with Plug(live) as plug:
        plug.ask("GET /models", "Host: localhost", "Connection: close")  # `ask` sends one, too
        status, problem = plug.problem()
    assert (status, problem["field"]) == (400, "host")


def test_in_the_headers_with_keys(keyed):
    with keyed.client() as client:
        both = [("X-API-Key", KEY), ("X-API-Key", OTHER)]
        assert KEY not in refusal(client.get("/models", headers=both), "x-api-key")
        forwarded = [("X-API-Key", KEY), ("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "192.0.2.2")]
        assert client.get("/models", headers=forwarded).status_code == 200, "a list may come in parts"


@pytest.mark.parametrize("name", ["authorization", "x-api-key"])
def test_in_metadata(keyed, name):
    value = f"Bearer {KEY}" if name == "authorization" else KEY
    with grpc.insecure_channel(keyed.grpc) as channel:
        stub = pb_grpc.CanvasServiceStub(channel)
        assert stub.ListModels(pb.ListModelsRequest(), timeout=30, metadata=[(name, value)]).models
        with pytest.raises(grpc.RpcError) as caught:
            stub.ListModels(pb.ListModelsRequest(), timeout=30, metadata=[(name, value), (name, "another")])
    error = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == f"{name} is given twice in the metadata"
    assert dict(error.trailing_metadata())["pentimento-field"] == name
