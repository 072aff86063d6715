"""The client where things are unusual: other encodings, no server, another program, misuse, cancellation."""

import asyncio
import gc
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from pentimento_client import AsyncClient, Client, Code, PentimentoError
from pentimento_client.http.wire import LineReader
from pentimento_client.pixels import to_picture_file
from pentimento_client.transport import parse_url

from tests.clients.conftest import url_of
from tests.ports import free_port
from tests.service.live import LiveServer, wait_until


def test_float32_is_exact_and_for_grpc_only(live):
    with Client(url_of(live, "grpc")) as client:
        exact = client.generate(seed=1, encoding="float32").arrays
        rounded = client.generate(seed=1).arrays
    assert 0 < np.abs(exact - rounded).max() <= 0.5 / 255 + 1e-6
    with Client(url_of(live, "http")) as client, pytest.raises(PentimentoError, match="gRPC only") as caught:
        client.generate(seed=1, encoding="float32")
    assert (caught.value.code, caught.value.field) == (Code.UNSUPPORTED, "encoding")


def test_one_seed_gives_one_drawing_on_both_transports(live):
    drawings = []
    for transport in ("http", "grpc"):
        with Client(url_of(live, transport)) as client:
            drawings.append([client.generate(seed=seed, n=2).arrays for seed in range(20)])
    for over_http, over_grpc in zip(*drawings, strict=True):
        np.testing.assert_array_equal(over_http, over_grpc)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://", "", "grpc:50051"])
def test_a_url_of_another_kind_is_refused(url):
    for kind in (Client, AsyncClient):
        with pytest.raises(ValueError, match=re.escape("http://HOST:PORT or grpc://HOST:PORT")):
            kind(url)


def test_urls():
    assert parse_url("grpc://somewhere").target == "somewhere:50051"
    assert parse_url("grpcs://[::1]:7").target == "[::1]:7"
    assert parse_url("grpcs://h:1").secure and not parse_url("grpc://h:1").secure
    assert parse_url("https://h/base/").url == "https://h/base"


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_is_unavailable(scheme):
    port = free_port()
    with Client(f"{scheme}://127.0.0.1:{port}", retries=0) as client:
        for call in (client.models, client.generate):
            with pytest.raises(PentimentoError, match=rf"cannot reach .*127.0.0.1:{port}") as caught:
                call()
            assert caught.value.code is Code.UNAVAILABLE


class _Stranger(BaseHTTPRequestHandler):
    """Some other web server: HTML for GET, and an answer that is no stream for POST."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<h1>It works</h1>")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/score"):
            self.send_error(502, "Bad gateway")
            return
        self.send_response(200)
        for name, value in (("Model", "m"), ("Version", "1.0.0"), ("Seed", "1"), ("Steps", "5")):
            self.send_header(f"Pentimento-{name}", value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_another_program_at_that_address_is_an_error_and_not_a_crash():
    stranger = HTTPServer(("127.0.0.1", 0), _Stranger)
    thread = threading.Thread(target=stranger.serve_forever)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{stranger.server_port}", retries=0) as client:
            with pytest.raises(PentimentoError, match="not Pentimento's"):
                client.models()
            with pytest.raises(PentimentoError, match="HTTP status 502"):
                client.score([b"x"])
            with pytest.raises(PentimentoError, match="broke off after step 0 of 5"):
                client.generate()
    finally:
        stranger.shutdown()
        thread.join()
        stranger.server_close()


def test_a_stream_is_used_within_with(url):
    with Client(url) as client:
        stream = client.stream()
        with pytest.raises(RuntimeError, match="inside a `with`"):
            next(stream)
        with pytest.raises(RuntimeError, match="inside a `with`"):
            _ = stream.header
        stream.close()


def test_a_stream_that_is_over_stays_over(url, live):
    with Client(url) as client, client.stream(steps=2) as stream:
        assert len(list(stream)) == 2
        assert list(stream) == []
        assert stream.timing is not None
        stream.close()


async def test_cancelling_the_task_cancels_the_drawing(url, live):
    async with AsyncClient(url) as client:
        first = asyncio.Event()

        async def draw() -> None:
            async with client.stream("toy-slow", n=4, steps=64) as stream:
                async for _ in stream:
                    first.set()

        task = asyncio.create_task(draw())
        await asyncio.wait_for(first.wait(), 10)
        assert live.rows == 4
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(wait_until, lambda: live.rows == 0)
        assert (await client.generate(steps=1)).arrays.shape == (1, 1, 1, 6, 8), "the client lives on"


async def test_an_error_in_the_loop_cancels_the_drawing(url, live):
    async with AsyncClient(url) as client:
        with pytest.raises(ZeroDivisionError):
            async with client.stream("toy-slow", n=4, steps=64) as stream:
                async for _ in stream:
                    _ = 1 / 0
        assert await asyncio.to_thread(wait_until, lambda: live.rows == 0)


async def test_many_streams_at_once(url, live):
    async with AsyncClient(url) as client:
        drawings = await asyncio.gather(*(client.generate(seed=seed % 3) for seed in range(24)))
        for seed, drawing in enumerate(drawings):
            np.testing.assert_array_equal(drawing.arrays, drawings[seed % 3].arrays)


def test_closing_the_client_cancels_what_runs(url, live):
    client = Client(url)
    stream = client.stream("toy-slow", n=4, steps=64)
    stream.__enter__()
    next(stream)
    client.close()
    assert wait_until(lambda: live.rows == 0)
    with pytest.raises(PentimentoError):
        list(stream)
    stream.close()
    gc.collect()


def test_a_server_that_stops_while_it_draws_says_so(toys_folder):
    for transport in ("http", "grpc"):
        live = LiveServer(toys_folder, drain_grace_s=0)
        with Client(url_of(live, transport)) as client, client.stream("toy-slow", steps=64) as stream:
            next(stream)
            live.begin_stop()
            with pytest.raises(PentimentoError) as caught:
                list(stream)
            assert caught.value.code is Code.UNAVAILABLE
        live.close()


@pytest.fixture(scope="module")
def toys_folder(live) -> Path:
    return live.settings.bundles


def test_lines_end_at_line_feeds_only():
    reader = LineReader()
    assert reader.feed(b'{"a": "\xe2\x80\xa8\r') == []
    assert reader.feed(b'"}\n{"b"') == [b'{"a": "\xe2\x80\xa8\r"}']
    assert reader.feed(b": 1}\n") == [b'{"b": 1}']
    assert reader.feed(b"\n1\n\n2") == [b"", b"1", b""]
    assert reader.feed(b"\n") == [b"2"]


@pytest.mark.alone
def test_a_line_takes_time_in_proportion_to_its_length():
    """Eight times as long, in as small parts: eight times as long to read, and not sixty-four."""

    def seconds(parts: int) -> float:
        reader, started = LineReader(), time.thread_time()
        for _ in range(parts):
            assert not reader.feed(b"x" * 4096)
        assert len(reader.feed(b"\n")[0]) == parts * 4096
        return time.thread_time() - started

    seconds(64)
    assert seconds(8 * 512) < 30 * max(seconds(512), 0.001)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((2, 6, 8)), "must have shape"),
        (np.zeros((6, 8), np.int64), "must be uint8, floats"),
        (np.full((6, 8), 1.5), r"must lie in \[0, 1\], got 1.5..1.5"),
        (np.full((6, 8), np.nan), "must lie in"),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array, says):
    with pytest.raises(ValueError, match=says):
        to_picture_file(array)
