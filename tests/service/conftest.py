"""Fixtures of the server's tests: toy bundles on disk."""

from pathlib import Path

import pytest

from tests.service.toys import write_toys


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every toy bundle; read only."""
    folder = tmp_path_factory.mktemp("toys")
    write_toys(folder)
    return folder
