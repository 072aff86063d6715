"""Requests that cost little to send: none makes the server hold much, or keeps others waiting for it."""

import asyncio
import base64
import json
import time

import numpy as np
import pytest

from pentimento.service.operations.codec import encode_png
from tests.reliability.asks import Ask, Way
from tests.reliability.bad_input import png
from tests.reliability.drawings import Clients
from tests.reliability.server import ServerProcess, eventually
from tests.reliability.wire import HttpConnection
from tests.service.reading_toys import write_costly_toy, write_reading_toys, write_slow_toy

pytestmark = pytest.mark.alone

JSON = {"Content-Type": "application/json"}
MANY, PIXELS = 64, 4000 * 4000
GREY = png(4000, 4000, rows=4000 * 4001)  # 16 KB that are 16 million pixels
DRAWS = 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One of its own, which few rows fill."""
    folder = tmp_path_factory.mktemp("costly")
    write_reading_toys(folder)
    write_costly_toy(folder)
    write_slow_toy(folder)
    server = ServerProcess(
        folder,
        default_model="toy-code",
        max_rows_in_flight=MANY,
        max_batch_rows=MANY,
        max_receiving_bytes=1 << 30,
        trusted_proxies="127.0.0.1",  # so that whoever asks can say who it is
    )
    yield server
    assert "Traceback" not in server.log, server.log
    server.stop()


async def ask(server, path, body, **headers):
    """Status, code (or None) and detail of the answer, and how long it took in seconds."""
    began = time.monotonic()
    async with HttpConnection(server.http_port) as connection:
        await connection.ask("POST", path, headers=headers or JSON, body=body)
        status, _ = await connection.head()
        answer = json.loads(await connection.body())
    return status, answer.get("code"), answer.get("detail"), time.monotonic() - began


def pictures(data, count=MANY):
    return json.dumps({"images": [base64.b64encode(data).decode()] * count}).encode()


class Costs:
    """What goes on in a server meanwhile: by how much its memory grows, and the longest answer of a probe."""

    def __init__(self, server):
        self.server = server

    async def __aenter__(self):
        self.before, self.longest_s = self.server.rss, 0.0
        self.server.forget_peak()
        self._probes = asyncio.create_task(self._probe())
        return self

    async def __aexit__(self, *_):
        self._probes.cancel()
        self.grown = self.server.peak_rss - self.before
        print(f"+{self.grown / 2**20:.0f} MiB, a probe took {self.longest_s:.3f} s at most")

    async def _probe(self):
        while True:
            began = time.monotonic()
            await self.server.get("/healthz")
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            await asyncio.sleep(0.01)


WORDS = {
    "one long word and many short ones": [["a" * 100_000] + ["b"] * 14_000],
    "words as rows": ["a" * 100_000] + ["b"] * 14_000,
    "a word behind numbers": [[[0.5] * 200_000 + ["a" * 100_000]]],
    "numbers that no bundle takes": [[0.5] * 250_000],
    "empty lists": [[[]] * 60_000],
}


@pytest.mark.parametrize("latent", WORDS.values(), ids=WORDS)
async def test_latents_that_are_words_or_too_many(server, latent):
    """As numpy reads the first, it takes 5.6 GB."""
    body = json.dumps({"n": 1, "latents": {"latent": latent}}).encode()
    async with Costs(server) as costs:
        for _ in range(3):
            status, code, detail, _ = await ask(server, "/generate", body)
            assert (status, code) == (400, "INVALID_ARGUMENT")
            assert detail.startswith("latents.latent must")
    assert costs.grown < 64 << 20
    assert costs.longest_s < 1


async def test_parsed_numbers_are_few_at_a_time(server):
    """Twenty-four bodies of a million numbers wait for room to be read: as Python's objects they are 1 GB."""
    body = b'{"n": 1, "latents": {"latent": [' + b"0.5," * 1_000_000 + b"0.5]}}"
    path = "/encode?model=toy-code&fit=resize"
    pictures = [
        asyncio.create_task(ask(server, path, GREY, **{"Content-Type": "image/png"})) for _ in range(8)
    ]
    async with Costs(server) as costs:
        refused = await asyncio.gather(*(ask(server, "/generate", body) for _ in range(24)))
        await asyncio.gather(*pictures)
    for status, code, detail, _ in refused:
        assert (status, code) == (400, "INVALID_ARGUMENT")
        assert detail == "latents.latent must have shape (1, 1, 6, 8), got (1000001,)"
    # 96 MB that were sent, as much of arrays, one that is parsed, two pictures that are unpacked.
    assert costs.grown < 480 << 20


async def test_a_small_picture_waits_for_one_large_one_of_another_client(server):
    """Twelve of 16 million pixels are there before it; first come, first served, it would wait for all."""

    async def read(who, data):
        headers = {"Content-Type": "image/png", "X-Forwarded-For": who}
        return await ask(server, "/encode?model=toy-code&fit=resize", data, **headers)

    many = [asyncio.create_task(read("192.0.2.1", GREY)) for _ in range(12)]
    await eventually(server.snapshot, lambda now: now.rows >= 8, "most of them wait")
    assert (await read("192.0.2.2", encode_png(np.zeros((1, 6, 8), np.float32))))[0] == 200
    done = sum(task.done() for task in many)
    assert {(await task)[0] for task in many} == {200}
    print(f"{done} of 12 were read before it")
    assert done <= 8  # of those up to four were before it asked


