"""For every run of the tests: how many go side by side, what they share, what is said at the end."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.programs import said_to_be_missing
from tests.slice import cache_with_classifier

settings.register_profile("beside", deadline=None)  # times say nothing while other tests run
settings.load_profile("beside")

_MOST_WORKERS = 8  # each has torch loaded and servers of its own

# Files of few tests that take long. Begun last, one would keep a worker busy while the others have nothing
# left to do: measured, two minutes of a run of thirteen.
_LONGEST = (
    "tests/docs/test_pages.py",
    "tests/training/families/likelihood/test_export.py",
    "tests/training/families/flow/test_flow.py",
    "tests/studio/test_server_gone.py",
    "tests/training/families/recurrent/test_export.py",
    "tests/program/test_no_home.py",
    "tests/training/loop/test_loop.py",
    "tests/training/export/test_scan.py",
    "tests/training/commands/test_commands.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Number of processes that `-n auto` starts: one for each CPU that may be used."""
    return min(len(os.sched_getaffinity(0)), _MOST_WORKERS)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the longest files first, for workers take files in this order (`--no-loadscope-reorder`)."""
    first = {config.rootpath / name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """Below all else that is told: which programs tests were skipped for, and how to install them."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    line = said_to_be_missing(str(report.longrepr) for report in skipped)
    if line is not None:
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for the whole run, with the classifier of the slice of MNIST, which is trained once."""
    folder = tmp_path_factory.getbasetemp()
    beside = "PYTEST_XDIST_WORKER" in os.environ  # then the folder above is that of all workers
    return cache_with_classifier(folder.parent if beside else folder)
