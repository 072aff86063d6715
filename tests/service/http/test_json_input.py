"""JSON from outside: what it may hold, and that nobody else waits while it is read."""

import asyncio
import gc
import time

import pytest
from pydantic_core import from_json

from pentimento.service.errors import PentimentoError
from pentimento.service.http.json_input import read_json

MB = 1 << 20
# What nobody may be held up for, in times of what parsing one megabyte of `[],` takes. Usual is 0.1 for what
# is refused (1 to 3 without the limit) and 0.2 to 0.7 for what is read.
MOST_HELD_REFUSED, MOST_HELD_READ = 0.5, 3


@pytest.fixture(autouse=True)
def a_heap_of_its_own():
    """As in a server: a full garbage collection does not walk through what thousands of tests have left."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


async def read(data):
    """What it is read as, or the error's sentence; and how long nothing else could go on, as above."""
    held = []
    for _ in range(3):  # as others on this machine may hold us up, too
        longest, reading = 0.0, asyncio.create_task(read_json(data, 32, lambda content: content))
        while not reading.done():
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - started)
        held.append(longest / parsing_lists_s())
    try:
        return reading.result(), min(held)
    except PentimentoError as error:
        return error.message, min(held)


def parsing_lists_s():
    started = time.perf_counter()
    from_json(b"[" + b"[]," * (MB // 3 - 1) + b"0]")
    return time.perf_counter() - started


@pytest.mark.alone
@pytest.mark.parametrize(
    "part", [b"[],", b"[[[[]]]],", b"{},", b'{"a":0},', b'"",', b'"\\"",', b"[" * 90 + b"]" * 90 + b","]
)
async def test_a_body_of_many_small_things_is_refused_and_nobody_waits_for_it(part):
    answer, held = await read(b"[" + part * (8 * MB // len(part) - 1) + b"0]")
    assert answer.startswith("body may have at most 131072 brackets, quotes and colons, got ")
    assert held < MOST_HELD_REFUSED, held


@pytest.mark.alone
async def test_a_body_of_many_names_is_refused_and_nobody_waits_for_it():
    answer, held = await read(b"{" + b",".join(b'"%x":0' % i for i in range(700_000)) + b"}")
    assert "got 2100001" in answer
    assert held < MOST_HELD_REFUSED, held


@pytest.mark.alone
@pytest.mark.parametrize(
    "large",
    [
        b"[" + b"0.123456," * (8 * MB // 9 - 1) + b"0]",
        b'["' + b"Ab0/" * (2 * MB - 1) + b'"]',
        b'["' + b"\\n" * (4 * MB - 2) + b'"]',
        b"[" + b"[0.25,0.5]," * 120_000 + b"[]]",
    ],
    ids=["numbers", "a picture", "escapes", "rows"],
)
async def test_a_large_body_is_read_and_nobody_waits_for_it(large):
    answer, held = await read(large)
    assert isinstance(answer, list)
    assert held < MOST_HELD_READ, held


async def test_what_is_within_a_string_is_not_nested():
    assert (await read(b'["' + b"[" * 100 + b'"]'))[0] == ["[" * 100]
    assert (await read(b"[" * 33 + b"]" * 33))[0] == "body may be nested at most 32 deep"
    assert (await read(b'["]",' * 33 + b"0" + b"]" * 33))[0] == "body may be nested at most 32 deep"
