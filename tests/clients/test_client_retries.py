"""Trying again: against a real server that refuses for now, and one that dies and comes back."""

import asyncio
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from pentimento_client import AsyncClient, Client, Code, PentimentoError

from tests.clients.conftest import Face, url_of
from tests.ports import free_port
from tests.service.live import LiveServer, wait_until
from tests.service.toys import write_toys

DIGIT = np.zeros((6, 8), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles")
    write_toys(folder, ("toy-steps", "toy-slow"))
    return folder


@pytest.fixture(scope="module")
def strict(folder: Path) -> Iterator[LiveServer]:
    """A server that lets a client ask once, and then twice a second."""
    settings = {"client_requests_per_s": 2.0, "client_burst_requests": 1, "calibrate": False}
    server = LiveServer(folder, default_model="toy-steps", **settings)
    yield server
    server.close()


@pytest.fixture
def strict_face(face: Face, strict: LiveServer, request: pytest.FixtureRequest) -> Face:
    transport = "grpc" if face.url.startswith("grpc") else "http"
    return Face(url_of(strict, transport), face.style)


CALLS: tuple[Callable[[Face], object], ...] = (
    lambda face: face.generate(seed=1, steps=2),
    lambda face: face.call("score", [DIGIT]),
    lambda face: face.call("models"),
)


@pytest.mark.alone
def test_what_is_refused_for_now_is_tried_again_when_the_server_said(strict_face):
    strict_face.call("models")
    start = time.monotonic()
    # Over HTTP each wait is a second or more, so that one of each kind has to do.
    for call in CALLS if strict_face.url.startswith("grpc") else CALLS[:1]:
        call(strict_face)  # comes too early
    # Over gRPC the wait is exact; over HTTP it is in whole seconds. Jitter adds up to 0.2 s.
    assert time.monotonic() - start >= 0.45


@pytest.mark.alone
def test_without_retries_the_refusal_is_told(strict_face):
    face = Face(strict_face.url, strict_face.style, retries=0)
    start = time.monotonic()
    with pytest.raises(PentimentoError) as caught:
        for _ in range(3):
            face.call("models")
    assert caught.value.code is Code.OVERLOADED
    assert caught.value.retry_after_s is not None and 0 < caught.value.retry_after_s <= 1
    assert caught.value.request_id is not None
    assert time.monotonic() - start < 0.45


@pytest.mark.alone
def test_no_try_begins_after_the_deadline(strict_face):
    face = Face(strict_face.url, strict_face.style)
    start = time.monotonic()
    with pytest.raises(PentimentoError) as caught:
        for _ in range(3):
            face.generate(seed=1, timeout_s=0.2)
    assert caught.value.code is Code.OVERLOADED
    assert time.monotonic() - start < 0.45


def test_a_deadline_that_cannot_be_is_refused_by_its_name(face):
    with pytest.raises(PentimentoError) as caught:
        face.generate(timeout_s=-1)
    assert (caught.value.code, caught.value.field) == (Code.INVALID_ARGUMENT, "timeout_ms")


@pytest.mark.parametrize(("transport", "style"), [("http", "async"), ("grpc", "sync")])
def test_a_server_that_comes_back_is_found(folder, transport, style):
    port = free_port()
    servers: list[LiveServer] = []
    settings = {f"{transport}_port": port, "calibrate": False}

    def start() -> None:
        time.sleep(0.3)
        servers.append(LiveServer(folder, default_model="toy-steps", **settings))

    starting = threading.Thread(target=start)
    starting.start()
    try:
        drawing = Face(f"{transport}://127.0.0.1:{port}", style, retries=20).generate(seed=1, steps=2)
        assert len(drawing.frames) == 2
    finally:
        starting.join()
        servers[0].close()


class _Flaky(BaseHTTPRequestHandler):
    """Another server in between: says what the test wants, and counts how often it was asked."""

    status, headers_said, body = 503, (("Retry-After", "0"),), b""
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(self.status)
        for name, value in self.headers_said:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def flaky() -> Iterator[tuple[type[_Flaky], str]]:
    handler = type("Flaky", (_Flaky,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("style", ["sync", "async"])
def test_it_gives_up_after_so_many_tries_with_waits_that_are_spread(flaky, style, monkeypatch):
    handler, url = flaky
    ranges = []
    monkeypatch.setattr(random, "uniform", lambda low, high: ranges.append((low, high)) or 0.0)
    with pytest.raises(PentimentoError, match="HTTP status 503") as caught:
        Face(url, style, retries=6).call("models")
    assert caught.value.code is Code.UNAVAILABLE
    assert handler.asked == 7
    assert ranges == [(0, 0.2), (0, 0.4), (0, 0.8), (0, 1.6), (0, 3.2), (0, 5.0)]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, ()),
        (404, ()),
        (429, (("Retry-After", "3600"),)),  # who is told that decides what to do meanwhile
        (503, (("Retry-After", "in an hour"),)),
    ],
)
def test_what_would_not_help_is_not_tried_again(flaky, status, said):
    handler, url = flaky
    # Of this moment, not of when tests were collected: a run takes minutes.
    date = formatdate(time.time() + 3600, usegmt=True)
    handler.status = status
    handler.headers_said = tuple((name, date if value == "in an hour" else value) for name, value in said)
    with Client(url) as client, pytest.raises(PentimentoError) as caught:
        client.generate()
    assert handler.asked == 1
    if said:
        assert caught.value.retry_after_s == pytest.approx(3600, abs=60)


@pytest.mark.parametrize("style", ["sync", "async"])
def test_nothing_is_tried_again_once_something_was_given_out(flaky, style):
    handler, url = flaky
    frame = (
        b'{"type":"frame","step":1,"images":["iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgAB'
        b'SK+kcQAAAABJRU5ErkJggg=="],"elapsed_us":1}\n'
    )
    header = {"Model": "m", "Version": "1.0.0", "Seed": "1", "Steps": "5"}
    handler.status, handler.body = 200, frame
    handler.headers_said = tuple((f"Pentimento-{name}", value) for name, value in header.items())
    with pytest.raises(PentimentoError, match="broke off after step 1 of 5") as caught:
        Face(url, style).generate()
    assert caught.value.code is Code.UNAVAILABLE
    assert handler.asked == 1


def test_closing_ends_the_waiting(flaky):
    handler, url = flaky
    handler.headers_said = (("Retry-After", "30"),)
    client = Client(url)
    errors = []

    def ask() -> None:
        try:
            client.models()
        except PentimentoError as error:
            errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert wait_until(lambda: handler.asked == 1)
    client.close()
    asking.join(5)
    assert not asking.is_alive() and errors[0].code is Code.UNAVAILABLE


async def test_cancelling_ends_the_waiting(flaky):
    handler, url = flaky
    handler.headers_said = (("Retry-After", "30"),)
    async with AsyncClient(url) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.models(), 0.3)
    assert handler.asked == 1


@pytest.mark.alone
@pytest.mark.parametrize("scheme", ["http", "grpc"])
@pytest.mark.parametrize("style", ["sync", "async"])
def test_a_server_that_says_nothing_is_given_up(scheme, style):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # connections are made, and nothing is ever said
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(PentimentoError) as caught:
            Face(url, style, silence_s=0.3).call("models")
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        assert 0.25 < time.monotonic() - start < 3