async def test_as_many_draws_as_may_be_of_as_many_pictures_with_maps(server):
    """200 MB of noise and as much of maps, if all of it were held; 8 s of computing are given a second."""
    body = pictures(encode_png(np.full((1, 28, 28), 0.5, np.float32)))
    path = f"/likelihood?model=toy-costly&importance_samples={DRAWS}&pixels=true&seed=1"
    async with Costs(server) as costs:
        status, code, detail, took = await ask(server, f"{path}&timeout_ms=1500", body)
        late = await ask(server, f"{path}&timeout_ms=1", body)
    assert (status, code) in ((200, None), (504, "DEADLINE_EXCEEDED"))
    assert status == 200 or detail.endswith(f"of {DRAWS} draws")
    assert took < 6 and late[:2] == (504, "DEADLINE_EXCEEDED") and late[3] < 2
    assert costs.grown < 64 << 20
    assert costs.longest_s < 1


@pytest.mark.parametrize("timeout_ms", [1, 60_000])
async def test_pictures_that_unpack_to_a_billion_pixels(server, timeout_ms):
    """A megabyte that is 64 pictures of 16 million pixels each: half a minute of unpacking."""
    path = f"/encode?model=toy-code&fit=resize&timeout_ms={timeout_ms}"
    async with Costs(server) as costs:
        status, code, detail, took = await ask(server, path, pictures(GREY))
    if timeout_ms == 1:
        assert (status, code) == (504, "DEADLINE_EXCEEDED") and took < 5
    else:
        assert (status, code) == (400, "INVALID_ARGUMENT")
        assert detail.startswith(f"images[4] brings the pixels of the request's pictures to {5 * PIXELS}")
    assert costs.grown < 64 << 20
    assert costs.longest_s < 1
    await eventually(server.snapshot, lambda now: now.rows == 0, "its rows are free")


async def test_nothing_is_unpacked_or_drawn_for_who_is_refused(server):
    """Forty pictures of 16 million pixels meet a server without room: unpacking all would take 20 s."""
    path = "/encode?model=toy-code&fit=resize"
    alone = (await ask(server, path, GREY, **{"Content-Type": "image/png"}))[3]
    async with Clients(server) as clients:
        blocker = await clients.begin(Way.SSE, Ask(model="toy-code-slow", n=MANY, steps=1000))
        await eventually(server.snapshot, lambda now: now.rows == MANY, "there is no more room")
        began = time.monotonic()
        asked = [ask(server, path, GREY, **{"Content-Type": "image/png"}) for _ in range(40)]
        refused = await asyncio.gather(*asked)
        took = time.monotonic() - began
        blocker.hang_up()
    print(f"one takes {alone:.2f} s; forty were refused in {took:.2f} s")
    assert {each[:2] for each in refused} == {(429, "OVERLOADED")}
    assert took < 10 * alone + 1
    await eventually(server.snapshot, lambda now: now.rows == 0, "all rows are free")


@pytest.mark.parametrize("serve", [1, 2], indirect=True, ids=["alone", "workers"])
async def test_numbers_in_flight_are_bounded_for_all_requests(serve):
    """Rows are few, and what they hold is not: one more is refused until others are over."""
    server = serve(default_model="toy-wide", max_values_in_flight=4_000_000, max_request_values=2_000_000)
    wide = {"model": "toy-wide", "n": MANY, "steps": 200}  # 0.6 million of noise, 2.4 million in four frames
    async with Clients(server) as clients:
        blocker = await clients.begin(Way.SSE, Ask(**wide))
        await blocker.frame()
        # Whoever has it: a page tells of all workers together.
        assert (await server.snapshot()).total("pentimento_values_in_flight") == 5 * MANY * 96 * 96
        for way in (Way.SSE, Way.STREAM):
            refused = await clients.draw(way, Ask(**wide))
            assert refused.code == "OVERLOADED" and "the limit of 4000000" in refused.detail
            assert refused.retry_after_s
        whole = await clients.draw(Way.JSON, Ask(**(wide | {"steps": 10})))
        assert whole.code == "INVALID_ARGUMENT" and "together may take 4000000" in whole.detail
        assert (await clients.draw(Way.SSE, Ask(model="toy-wide", steps=2))).code == "OK"
        blocker.hang_up()
        await eventually(server.snapshot, lambda now: now.rows == 0, "all rows are free")
        other = await clients.begin(Way.SSE, Ask(**wide))
        await other.frame()
        other.hang_up()
        await eventually(server.snapshot, lambda now: now.rows == 0, "all rows are free again")
    assert (await server.snapshot()).total("pentimento_values_in_flight") == 0
    server.stop()
