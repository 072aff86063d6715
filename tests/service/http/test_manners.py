"""What proxies, monitors and old programs ask: HEAD, a slash too many, HTTP/1.0, byte order marks."""

import codecs
import json
import re

import pytest

from pentimento.service.errors import PentimentoError
from pentimento.service.http.api import router
from pentimento.service.http.json_input import read_json
from tests.service.live import LiveServer
from tests.service.sockets import Plug

BROWSER = {"Accept": "text/html"}
PATHS = ["/", "/healthz", "/readyz", "/models", "/models/toy-steps", "/metrics", "/openapi.json", "/docs"]
VARYING = {"x-request-id", "date"}
JSON = {"Content-Type": "application/json"}


def head_of(answer: bytes) -> tuple[bytes, bytes, bytes]:
    """Status line, the rest of the head, and the body of an answer as it came."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, _, headers = head.partition(b"\r\n")
    return line, headers.lower(), body


@pytest.mark.parametrize("path", [*PATHS, "/docs/swagger-ui.css", "/studio/app.js"])
@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["program", "browser"])
def test_head_is_get_without_the_body(http, path, headers):
    wanted, got = http.get(path, headers=headers), http.head(path, headers=headers)
    assert got.status_code == wanted.status_code == 200
    assert got.content == b""
    same = set(wanted.headers) - VARYING - ({"content-length"} if path == "/metrics" else set())
    assert {name: got.headers[name] for name in same} == {name: wanted.headers[name] for name in same}


def test_no_route_for_get_is_left_out():
    templates = {path for route in router.routes if "GET" in route.methods for path in [route.path]}
    assert templates == {"/", "/healthz", "/readyz", "/metrics", "/models", "/models/{name}"}


def test_nothing_follows_the_head_on_the_wire(live):
    with Plug(live) as plug:
        plug.ask("HEAD /models")
        plug.ask("GET /healthz", "Connection: close")
        first, second = plug.rest().split(b"HTTP/1.1 200 OK")[1:]
    assert first.endswith(b"\r\n\r\n") and second.endswith(b'{"status":"alive"}')


def test_head_where_nothing_can_be_read_is_refused(http):
    assert http.head("/nothing").status_code == 404
    assert http.head("/generate").status_code == 405
    assert http.delete("/models").headers["Allow"] == "GET, HEAD"
    assert http.delete("/models").json()["detail"].endswith("; use GET, HEAD")


def test_head_needs_a_key_where_get_does(toys):
    server = LiveServer(toys, api_keys="k" * 20, calibrate=False)
    try:
        with server.client() as client:
            for path, status in (("/healthz", 200), ("/healthz/", 200), ("/models", 401), ("/models/", 401)):
                assert client.head(path).status_code == client.get(path).status_code == status
    finally:
        server.close()


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/"])
def test_a_slash_too_many_is_none(http, path):
    assert http.get(path + "/").status_code == 200
    assert http.head(path + "/").status_code == 200


@pytest.fixture(scope="module")
def named(toys):
    """A client of a server that is known by other names, as behind a proxy."""
    server = LiveServer(
        toys, default_model="toy-steps", allowed_hosts="studio.example.com, evil.example", calibrate=False
    )
    with server.client() as client:
        yield client
    server.close()


@pytest.mark.parametrize("path", ["/generate", "/generate/"])
def test_a_drawing_is_the_same_with_it(named, path):
    tls = {"Host": "studio.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    response = named.post(path, params={"steps": 2, "seed": 5}, headers=tls)
    assert response.status_code == 200
    wanted = named.post("/generate?steps=2&seed=5").json()
    assert [frame["images"] for frame in response.json()["frames"]] == [
        frame["images"] for frame in wanted["frames"]
    ]


@pytest.mark.parametrize(
    "path", ["/generate//", "/studio", "/studio/", "/nothing/", "//", "/models//", "/docs//", "//generate"]
)
def test_no_answer_leads_to_another_address(named, path):
    response = named.get(named.base_url.copy_with(raw_path=path.encode()), headers={"Host": "evil.example"})
    assert "Location" not in response.headers
    assert response.status_code in (200, 404, 405)
    assert "evil.example" not in response.text


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
def test_an_old_client_gets_a_stream_without_chunks(live, http, accept):
    with Plug(live) as plug:
        plug.send(f"POST /generate?steps=3&seed=1 HTTP/1.0\r\nAccept: {accept}\r\n\r\n".encode())
        line, headers, body = head_of(plug.rest())
    assert line == b"HTTP/1.1 200 OK"
    assert b"transfer-encoding" not in headers and b"content-length" not in headers
    assert b"connection: close" in headers
    wanted = http.post("/generate?steps=3&seed=1", headers={"Accept": accept}).content
    times = re.compile(rb'"(elapsed|queue|total)_us":\d+')
    assert times.sub(b"", body) == times.sub(b"", wanted)


@pytest.mark.parametrize(
    "request_line", ["GET /models", "GET /docs", "GET /docs/swagger-ui.css", "GET /nothing", "POST /generate"]
)
@pytest.mark.parametrize("more", ["", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n"])
def test_an_old_client_gets_other_answers_whole(live, request_line, more):
    with Plug(live) as plug:
        plug.send(f"{request_line} HTTP/1.0\r\nContent-Length: 0\r\n{more}\r\n".encode())
        line, headers, body = head_of(plug.rest())
    assert line.split()[1] in (b"200", b"404")
    length = re.search(rb"content-length: (\d+)", headers)
    assert length and int(length[1]) == len(body)


def test_an_old_clients_head(live):
    with Plug(live) as plug:
        plug.send(b"HEAD /healthz HTTP/1.0\r\n\r\n")
        assert head_of(plug.rest())[2] == b""


@pytest.mark.parametrize(
    ("path", "content"),
    [("/generate", {"steps": 2, "seed": 1}), ("/score", {"images": []}), ("/autoencode", {"image": "!"})],
)
def test_a_byte_order_mark_is_left_out(http, path, content):
    text = json.dumps(content).encode()
    plain = http.post(path, content=text, headers=JSON)
    marked = http.post(path, content=codecs.BOM_UTF8 + text, headers=JSON)
    assert (marked.status_code, marked.json().get("detail")) == (
        plain.status_code,
        plain.json().get("detail"),
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_another_encoding_is_named(http, encoding):
    content = "\ufeff{}".encode(encoding)
    response = http.post("/generate", content=content, headers=JSON)
    assert response.status_code == 400
    assert response.json()["detail"] == "body must be JSON in UTF-8, got the byte order mark of UTF-16"


async def test_one_mark_and_no_more():
    assert await read_json(codecs.BOM_UTF8 + b"{}", 32, dict) == {}
    with pytest.raises(PentimentoError, match="must be JSON"):
        await read_json(codecs.BOM_UTF8 * 2 + b"{}", 32, dict)


def test_jpg_is_jpeg(http):
    refused = http.post("/encode?model=toy-steps", content=b"x", headers={"Content-Type": "image/jpg"})
    assert refused.status_code != 415
