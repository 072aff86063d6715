"""Fixtures of the documents' tests: the server that they speak of, and the pages, run side by side."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.docs.session import Session
from tests.docs.snippets import ROOT, snippets
from tests.service.live import LiveServer


@pytest.fixture(scope="session")
def live():
    server = LiveServer(ROOT / "zoo", calibrate=False)
    yield server
    server.close()


@pytest.fixture(scope="session")
def going_through(request, live, shared_cache, tmp_path_factory):
    """A future for each page, which is done when all blocks of the page have run in order.

    Pages run side by side: most of a block's time is that of a program starting; one after the other they
    would take twice as long.
    """
    chosen = [item.callspec.params["page"] for item in request.session.items if _goes_through(item)]
    with ThreadPoolExecutor(max_workers=min(4, len(os.sched_getaffinity(0)))) as pool:
        yield {
            page: pool.submit(_go_through, page, live, tmp_path_factory.mktemp("page"), shared_cache)
            for page in chosen
        }
        pool.shutdown(cancel_futures=True)


def _goes_through(item):
    return "going_through" in getattr(item, "fixturenames", ())


def _go_through(page: Path, live: LiveServer, folder: Path, cache: Path) -> None:
    session = Session(folder, live, cache)
    for snippet in snippets(page):
        if snippet.runs:
            session.run(snippet)
