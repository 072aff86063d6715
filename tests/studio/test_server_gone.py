"""A server that is killed while the studio is open: what is drawn stays, with its name, until more comes."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.ports import free_port
from tests.reliability.server import ServerProcess
from tests.service.live import wait_until
from tests.service.toys import write_toys
from tests.studio.asks import accessibility_faults, canvas_sums
from tests.studio.conftest import ZOO, Complaints
from tests.studio.test_draw import DONE, GRID, shown, wait_for_drawing

BUNDLES = ("gran5-mnist", "gran3-mnist", "acgan-mnist", "vae2d-mnist", "pixelvae2level-mnist")
STATE = "state => document.querySelector('.connection').dataset.state === state"
SILENT = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE", "ERR_NETWORK")


class Mortal:
    """A server in a process of its own that can be killed, and comes back at the same port."""

    def __init__(self, bundles, port) -> None:
        self._start = lambda: ServerProcess(bundles, http_port=port)
        self.start()

    def start(self) -> None:
        self.process = self._start()
        self.http = self.process.http

    def kill(self) -> None:
        self.process.kill()


@pytest.fixture
def mortal(tmp_path):
    for name in BUNDLES:
        shutil.copytree(ZOO / name, tmp_path / name)
    write_toys(tmp_path, ["toy-slow"])
    server = Mortal(tmp_path, free_port())
    yield server
    server.kill()


def wait_until_gone(page):
    page.wait_for_function(STATE, arg="offline")
    page.get_by_role("alert").filter(has_text="The server does not answer").wait_for()


def try_again(page, role="alert"):
    return page.get_by_role(role).get_by_role("button", name="Try again")


def ask_again(page):
    """Presses the retry, and waits until it has asked: where nobody listens, that is said for a moment."""
    page.evaluate(
        """() => {
            const facts = document.querySelector(".draw-facts");
            window.asked = false;
            const look = () => (window.asked ||= facts.textContent.includes("Asking"));
            const all = { childList: true, characterData: true, subtree: true };
            new MutationObserver(look).observe(facts, all);
        }"""
    )
    try_again(page).click()
    page.wait_for_function("() => window.asked")


def test_a_drawing_stays_until_the_next_one_comes(page, mortal):
    page.complaints.allowed = SILENT
    page.goto(f"{mortal.http}/#draw?model=gran5-mnist&n=4&seed=1")
    wait_for_drawing(page)
    before, address = shown(page), page.url
    mortal.kill()
    page.get_by_label("Canvases").fill("9")
    page.get_by_label("Seed", exact=True).fill("2")
    page.get_by_role("button", name="Draw", exact=True).click()
    wait_until_gone(page)
    for _ in range(2):  # the second time by the retry that is offered, in vain
        try_again(page).wait_for()
        page.get_by_text(DONE).wait_for()
        assert np.array_equal(shown(page), before)
        assert page.get_by_role("heading", name="gran5-mnist, seed 1").is_visible()
        assert page.url == address
        slider = page.get_by_label("Step back and forth")
        slider.press("ArrowLeft")
        assert not np.array_equal(shown(page), before), "its steps are still there"
        slider.press("End")
        ask_again(page)
    try_again(page).wait_for()
    assert accessibility_faults(page) == []
    mortal.start()
    page.get_by_role("status").filter(has_text="The server is back").wait_for()
    assert np.array_equal(shown(page), before)
    page.wait_for_timeout(4500)
    try_again(page, "status").click()
    page.get_by_role("heading", name="gran5-mnist, seed 2").wait_for()
    wait_for_drawing(page)
    assert len(shown(page)) == 9
    assert page.locator(".notice").count() == 0 and "seed=2" in page.url


def test_a_drawing_that_is_cut_in_the_middle_keeps_what_came(page, mortal):
    page.complaints.allowed = SILENT
    page.goto(f"{mortal.http}/#draw?model=toy-slow&n=2&steps=64&seed=1")
    page.wait_for_function(
        "() => /^Step [3-9] of 64/.test(document.querySelector('.draw-facts')?.textContent)"
    )
    mortal.kill()
    page.get_by_text("Not finished", exact=True).wait_for()
    wait_until_gone(page)
    cut = shown(page)
    assert all(canvas_sums(page, GRID))
    ask_again(page)
    page.get_by_text("Not finished", exact=True).wait_for()
    assert np.array_equal(shown(page), cut)
    mortal.start()
    page.get_by_role("status").filter(has_text="The server is back").wait_for()
    try_again(page, "status").click()
    page.get_by_role("heading", name="toy-slow, seed").wait_for()
    wait_for_drawing(page)
    assert page.locator(".scrubber-words").text_content() == "Step 64 of 64"


@dataclass(frozen=True, slots=True)
class Tab:
    """Another tab than Draw: where it is, what it shows, and what asks it for something else."""

    address: str
    done: re.Pattern[str]  # what is said when all is there
    canvases: str
    names: list[str]  # of canvases, headings and facts
    ask: Callable[[Page], None]

    def looks(self, page) -> list[list]:
        """Sums of the canvases, and what canvases, headings and facts say."""
        script = "all => all.map(one => one.getAttribute('aria-label') ?? one.textContent)"
        said = [text for name in self.names for text in page.eval_on_selector_all(name, script)]
        return [canvas_sums(page, self.canvases), said]


TABS = {
    "autoencode": Tab(
        "#autoencode?model=vae2d-mnist&digit=3&samples=4&seed=5",
        re.compile(r"^\d+ drawings in \d+ ms$"),
        ".redraw-result canvas, .likelihood canvas",
        [".redraw-result canvas", ".stage h2", ".redraw-facts"],
        lambda page: page.get_by_label("Drawings").fill("7"),
    ),
    "arena": Tab(
        "#arena?a=gran5-mnist&b=gran3-mnist&n=4&seed=5",
        re.compile(r"^\d+ drawings of each, seed \d+$"),
        ".arena-sides canvas",
        [".arena-sides canvas", ".arena-sides h2", ".arena-facts", ".arena-judges h2"],
        lambda page: page.get_by_role("button", name="Exchange them").click(),
    ),
    "between": Tab(
        "#explore?way=between&model=gran5-mnist&from=3&to=8",
        re.compile(r"^9 pictures, here after"),
        ".stage canvas",
        [".stage canvas", ".stage h2"],
        lambda page: page.get_by_role("button", name="Other seeds").click(),
    ),
    "map": Tab(
        "#explore?way=map&model=vae2d-mnist",
        re.compile(r"^144 pictures, here after"),
        ".stage canvas",
        [".stage canvas", ".stage h2"],
        lambda page: page.get_by_role("slider", name="Place on the map").press("Shift+ArrowRight"),
    ),
    "levels": Tab(
        "#explore?way=levels&model=pixelvae2level-mnist&seed-latent=4&seed-map_noise=5&seed-noise=6",
        re.compile(r"^16 pictures, here after"),
        ".stage canvas",
        [".stage canvas", ".stage h2", ".explore-held"],
        lambda page: page.get_by_role("button", name="Other seeds").click(),
    ),
    "classes": Tab(
        "#explore?way=classes&model=acgan-mnist&seed=3",
        re.compile(r"^50 pictures, here after"),
        ".stage canvas",
        [".stage canvas", ".stage h2"],
        lambda page: page.get_by_role("button", name="Another seed").click(),
    ),
    "another way": Tab(
        "#explore?way=map&model=vae2d-mnist",
        re.compile(r"pictures, here after"),
        ".stage canvas",
        [".stage canvas", ".stage h2"],
        lambda page: page.get_by_role("radio", name=re.compile("Every class")).check(),
    ),
}


@pytest.fixture
def opened(context, mortal):
    """A page for each tab with its results, and what they look like: one server is gone for all of them."""
    pages = {}
    for name, tab in TABS.items():
        page = context.new_page()
        # Every tab asks at once when the server is back, beside whatever else this machine tests meanwhile.
        page.set_default_timeout(30_000)
        page.complaints = Complaints(page)
        page.complaints.allowed = SILENT
        page.goto(f"{mortal.http}/{tab.address}")
        page.get_by_text(tab.done).wait_for()
        page.wait_for_timeout(500)  # what is pointed at comes by itself
        pages[name] = (page, *tab.looks(page))
        assert any(pages[name][1]), name
    yield pages
    for tab, (page, _, _) in pages.items():
        assert page.complaints.unexpected == [], tab


def test_what_is_shown_stays_and_keeps_its_name(opened, mortal):
    mortal.kill()
    for tab, (page, _, _) in opened.items():
        page.wait_for_function(STATE, arg="offline")
        TABS[tab].ask(page)
    for _ in range(2):
        for tab, (page, *before) in opened.items():
            try_again(page).wait_for()
            page.wait_for_function("() => !document.body.textContent.includes('Asking …')")
            assert TABS[tab].looks(page) == before, tab
            try_again(page).click()
    for page, _, _ in opened.values():
        try_again(page).wait_for()
    mortal.start()
    for tab, (page, *before) in opened.items():
        page.wait_for_function(STATE, arg="online")
        # Between the first answer and the news that the server is back lies one more question.
        page.wait_for_function("() => !document.querySelector('.notice[data-kind=error]')")
        again = try_again(page, "status")
        if again.count():  # Explore has tried by itself
            again.click()
        page.wait_for_function("() => !document.querySelector('.notice button:not(.icon)')")
        page.get_by_text(TABS[tab].done).wait_for()
        assert wait_until(lambda page=page, tab=tab, before=before: TABS[tab].looks(page) != before), tab
