"""A page of another origin can read why it was refused, whoever refuses: routes, the door, the connection."""

import time

import pytest

from pentimento.service.http.cors import Cors
from tests.service.live import LiveServer, wait_until
from tests.service.sockets import Plug, connections

ORIGIN, SECOND, OTHER = "https://studio.example.com", "http://localhost:3000", "https://other.example"
KEY = "k" * 20


@pytest.fixture(scope="module")
def server(toys):
    server = LiveServer(
        toys,
        default_model="toy-steps",
        cors_origins=f"{ORIGIN}, {SECOND}",
        max_header_bytes=2048,
        max_headers=20,
        max_connections=3,
        max_body_bytes=2000,
        max_stall_s=1.0,
        calibrate=False,
    )
    yield server
    server.close()


def headers_of(answer: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers, by name in lower case."""
    line, *lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    pairs = (text.partition(": ") for text in lines)
    return int(line.split()[1]), {name.lower(): value for name, _, value in pairs}


def cross_origin(headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


def fill(origin: str) -> str:
    return f"Origin: {origin}"


REFUSALS = {
    "a header too long": (431, lambda o: f"GET /healthz HTTP/1.1\r\n{fill(o)}\r\nX: {'a' * 3000}\r\n\r\n"),
    "an address too long": (431, lambda o: f"GET /{'a' * 3000} HTTP/1.1\r\n{fill(o)}\r\n\r\n"),
    "too many headers": (431, lambda o: f"GET / HTTP/1.1\r\n{fill(o)}\r\n" + "X: a\r\n" * 25 + "\r\n"),
    "no HTTP": (400, lambda o: f"GET / HTTP/1.1\r\n{fill(o)}\r\nHost: localhost\r\nno header\r\n\r\n"),
    "half a request": (408, lambda o: f"POST /generate HTTP/1.1\r\n{fill(o)}\r\nX-Ha"),
    "a wrong body": (400, lambda o: f"POST /generate?n=0 HTTP/1.1\r\n{fill(o)}\r\nConnection: close\r\n\r\n"),
    "no such place": (404, lambda o: f"GET /nothing HTTP/1.1\r\n{fill(o)}\r\nConnection: close\r\n\r\n"),
    "no such method": (405, lambda o: f"PUT /models HTTP/1.1\r\n{fill(o)}\r\nConnection: close\r\n\r\n"),
    "too large": (
        413,
        lambda o: (
            f"POST /generate HTTP/1.1\r\n{fill(o)}\r\nConnection: close\r\nContent-Length: 9999\r\n\r\n"
            + "{}"
        ),
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
@pytest.mark.parametrize("origin", [ORIGIN, SECOND, OTHER])
def test_every_refusal_has_the_headers_of_other_answers(server, what, origin):
    assert wait_until(lambda: connections(server) == 0)
    status, request = REFUSALS[what]
    if origin == OTHER and what in ("a wrong body", "no such place", "no such method", "too large"):
        status = 403  # it is refused before anybody looks at what it asks for
    with Plug(server) as plug:
        plug.ask("GET /healthz", fill(origin), "Connection: close")
        wanted = cross_origin(headers_of(plug.rest())[1])
    with Plug(server) as plug:
        plug.send(request(origin).encode())
        got, headers = headers_of(plug.rest())
    assert got == status
    assert cross_origin(headers) == wanted
    assert ("access-control-allow-origin" in wanted) == (origin in (ORIGIN, SECOND))
    assert "Origin" in headers["vary"]


def test_a_connection_too_many(server):
    assert wait_until(lambda: connections(server) == 0)
    idle = [Plug(server) for _ in range(3)]
    try:
        assert wait_until(lambda: connections(server) == 3)
        with Plug(server) as plug:
            plug.ask("GET /healthz", fill(SECOND))
            status, headers = headers_of(plug.rest())
    finally:
        for plug in idle:
            plug.__exit__()
    assert (status, headers["access-control-allow-origin"]) == (503, SECOND)
    assert "Retry-After" in headers["access-control-expose-headers"]


def test_a_defect(server, monkeypatch):
    def fail():
        raise ZeroDivisionError

    monkeypatch.setattr(server.server.operations, "models", fail)
    with server.client() as client:
        response = client.get("/models", headers={"Origin": ORIGIN})
        assert response.status_code == 500 and response.json()["code"] == "INTERNAL"
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_door(toys):
    server = LiveServer(
        toys,
        cors_origins=ORIGIN,
        api_keys=KEY,
        client_requests_per_s=0.001,
        client_burst_requests=2,
        calibrate=False,
    )
    try:
        with server.client() as client:
            page = {"Origin": ORIGIN}
            answers = [client.get("/models", headers=page)]
            answers += [client.get("/models", headers=page | {"X-API-Key": KEY}) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [401, 200, 200, 429]
            for answer in answers:
                assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
                assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    finally:
        server.close()


@pytest.mark.parametrize("origins", [[ORIGIN], ["*"]])
def test_before_the_origin_is_known(toys, origins):
    """A single origin, or all, can be named without having read whose page it was."""
    server = LiveServer(toys, cors_origins=",".join(origins), max_header_bytes=2048, calibrate=False)
    try:
        with Plug(server) as plug:
            plug.send(b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 3000)
            status, headers = headers_of(plug.rest())
        assert (status, headers["access-control-allow-origin"]) == (431, origins[0])
    finally:
        server.close()


def test_none_without_the_setting(live):
    with Plug(live) as plug:
        plug.send(b"GET / HTTP/1.1\r\nOrigin: https://a.example\r\nno header\r\n\r\n")
        assert not cross_origin(headers_of(plug.rest())[1])


def test_a_refusal_costs_no_time(server):
    began = time.monotonic()
    with Plug(server) as plug:
        plug.send(b"no HTTP\r\n\r\n")
        plug.rest()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("wrong", ["example.com", "https://example.com/", "null", "https://a b"])
def test_what_is_no_origin_is_refused(wrong):
    with pytest.raises(RuntimeError, match="cors_origins must be"):
        Cors([wrong])
