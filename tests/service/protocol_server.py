"""A server of the toys that draw, read and complete, for tests of other protocols with their own clients."""

__all__ = ["at_rest", "protocol_server"]

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.service.control_toys import write_control_toy
from tests.service.live import LiveServer, wait_until
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import write_toys


@contextmanager
def protocol_server(folder: Path, **settings: Any) -> Iterator[LiveServer]:
    """Runs it in this process.

    Args:
        folder: An empty one, for its bundles.
        settings: By the names of `service.settings`.
    """
    for write in (write_toys, write_reading_toys, write_control_toy):
        write(folder)
    server = LiveServer(folder, default_model="toy-steps", calibrate=False, **settings)
    yield server
    server.close()


@contextmanager
def at_rest(server: LiveServer) -> Iterator[None]:
    """Checks that no rows are in flight before and after."""
    assert wait_until(lambda: server.rows == 0)
    yield
    assert wait_until(lambda: server.rows == 0), "rows were left in flight"
