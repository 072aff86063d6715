"""A log that nobody reads: the server answers on, drops lines, says how many, and ends when it is told."""

import asyncio
import fcntl
import json
import os
import time

import pytest

from tests.reliability.server import ServerProcess
from tests.reliability.wire import HttpConnection

LONG = "a" * 120  # of a request id: lines of some 500 bytes
REQUESTS = 2800  # for each worker: 1.4 MB of lines, of which it keeps 1 MiB


class Unread(ServerProcess):
    """A server whose stderr is a pipe, of which only what is needed is read."""

    def _open_log(self):
        self.read_end, write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
        self.said = b""
        return os.fdopen(write_end, "w")

    @property
    def log(self):
        """What was taken out of the pipe."""
        return self.said.decode()

    def take(self):
        """Takes out what is in the pipe now; says whether there was something."""
        try:
            data = os.read(self.read_end, 1 << 16)
        except BlockingIOError:
            return False
        self.said += data
        return bool(data)

    async def read_on(self):
        """Reads for as long as something comes."""
        while True:
            end = time.monotonic() + 1
            while not self.take():
                if time.monotonic() > end:
                    return
                await asyncio.sleep(0.01)


class Json(Unread):
    """Likewise, with a log in JSON, of which a line says where it listens."""

    @property
    def log(self):
        """What was taken out of the pipe, with that line at least."""
        if b'"grpc"' not in self.said:
            self.take()
        return super().log


async def ask(server, requests, first=0):
    """Asks for what is not there, a hundred times on a connection."""
    for start in range(first, first + requests, 100):
        async with HttpConnection(server.http_port) as connection:
            for number in range(start, start + 100):
                await connection.ask("GET", f"/{'x' * 190}", headers={"X-Request-Id": f"{LONG}.{number}"})
                status, _ = await asyncio.wait_for(connection.head(), 20)
                await connection.body()
                assert status == 404


@pytest.mark.parametrize(("kind", "form", "workers"), [(Unread, "text", 1), (Json, "json", 2)])
async def test_it_answers_on_and_says_what_was_dropped(puppets, kind, form, workers):
    server = kind(puppets, workers=workers, log_format=form, default_model="toy-steps", calibrate=False)
    try:
        requests = REQUESTS * workers
        await asyncio.gather(*(ask(server, requests // 4, requests // 4 * k) for k in range(4)))
        dropped = (await server.snapshot()).total("pentimento_log_lines_dropped_total")
        assert dropped > 0
        await server.read_on()
        await ask(server, 100, requests)
        await server.read_on()
        lines = server.log.splitlines()
        said = [line for line in lines if "lines of the log were dropped here" in line]
        counted = [int(word) for line in said for word in line.replace('"', " ").split() if word.isdecimal()]
        assert sum(number for number in counted if number > workers) == dropped
        written = [line for line in lines if LONG in line]
        assert len(written) + dropped == requests + 100, "each line was written or counted"
        if form == "json":
            assert all(json.loads(line) for line in lines)
        if workers == 1:
            assert lines.index(said[0]) < lines.index(written[-1]), "in its place: before what came later"
    finally:
        server.kill()
        os.close(server.read_end)


@pytest.mark.parametrize("workers", [1, 2])
async def test_it_ends_when_it_is_told_to(puppets, workers):
    server = Unread(puppets, workers=workers, default_model="toy-steps", calibrate=False)
    try:
        await ask(server, 200)  # more than the pipe takes
        server.signal()
        assert server.wait(30) == 0
    finally:
        server.kill()
        os.close(server.read_end)
