"""A user's cache with classifiers and nothing else, and a toy that draws noise in steps."""

import pytest
import typer
from typer.testing import CliRunner

from pentimento.bundle.store import read_bundle
from pentimento.training.commands.main import register
from tests.service.toys import write_steps

SHAPE = (1, 28, 28)


def use_cache(folder, shared_cache, monkeypatch):
    """Makes a user's cache in which only classifiers are."""
    folder.mkdir()
    (folder / "classifiers").symlink_to(shared_cache / "pentimento" / "classifiers")
    monkeypatch.setenv("PENTIMENTO_CACHE", str(folder))
    return folder


@pytest.fixture
def cache(shared_cache, monkeypatch, tmp_path):
    return use_cache(tmp_path / "cache", shared_cache, monkeypatch)


@pytest.fixture(scope="session")
def run():
    app = typer.Typer()
    register(app)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def toy(tmp_path):
    write_steps(tmp_path / "toy", SHAPE, scorer=None)
    return read_bundle(tmp_path / "toy")
