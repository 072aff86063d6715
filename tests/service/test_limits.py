"""What a client may make the server hold: headers, nesting, connections; each with a clear word to it."""

import json

import grpc
import pytest

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.service.live import LiveServer, wait_until
from tests.service.sockets import Plug, connections

LONG = "the request's line and headers may have at most 2048 bytes, got more"


@pytest.fixture(scope="module")
def small(toys):
    server = LiveServer(
        toys,
        default_model="toy-steps",
        max_header_bytes=2048,
        max_headers=20,
        max_json_depth=3,
        max_connections=4,
        max_body_bytes=100_000,
    )
    yield server
    server.close()


@pytest.fixture(autouse=True)
def nobody_is_left(request):
    yield
    if "small" in request.fixturenames:
        server = request.getfixturevalue("small")
        assert wait_until(lambda: connections(server) == 0)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 2100 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 2100 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X-Long: " + b"a" * 10_000,
        b"GET /" + b"a" * 10_000,
        b"GET /healthz HTTP/1.1\r\n" + (b"X: " + b"a" * 200 + b"\r\n") * 11 + b"\r\n",
    ],
)
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_long_head_is_refused(small, head, pieces):
    with Plug(small) as plug:
        size = len(head) // pieces + 1
        for start in range(0, len(head), size):
            plug.send(head[start : start + size])
        status, problem = plug.problem()
    assert (status, problem["status"], problem["code"]) == (431, 431, "INVALID_ARGUMENT")
    assert (problem["detail"], problem["field"]) == (LONG, "headers")
    assert problem["title"] == "Request Header Fields Too Large" and len(problem["request_id"]) == 16


def test_many_headers_are_refused(small):
    with Plug(small) as plug:
        plug.ask("GET /healthz", *(f"X-{i}: a" for i in range(20)))
        status, problem = plug.problem()
    assert (status, problem["detail"]) == (431, "headers may be at most 20, got 21")


def test_a_head_within_the_limits_is_read_whatever_follows_it(small):
    body = b'{"steps": 2}' + b" " * 60_000
    head = f"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: application/json\r\nConnection: close\r\n"
    head += "".join(f"X-{i}: {'a' * 100}\r\n" for i in range(15))
    with Plug(small) as plug:
        plug.send(head.encode() + b"\r\n" + body)
        assert b" 200 OK" in plug.rest().partition(b"\r\n")[0]


def test_headers_without_end_are_not_kept(small):
    with Plug(small) as plug:
        plug.ask("GET /healthz")
        assert b"200 OK" in plug.receive()
        plug.send(b"GET /healthz HTTP/1.1\r\nX: ")
        assert plug.send_until_closed(b"a" * 1000) < 20_000


def test_trailers_without_end_are_not_kept(small):
    with Plug(small) as plug:
        plug.ask("POST /generate", "Content-Type: application/json", "Transfer-Encoding: chunked")
        plug.send(b"2\r\n{}\r\n0\r\n")
        assert plug.send_until_closed(b"X-Trailer: " + b"a" * 1000 + b"\r\n") < 20_000


def test_what_is_no_http_is_a_problem(small):
    with Plug(small) as plug:
        plug.send(b"\x16\x03\x01\x02\x00\r\n\r\n")
        status, problem = plug.problem()
    assert (status, problem["code"], problem["detail"]) == (400, "INVALID_ARGUMENT", "this is no HTTP/1.1")


def test_an_answer_under_way_is_not_mixed_with_another(small):
    with Plug(small) as plug:
        plug.ask("POST /generate?model=toy-slow&steps=64", "Accept: text/event-stream", "Content-Length: 0")
        assert b"200 OK" in plug.receive()
        plug.send(b"\0\0\0\0\r\n\r\n")
        stream, end, refusal = plug.rest().partition(b"\r\n0\r\n\r\n")
        assert b"event: done" in stream and end and refusal.startswith(b"HTTP/1.1 400 ")
    assert wait_until(lambda: small.rows == 0)


def test_an_upgrade_is_not_taken(small):
    with Plug(small) as plug:
        plug.ask("GET /healthz", "Connection: Upgrade", "Upgrade: h2c")
        assert b" 200 OK" in plug.receive()


def test_a_connection_too_many_is_told_so(small):
    idle = [Plug(small) for _ in range(4)]
    try:
        assert wait_until(lambda: connections(small) == 4)
        with Plug(small) as plug:
            plug.ask("GET /healthz")
            head = plug.receive()
            assert b" 503 " in head and b"retry-after: 1\r\n" in head
            detail = "max_connections is 4, and there are as many; try again"
            assert json.loads(head.partition(b"\r\n\r\n")[2])["detail"] == detail
        idle.pop().__exit__()
        assert wait_until(lambda: connections(small) == 3)
        with Plug(small) as plug:
            plug.ask("GET /healthz")
            assert b" 200 OK" in plug.receive()
    finally:
        for plug in idle:
            plug.__exit__()


def test_one_too_many_that_says_nothing_is_closed(small):
    idle = [Plug(small) for _ in range(4)]
    try:
        assert wait_until(lambda: connections(small) == 4)
        with Plug(small) as plug:
            status, problem = plug.problem()
            assert (status, problem["code"]) == (503, "UNAVAILABLE")
    finally:
        for plug in idle:
            plug.__exit__()


def test_connections_of_grpc_are_bounded(small):
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    channels = [grpc.insecure_channel(small.grpc, options=options) for _ in range(5)]
    try:
        stubs = [pb_grpc.CanvasServiceStub(channel) for channel in channels]
        for stub in stubs[:4]:
            stub.ListModels(pb.ListModelsRequest(), timeout=30)
        with pytest.raises(grpc.RpcError) as caught:
            stubs[4].ListModels(pb.ListModelsRequest(), timeout=30)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        channels[0].close()
        stubs[4].ListModels(pb.ListModelsRequest(), timeout=30, wait_for_ready=True)
    finally:
        for channel in channels:
            channel.close()


def test_metadata_of_grpc_are_bounded(small):
    with grpc.insecure_channel(small.grpc) as channel:
        stub = pb_grpc.CanvasServiceStub(channel)
        assert stub.ListModels(pb.ListModelsRequest(), timeout=30, metadata=(("x-long", "a" * 1000),)).models
        with pytest.raises(grpc.RpcError) as caught:
            stub.ListModels(pb.ListModelsRequest(), timeout=30, metadata=(("x-long", "a" * 3000),))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"latents": {"latent": []}}', "n must be 1..64, got 0"),
        (b'{"latents": {"latent": [[]]}}', "body may be nested at most 3 deep"),
        (b'{"latents": {"latent": [{}]}}', "body may be nested at most 3 deep"),
        (b'{"seeds": {"[[[[": 1}}', "seeds"),
        (b'{"model": "\\"[[[[[[{{{{"}', "model"),
        (b"[[[[" * 50, "body must be JSON"),
        (b"[" * 300, "body may be nested at most 3 deep"),
        (b'{"latents": {"latent": [' + b"[]," * 30_000 + b"[]]}}", "body may be nested at most 3 deep"),
        (b'{"latents": {"latent": [' + b"1," * 30_000 + b"1]}}", "n must be 1..64, got 30001"),
    ],
)
def test_json_is_not_nested_deeper_than_the_limit(small, body, detail):
    with small.client() as client:
        response = client.post("/generate", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= response.status_code < 500
    assert detail in response.json()["detail"] and ("nested" in detail) == ("nested" in response.text)
