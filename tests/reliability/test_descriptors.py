"""Where the system lets a process open fewer files than `max_connections` needs, somebody is told."""

import asyncio
import contextlib
import os
import resource
from collections import Counter

import pytest

from tests.reliability.wire import Cut, HttpConnection

SOFT, HARD = 320, 400


async def told(server, count):
    """What so many clients at once are told, each by a status, or None where it is reset."""

    async def ask(client):
        try:
            return (await client.head())[0]
        except (Cut, ConnectionError):
            return None

    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(HttpConnection(server.http_port)) for _ in range(count)]
        await asyncio.sleep(0.5)
        for client in clients:
            with contextlib.suppress(ConnectionError):
                await client.ask("GET", "/healthz")
        return Counter(await asyncio.gather(*(ask(client) for client in clients)))


@pytest.mark.parametrize("serve", [1, 2], indirect=True)
async def test_the_limit_is_raised_as_far_as_connections_need_it(serve):
    server = serve(files=(SOFT, 2000), max_connections=500)
    for pid in server.workers or [server.popen.pid]:
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        assert 500 < soft <= hard == 2000
    assert server.log == ""
    server.stop()


async def test_what_does_not_fit_is_said_at_the_start_and_told_to_clients(serve):
    """A client too many gets a 503, not a reset: there is a file for it."""
    server = serve(files=(SOFT, HARD), max_connections=500)
    (line,) = server.log.splitlines()
    assert "WARNING" in line and f"{HARD} files" in line and "of 500" in line and "1256" in line
    taken = int(line.partition("it takes ")[2].partition(" ")[0])
    assert await told(server, taken + 60) == {200: taken, 503: 60}
    assert "no more files" not in server.log
    server.stop()


def test_a_limit_below_any_use_is_one_sentence(serve):
    with pytest.raises(AssertionError, match=r"cannot start: a process may have 100 files open .* needs 258"):
        serve(files=(100, 100))


async def test_at_the_limit_the_log_says_so_once(serve):
    server = serve()
    pid = server.popen.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    lower = len(os.listdir(f"/proc/{pid}/fd")) + 5
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lower, usual[1]))

    async def until(words):
        end = asyncio.get_running_loop().time() + 20
        while words not in server.log:
            assert asyncio.get_running_loop().time() < end, server.log
            await asyncio.sleep(0.1)

    async with contextlib.AsyncExitStack() as stack:
        for _ in range(20):
            await stack.enter_async_context(HttpConnection(server.http_port))
        await until("no more files can be opened (Too many open files)")
        await asyncio.sleep(3)
        assert server.log.count("no more files") == 1
    await until("files can be opened again")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    assert (await server.get("/healthz")).status == 200
    server.stop()
