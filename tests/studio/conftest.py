"""Fixtures of the studio's tests: a real chromium, a real server, a page whose complaints fail the test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import missing
from tests.service.live import LiveServer

ZOO = Path(__file__).parents[2] / "zoo"
BUNDLES = (
    "gran5-mnist",
    "gran3-mnist",
    "acgan-mnist",
    "pixelcnn-mnist",
    "pixelvae2d-mnist",
    "vae2d-mnist",
    "pixelvae2level-mnist",
    "vae-mnist",
    "draw-mnist",
    "wgan-gp-cifar10",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def executable(playwright) -> str | None:
    """Path of a chromium: one that is installed, else Playwright's own; None if there is neither."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path is not None:
            return path
    own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


@pytest.fixture(scope="package")
def browser():
    """One browser for all tests of the studio.

    Not for the whole session: Playwright's loop runs as long as it is open, and other tests have their own.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            pytest.skip(missing("chromium"))
        # Chromium refuses to sandbox what root runs, as in many containers.
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bundles of every kind."""
    folder = tmp_path_factory.mktemp("zoo")
    for name in BUNDLES:
        shutil.copytree(ZOO / name, folder / name)
    return folder


@pytest.fixture(scope="package")
def live(zoo: Path) -> Iterator[LiveServer]:
    """The server that the tests share: leave it running."""
    server = LiveServer(zoo)
    yield server
    server.close()


class Complaints:
    """What a page wrote to its console as an error, or threw."""

    def __init__(self, page) -> None:
        self.allowed: tuple[str, ...] = ()
        self._own = ("willReadFrequently",)  # the tests read canvases more often than pages do
        self._said: list[str] = []
        page.on(
            "console",
            lambda message: message.type in ("error", "warning") and self._said.append(message.text),
        )
        page.on("pageerror", lambda error: self._said.append(str(error)))

    @property
    def unexpected(self) -> list[str]:
        """All that no part of `allowed` is in."""
        allowed = (*self.allowed, *self._own)
        return [text for text in self._said if not any(part in text for part in allowed)]


@pytest.fixture
def context(browser):
    """A browser that remembers nothing of other tests."""
    # Without motion steps are not held to be seen, and a drawing is shown as fast as it comes.
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(30_000)  # a machine that tests share may take as long
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A page; the test fails if it complains of anything that `page.complaints.allowed` does not have."""
    page = context.new_page()
    page.complaints = Complaints(page)
    yield page
    assert page.complaints.unexpected == []
