"""API keys, rates and streams of clients on real sockets: the same answers over HTTP and gRPC."""

import logging
import subprocess
import sys

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pentimento.service.app import Server, StartError
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.settings import Settings
from tests.service.live import LiveServer, wait_until

ALICE, BOB = "alice-" + "a" * 20, "bob-" + "b" * 20
ADMIN = "admin-" + "z" * 20
WRONG = "wrong-" + "x" * 20
BEARER = {"Authorization": f"Bearer {ALICE}"}


@pytest.fixture(scope="module")
def keyed(toys):
    server = LiveServer(
        toys, default_model="toy-steps", api_keys=f"alice {ALICE}\nbob {BOB}", admin_token=ADMIN
    )
    yield server
    server.close()


@pytest.fixture
def http(keyed):
    with keyed.client() as client:
        yield client


def rpc(server, *metadata, method="ListModels", request=None):
    """The answer of an RPC, or its error."""
    with grpc.insecure_channel(server.grpc) as channel:
        call = getattr(pb_grpc.CanvasServiceStub(channel), method)
        try:
            return call(request or getattr(pb, f"{method}Request")(), metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            return error


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/docs", "/openapi.json"])
def test_what_tells_nothing_needs_no_key(http, path):
    assert http.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/models"),
        ("GET", "/models/toy-steps"),
        ("GET", "/metrics"),
        ("POST", "/generate"),
        ("POST", "/score"),
        ("GET", "/nothing"),
        ("GET", "/redoc"),
    ],
)
def test_everything_else_needs_one(http, method, path):
    response = http.request(method, path, content=b"not even read")
    assert response.status_code == 401, response.text
    assert response.headers["WWW-Authenticate"] == "Bearer"
    problem = response.json()
    assert (problem["code"], problem["field"]) == ("UNAUTHENTICATED", "authorization")
    assert problem["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"Authorization": f"bearer {BOB}"},
        {"X-API-Key": ALICE},
        {"X-API-Key": BOB, "Authorization": f"Bearer {WRONG}"},
    ],
)
def test_a_key_opens_both(keyed, http, headers):
    assert http.get("/models", headers=headers).status_code == 200
    assert http.post("/generate", headers=headers).status_code == 200
    assert http.get("/metrics", headers=headers).status_code == 200
    metadata = [(name.lower(), value) for name, value in headers.items()]
    assert rpc(keyed, *metadata).models
    assert rpc(keyed, *metadata, method="Generate").frames


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {WRONG}"},
        {"Authorization": f"Basic {ALICE}"},
        {"X-API-Key": WRONG, "Authorization": f"Bearer {ALICE}"},
        {"Authorization": f"Bearer {ADMIN}"},
    ],
)
def test_without_a_key_both_say_the_same(keyed, http, headers):
    problem = http.get("/models", headers=headers).json()
    error = rpc(keyed, *[(name.lower(), value) for name, value in headers.items()])
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert error.details() == problem["detail"]
    trailing = dict(error.trailing_metadata())
    assert (trailing["pentimento-code"], trailing["pentimento-field"]) == (problem["code"], problem["field"])


def test_a_request_without_a_key_is_not_even_parsed(keyed):
    with grpc.insecure_channel(keyed.grpc) as channel:
        call = channel.unary_unary("/pentimento.v1.CanvasService/Generate")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff", timeout=30)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff", timeout=30, metadata=(("x-api-key", ALICE),))
        assert caught.value.details() == "the request of Generate cannot be parsed"


def test_health_and_reflection_of_grpc_need_no_key(keyed):
    with grpc.insecure_channel(keyed.grpc) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=30)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_the_admin_token_is_all_that_a_reload_wants(keyed, http):
    assert http.post("/models:reload", headers={"Authorization": f"Bearer {ADMIN}"}).status_code == 200
    assert http.post("/models:reload", headers=BEARER).status_code == 401
    assert rpc(keyed, ("authorization", f"Bearer {ADMIN}"), method="ReloadModels").kept_names
    error = rpc(keyed, ("authorization", f"Bearer {ALICE}"), method="ReloadModels")
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


def test_the_openapi_document_says_what_wants_a_key(http, live):
    paths = http.get("/openapi.json").json()["paths"]
    wanting = {path for path, calls in paths.items() if any("security" in call for call in calls.values())}
    assert wanting >= {"/generate", "/models", "/metrics"} and "/healthz" not in wanting
    assert "401" in paths["/generate"]["post"]["responses"]
    with live.client() as client:
        open_document = client.get("/openapi.json").json()
    assert "security" not in open_document["paths"]["/generate"]["post"]


def test_who_stays_outside_is_counted(keyed, http):
    http.post("/generate")
    rpc(keyed, method="Generate")
    text = http.get("/metrics", headers=BEARER).text
    for transport in ("http", "grpc"):
        labels = f'operation="generate",outcome="unauthenticated",transport="{transport}"'
        assert f"pentimento_requests_total{{{labels}}}" in text


def test_keys_are_nowhere_to_be_read(toys, tmp_path, caplog):
    file = tmp_path / "keys"
    file.write_text(f"bob {BOB}\n")
    caplog.set_level(logging.DEBUG)
    server = LiveServer(toys, api_keys=ALICE, api_keys_file=file)
    try:
        with server.client() as client:
            said = client.get("/models", headers=BEARER).text + client.get("/models").text
            said += client.get("/models", headers={"X-API-Key": WRONG}).text
            rpc(server, ("x-api-key", BOB))
    finally:
        server.close()
    said += caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    said += f"{server.settings!r} {server.server.ready.text} {vars(server.server)!r}"
    assert not any(key in said for key in (ALICE, BOB, WRONG))
    clients = [record.fields["client"] for record in caplog.records if hasattr(record, "fields")]
    assert "key-1" in clients and "bob" in clients and "127.0.0.1" in clients


