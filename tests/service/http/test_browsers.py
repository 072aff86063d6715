"""What answers tell browsers: load nothing, sit in no frame; pages of other origins only if they are set."""

import pytest

from tests.service.live import LiveServer

ORIGIN = "https://studio.example.com"


@pytest.fixture(scope="module")
def shared(toys):
    server = LiveServer(
        toys,
        default_model="toy-steps",
        cors_origins=f"{ORIGIN}, http://localhost:3000",
        api_keys="k" * 16,
    )
    yield server
    server.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("POST", "/generate", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/generate", 405),
        ("POST", "/generate?n=-1", 400),
        ("GET", "/openapi.json", 200),
    ],
)
def test_every_answer_can_do_nothing_in_a_browser(http, method, path, status):
    response = http.request(method, path)
    assert response.status_code == status
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Content-Security-Policy"] == (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    assert len(response.headers.get_list("X-Request-Id")) == 1


def test_a_stream_as_well(http):
    with http.stream("POST", "/generate", headers={"Accept": "text/event-stream"}) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def preflight(client, origin, method="POST", headers="authorization,x-api-key,x-request-id,content-type"):
    return client.options(
        "/generate",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )


def test_pages_of_other_origins_stay_outside_by_default(http):
    for response in (preflight(http, ORIGIN), http.get("/models", headers={"Origin": ORIGIN})):
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:3000"])
def test_those_that_are_set_may_ask(shared, origin):
    with shared.client() as client:
        asked = preflight(client, origin)
        assert asked.status_code == 200
        assert asked.headers["Access-Control-Allow-Origin"] == origin
        assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
        for key, status in (("k" * 16, 200), ("x" * 16, 401)):
            response = client.post("/generate", headers={"Origin": origin, "X-API-Key": key})
            assert response.status_code == status, "a page must be able to read why it was refused"
            assert response.headers["Access-Control-Allow-Origin"] == origin
            assert "Pentimento-Seed" in response.headers["Access-Control-Expose-Headers"]
            assert "access-control-allow-credentials" not in response.headers


def test_no_others(shared):
    with shared.client() as client:
        for origin in ("https://example.com", "http://studio.example.com", f"{ORIGIN}.evil.example"):
            assert preflight(client, origin).status_code == 400
            response = client.get("/models", headers={"Origin": origin, "X-API-Key": "k" * 16})
            assert "access-control-allow-origin" not in response.headers
        assert preflight(client, ORIGIN, method="DELETE").status_code == 400
        assert preflight(client, ORIGIN, headers="x-evil").status_code == 400


def test_all_where_that_is_set(toys):
    server = LiveServer(toys, cors_origins="*")
    try:
        with server.client() as client:
            response = client.get("/models", headers={"Origin": ORIGIN})
            assert response.headers["Access-Control-Allow-Origin"] == "*"
    finally:
        server.close()
