"""Bodies that come in many pieces, or after a wish for another protocol; heads without end; trailers."""

import pytest

from tests.service.sockets import Plug

POST = "POST /generate?n=1&seed=5 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n"


def chunks(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def test_a_body_of_many_tiny_chunks_ends_its_connection(live):
    """Each chunk is a call of Python, whatever it holds: eight megabytes of them would be millions."""
    with Plug(live) as plug:
        plug.send(f"{CHUNKED}\r\n".encode())
        sent = plug.send_until_closed(chunks(b" " * 1000, 1), times=2000)
    assert sent < 1000
    with live.client() as client:
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("size", [1, 63, 64, 1000])
def test_chunks_that_are_few_or_not_tiny_are_read(live, size):
    body = b'{"steps": 2}' + b" " * min(900 * size, 200_000)
    with Plug(live) as plug:
        plug.send(f"{CHUNKED}Connection: close\r\n\r\n".encode() + chunks(body, size) + b"0\r\n\r\n")
        answer = plug.rest()
    assert answer.startswith(b"HTTP/1.1 200") and b'"steps":2' in answer


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_behind_a_wish_for_another_protocol_is_no_request(live, framing):
    hidden = b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n"
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    with Plug(live) as plug:
        if framing == "length":
            plug.send(f"{POST}{upgrade}Content-Length: {len(hidden)}\r\n\r\n".encode() + hidden)
        else:
            plug.send(f"{CHUNKED}{upgrade}\r\n".encode() + chunks(hidden, 100) + b"0\r\n\r\n")
        answer = plug.rest()
    assert answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 400")
    assert b"may not ask for another protocol (Upgrade); send it without" in answer


def test_a_request_without_a_body_is_answered_as_if_it_had_not_asked(live):
    with Plug(live) as plug:
        plug.ask("GET /healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")
        plug.ask("GET /healthz", "Connection: close")
        assert plug.rest().count(b'{"status":"alive"}') == 2


def test_what_follows_the_chunks_counts_as_no_header(live):
    trailers = "Content-Type: text/plain\r\nX-Request-Id: from-a-trailer\r\nAuthorization: Bearer x\r\n\r\n"
    with Plug(live) as plug:
        plug.send(f"{CHUNKED}Connection: close\r\n\r\n".encode() + chunks(b'{"n": 1}', 4) + b"0\r\n")
        plug.send(trailers.encode())
        answer = plug.rest()
    assert answer.startswith(b"HTTP/1.1 200") and b"from-a-trailer" not in answer


def test_a_head_has_no_more_headers_than_it_may_though_it_never_ends(live):
    with Plug(live) as plug:
        plug.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a:\r\n" * 101)
        status, problem = plug.problem()
    assert status == 431 and problem["detail"] == "headers may be at most 100, got 101"
