"""Fixtures of the server's tests: toy bundles on disk, and a real server that serves them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.service.judging_toys import write_judging_toys
from tests.service.live import LiveServer
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import write_toys


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every toy bundle; read only."""
    folder = tmp_path_factory.mktemp("toys")
    write_toys(folder)
    return folder


@pytest.fixture(scope="session")
def live(toys: Path) -> Iterator[LiveServer]:
    """A server of all the toys, shared by all tests: leave it idle, and do not stop it."""
    server = LiveServer(toys, default_model="toy-steps")
    yield server
    server.close()


@pytest.fixture
def http(live: LiveServer) -> Iterator[httpx.Client]:
    """A client of the shared server."""
    with live.client() as client:
        yield client


@pytest.fixture(scope="session")
def judging_toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every toy bundle, those that read pictures and those that judge; read only."""
    folder = tmp_path_factory.mktemp("judging")
    for write in (write_toys, write_reading_toys, write_judging_toys):
        write(folder)
    return folder


@pytest.fixture(scope="session")
def judging(judging_toys: Path) -> Iterator[LiveServer]:
    """A server of all of these, shared by all tests: leave it idle, and do not stop it."""
    server = LiveServer(judging_toys, default_model="toy-steps")
    yield server
    server.close()
