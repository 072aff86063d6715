"""What holds for every run of the tests: how many go side by side, and what is said at the end of it."""

import os
from collections.abc import Generator

import pytest

from tests.programs import said_to_be_missing

_MOST_WORKERS = 8  # each has torch loaded and servers of its own


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Number of processes that `-n auto` starts: one for each CPU that may be used."""
    return min(len(os.sched_getaffinity(0)), _MOST_WORKERS)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """Below all else that is told: which programs tests were skipped for, and how to install them."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    line = said_to_be_missing(str(report.longrepr) for report in skipped)
    if line is not None:
        terminalreporter.write_line(line, yellow=True)