def test_help_shows_no_key(monkeypatch):
    monkeypatch.setenv("PENTIMENTO_API_KEYS", ALICE)
    monkeypatch.setenv("PENTIMENTO_ADMIN_TOKEN", ADMIN)
    done = subprocess.run(
        [sys.executable, "-m", "pentimento.service.cli", "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--api-keys-file" in done.stdout
    assert ALICE not in done.stdout and ADMIN not in done.stdout


async def test_a_wrong_key_file_is_one_sentence(toys, tmp_path):
    settings = {"bundles": toys, "http_port": 0, "grpc_port": 0}
    file = tmp_path / "keys"
    file.write_text("short\n")
    for wrong, words in (
        ({"api_keys_file": tmp_path / "nowhere"}, "api_keys_file '.*' cannot be read: No such file"),
        (
            {"api_keys_file": file},
            r"api_keys_file line 1 must be 16\.\.512 visible ASCII .* got 5 characters",
        ),
        ({"api_keys": ""}, "api_keys holds no key"),
        ({"trusted_proxies": "me"}, "trusted_proxies must be addresses or networks"),
        ({"cors_origins": "example.com"}, r"cors_origins must be \* or origins .* got 'example.com'"),
    ):
        with pytest.raises(StartError, match=words):
            async with Server(Settings(**settings, **wrong)):
                pytest.fail("it started")


def test_who_asks_too_often_is_told_when_to_come_back(toys):
    server = LiveServer(toys, api_keys=f"{ALICE}\n{BOB}", client_requests_per_s=0.01, client_burst_requests=2)
    try:
        with server.client() as client:
            assert client.get("/models", headers=BEARER).status_code == 200
            assert rpc(server, ("x-api-key", ALICE)).models, "it is one client, however it comes"
            response = client.get("/models", headers=BEARER)
            assert response.status_code == 429
            assert 90 <= int(response.headers["Retry-After"]) <= 100
            problem = response.json()
            assert problem["code"] == "OVERLOADED"
            assert problem["detail"].startswith(
                "client key-1 may make 0.01 requests a second, 2 at once; try again in "
            )
            error = rpc(server, ("x-api-key", ALICE))
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert error.details().startswith("client key-1 may make 0.01 requests a second, 2 at once;")
            assert 90_000 <= int(dict(error.trailing_metadata())["retry-after-ms"]) <= 100_000
            assert client.get("/models", headers={"X-API-Key": BOB}).status_code == 200
            assert all(client.get("/healthz").status_code == 200 for _ in range(5))
    finally:
        server.close()


def test_streams_of_a_client_are_bounded_on_both(toys):
    server = LiveServer(toys, default_model="toy-slow", max_client_streams=2)
    sse = {"Accept": "text/event-stream"}
    channel = grpc.insecure_channel(server.grpc)
    try:
        request = pb.StreamCanvasRequest(drawing=pb.DrawingSpec(step_count=64))
        short = pb.StreamCanvasRequest(drawing=pb.DrawingSpec(step_count=1))
        stub = pb_grpc.CanvasServiceStub(channel)
        with server.client() as client, client.stream("POST", "/generate?steps=64", headers=sse) as first:
            assert first.status_code == 200
            second = stub.StreamCanvas(request, timeout=60)
            next(second)
            refused = httpx.post(f"{server.http}/generate?steps=64", headers=sse, trust_env=False)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
            detail = "client 127.0.0.1 may have at most 2 streams open, and has as many"
            assert refused.json()["detail"] == detail
            with pytest.raises(grpc.RpcError) as caught:
                next(stub.StreamCanvas(request, timeout=60))
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert caught.value.details() == detail
            assert httpx.post(f"{server.http}/generate?steps=1", trust_env=False).status_code == 200
            second.cancel()
        assert wait_until(lambda: server.rows == 0)
        with server.client() as client:
            for _ in range(5):  # none of them is left behind
                assert client.post("/generate?steps=1", headers=sse).status_code == 200
                assert len(list(stub.StreamCanvas(short, timeout=60))) == 3
    finally:
        channel.close()
        server.close()


def test_a_trusted_proxy_says_whom_it_speaks_for(toys, caplog):
    caplog.set_level(logging.INFO, "pentimento.request")
    server = LiveServer(
        toys, trusted_proxies="127.0.0.0/8", client_requests_per_s=0.01, client_burst_requests=1
    )
    try:
        with server.client() as client:
            for address in ("203.0.113.1", "203.0.113.2"):
                headers = {"X-Forwarded-For": f"made-up, {address}"}
                assert client.get("/models", headers=headers).status_code == 200
                assert client.get("/models", headers=headers).status_code == 429
        assert rpc(server, ("x-forwarded-for", "203.0.113.1")).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert rpc(server, ("x-forwarded-for", "203.0.113.3")).models
    finally:
        server.close()
    clients = [record.fields["client"] for record in caplog.records]
    assert clients == [f"203.0.113.{i}" for i in (1, 1, 2, 2, 1, 3)]


def test_nobody_is_believed_by_default(live, caplog):
    caplog.set_level(logging.INFO, "pentimento.request")
    with live.client() as client:
        client.get("/models", headers={"X-Forwarded-For": "203.0.113.1"})
    rpc(live, ("x-forwarded-for", "203.0.113.1"))
    assert [record.fields["client"] for record in caplog.records] == ["127.0.0.1", "127.0.0.1"]
