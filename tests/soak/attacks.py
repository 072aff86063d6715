"""Clients of a soak that ask for little and would have the server pay for much, each in another way.

All of them come from the address of the well-behaved ones, which must be served none the worse.
"""

__all__ = ["attack"]

import asyncio
import base64
import contextlib
import functools
import json
from collections.abc import Awaitable, Callable

import grpc
import numpy as np

from pentimento.service.grpc.api import SERVICE_NAME
from pentimento.service.operations.codec import encode_png
from tests.reliability.bad_input import png
from tests.reliability.http2 import Http2Connection
from tests.reliability.wire import Cut, HttpConnection
from tests.soak.kinds import Scene

_GET = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
_POST = b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_SCORE = f"/{SERVICE_NAME}/Score"
_JSON = {"Content-Type": "application/json"}
_HELD_S = 3.0  # for which what is begun is not ended


async def attack(scene: Scene) -> None:
    """Does one of them."""
    act = scene.luck.choice(_ATTACKS)
    await act(scene)


async def _flood(scene: Scene) -> None:
    """Sends four megabytes of requests ahead, and reads no answer."""
    async with HttpConnection(scene.server.http_port, small_buffer=True) as client:
        with contextlib.suppress(ConnectionError, TimeoutError):
            await asyncio.wait_for(client.send(_GET * (4_300_000 // len(_GET))), 60)
    scene.tally.note("attacked", "flooded", expected=True)


async def _half_a_body(scene: Scene) -> None:
    """Sends all but the end of a body, and waits."""
    async with HttpConnection(scene.server.http_port) as client:
        with contextlib.suppress(ConnectionError):
            await client.send(_POST + b"Content-Length: 4000000\r\n\r\n" + b" " * 3_999_000)
            await asyncio.sleep(_HELD_S)
    scene.tally.note("attacked", "half a body", expected=True)


async def _half_messages(scene: Scene) -> None:
    """Begins fifty calls of gRPC, four of them with all but the end of a message, and waits."""
    await asyncio.to_thread(_begin_calls, scene.server.place.grpc_port)
    await asyncio.sleep(_HELD_S)
    scene.tally.note("attacked", "half messages", expected=True)


def _begin_calls(port: int) -> None:
    with Http2Connection(port) as connection, contextlib.suppress(OSError):
        streams = [connection.begin(_SCORE) for _ in range(50)]
        for stream in streams[:4]:
            connection.send(stream, b"\0" + (4 << 20).to_bytes(4, "big") + bytes((4 << 20) - 3))
        connection.wait(streams[0], _HELD_S)


async def _words(scene: Scene) -> None:
    """Sends words as latents, and more numbers than any bundle takes."""
    latent: list[object] = scene.luck.choice([["a" * 100_000] + ["b"] * 14_000, [[0.5] * 250_000]])
    body = json.dumps({"model": "gran5-mnist", "latents": {"latent": latent}}).encode()
    await _refused(scene, "words", "/generate", body, 400)


async def _photographs(scene: Scene) -> None:
    """Sends sixteen pictures of sixteen megapixels, which are to be scored within a millisecond."""
    body = json.dumps({"images": [_photograph()] * 16}).encode()
    await _refused(scene, "photographs", "/score?model=gran5-mnist&timeout_ms=1", body, 429, 504)


async def _many_draws(scene: Scene) -> None:
    """Asks for a thousand draws of each of 64 pictures, within a millisecond."""
    body = json.dumps({"images": [_digit()] * 64}).encode()
    path = "/likelihood?model=vae-mnist&importance_samples=1000&timeout_ms=1"
    await _refused(scene, "many draws", path, body, 400, 429, 504)


async def _many_images(scene: Scene) -> None:
    """Sends a list of three million images over gRPC, in six megabytes."""
    async with grpc.aio.insecure_channel(scene.server.grpc) as channel:
        try:
            await channel.unary_unary(_SCORE)(b"\x12\0" * 3_000_000)
            end = "answered"
        except grpc.aio.AioRpcError as error:
            end = error.code().name
    good = end in ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
    scene.tally.note("attacked", f"many images: {end}", expected=good)


async def _refused(scene: Scene, name: str, path: str, body: bytes, *wanted: int) -> None:
    try:
        async with HttpConnection(scene.server.http_port) as client:
            await client.ask("POST", path, headers=_JSON, body=body)
            status, _ = await client.head()
            answer = await client.body()
    except (Cut, ConnectionError) as error:
        scene.tally.note("attacked", f"{name}: cut", expected=False, detail=repr(error))
        return
    detail = answer.decode(errors="replace")
    scene.tally.note("attacked", f"{name}: {status}", expected=status in (*wanted, 429), detail=detail)


@functools.cache
def _photograph() -> str:
    return base64.b64encode(png(4000, 4000, rows=4000 * 4001)).decode()


@functools.cache
def _digit() -> str:
    return base64.b64encode(encode_png(np.full((1, 28, 28), 0.5, np.float32))).decode()


_ATTACKS: tuple[Callable[[Scene], Awaitable[None]], ...] = (
    _flood,
    _half_a_body,
    _half_messages,
    _words,
    _photographs,
    _many_draws,
    _many_images,
)
