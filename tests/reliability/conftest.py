"""Fixtures of the reliability tests: servers in processes of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.reliability.asks import WAYS, Ask
from tests.reliability.drawings import Clients
from tests.reliability.puppets import write_puppets
from tests.reliability.server import ServerProcess, eventually
from tests.service.judging_toys import write_judging_toys
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import write_toys

ROWS = {"max_batch_rows": 32}  # in a call, the same on every machine
FAILING = ("toy-fragile", "toy-dizzy")  # they answer INFERENCE_FAILED, as they should


@pytest.fixture(scope="session")
def puppets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the toys and the puppets; read only."""
    folder = tmp_path_factory.mktemp("puppets")
    write_toys(folder)
    write_puppets(folder)
    return folder


@pytest.fixture(scope="session")
def shared(puppets: Path) -> Iterator[ServerProcess]:
    """A server with one lane, for all tests that leave it idle."""
    server = ServerProcess(puppets, default_model="toy-steps", **ROWS)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pair(puppets: Path) -> Iterator[ServerProcess]:
    """The same with two workers."""
    server = ServerProcess(puppets, default_model="toy-steps", **(ROWS | {"workers": 2}))
    yield server
    server.stop()


@pytest.fixture
async def idle(request: pytest.FixtureRequest) -> AsyncIterator[ServerProcess]:
    """The shared server, or the one that the parameter names; before and after no row is in flight."""
    server: ServerProcess = request.getfixturevalue(getattr(request, "param", "shared"))
    await eventually(server.snapshot, lambda now: now.rows == 0, "rows of the test before are free")
    yield server
    await eventually(server.snapshot, lambda now: now.rows == 0, "all rows are free")


@pytest.fixture
def serve(puppets: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., ServerProcess]]:
    """Starts servers with settings of their own; they are killed in the end, if they are still there.

    A test's parameter for it is the number of workers; without one there is one.
    """
    servers: list[ServerProcess] = []
    usual = ROWS | {"workers": getattr(request, "param", 1)}

    def start(**settings: object) -> ServerProcess:
        servers.append(ServerProcess(puppets, **(usual | settings)))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of every toy that does not fail by itself, to throw things at; its log must hold no fault."""
    folder = tmp_path_factory.mktemp("target")
    for write in (write_toys, write_reading_toys, write_judging_toys):
        write(folder)
    for name in FAILING:
        (folder / name).rename(tmp_path_factory.mktemp("failing") / name)
    server = ServerProcess(
        folder, default_model="toy-steps", max_images=8, max_body_bytes=1 << 20, workers=2, **ROWS
    )
    yield server
    assert "Traceback" not in server.log, server.log
    server.stop()


@pytest.fixture
def lives_on(target: ServerProcess) -> Iterator[None]:
    """After the test, the target must draw in every way, and hold no row."""

    async def check() -> None:
        async with Clients(target) as clients:
            for way in WAYS:
                ending = await asyncio.wait_for(clients.draw(way, Ask(model="toy-steps", seed=1)), 20)
                assert ending.code == "OK", ending.detail
        assert (await target.snapshot()).rows == 0

    yield
    asyncio.run(check())


@pytest.fixture
def stays_small(target: ServerProcess) -> Iterator[None]:
    """During the test, the target's memory may not grow by 48 MiB, not even for a moment."""
    before = target.rss
    target.forget_peak()
    yield
    grown = target.peak_rss - before
    assert grown < 48 << 20, f"the server grew by {grown >> 20} MiB"
