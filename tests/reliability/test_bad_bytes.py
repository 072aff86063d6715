"""Bad input over HTTP that has brought other model servers down: refused with a 4xx, and the server lives."""

import gzip
import json

import pytest

from tests.reliability.bad_input import BODIES, BOMBS, ENDED, FRAMES, post
from tests.reliability.wire import Cut, HttpConnection

pytestmark = [pytest.mark.usefixtures("lives_on", "stays_small"), pytest.mark.alone]

READ = ("/score", "/encode", "/likelihood", "/autoencode")


async def said(target, data, *, then_end=False):
    """The status that bytes are answered with; 0 where the server closes without a word."""
    async with HttpConnection(target.http_port) as connection:
        try:
            await connection.send(data)
            if then_end:
                connection.end_of_sending()
            status, _ = await connection.head()
            await connection.body()
            return status
        except (Cut, ConnectionError):
            return 0


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body(target, body):
    assert 400 <= await said(target, post("/generate", body)) < 500


@pytest.mark.parametrize("path", READ)
async def test_a_body_of_pictures_that_are_none(target, path):
    for body in (
        {"images": [3] * 300_000},
        {"images": [""] * 250_000},
        {"image": [[]] * 200_000},
        {"image": ""},
    ):
        assert 400 <= await said(target, post(path, json.dumps(body).encode())) < 500


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_a_picture_that_unpacks_to_more(target, bomb, path):
    # Pixels beyond what the size says are not unpacked: such a picture may be as good as any.
    assert await said(target, post(f"{path}?model=toy-code", bomb, Content_Type="image/png")) in (
        200,
        400,
        422,
    )


BLANKS = gzip.compress(b" " * (64 << 20))  # 64 kB


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x" * 1000])
async def test_a_body_that_unpacks_to_more(target, packing):
    assert await said(target, post("/generate", BLANKS, Content_Encoding=packing)) == 415


@pytest.mark.parametrize("data", FRAMES.values(), ids=FRAMES)
async def test_a_frame_of_http(target, data):
    """400 or the like, or a closed connection; the line after a wrong length is never run."""
    status = await said(target, data, then_end=True)
    assert status == 0 or 400 <= status < 500, status


async def test_headers_without_end(target):
    """64 MiB of headers: the server does not keep them."""
    async with HttpConnection(target.http_port) as connection:
        line = b"X-More: " + b"a" * 8_000 + b"\r\n"
        try:
            await connection.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
            for _ in range(1024):
                await connection.send(line * 8)
            await connection.send(b"\r\n")
            status, _ = await connection.head()
        except (Cut, ConnectionError):
            return
        assert 400 <= status < 500


@pytest.mark.parametrize("size", [65_536, 1 << 20])
async def test_one_long_header(target, size):
    data = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * size + ENDED
    assert await said(target, data) in (0, 400, 414, 431)


async def test_a_hundred_requests_in_one_packet(target):
    """Pipelined requests are answered one after the other, in order."""
    async with HttpConnection(target.http_port) as connection:
        await connection.send(b"".join(post(f"/generate?steps={1 + i % 3}", b"") for i in range(100)))
        for i in range(100):
            status, headers = await connection.head()
            assert (status, headers["pentimento-steps"]) == (200, str(1 + i % 3))
            await connection.body()


async def test_the_wrong_protocol_on_the_port_of_grpc(target):
    async with HttpConnection(int(target.grpc.rpartition(":")[2])) as connection:
        await connection.send(b"POST /generate HTTP/1.1\r\nHost: localhost" + ENDED)
        assert b" 200 " not in await connection.rest()
