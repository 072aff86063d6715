"""A server that is killed while the studio is open: what is drawn stays, with its name, until more comes."""

import re
import shutil

import numpy as np
import pytest

from tests.ports import free_port
from tests.reliability.server import ServerProcess
from tests.service.live import wait_until
from tests.service.toys import write_toys
from tests.studio.asks import accessibility_faults, canvas_sums
from tests.studio.conftest import ZOO
from tests.studio.test_draw import DONE, GRID, shown, wait_for_drawing

BUNDLES = ("gran5-mnist", "gran3-mnist", "acgan-mnist", "vae2d-mnist", "pixelvae2level-mnist")
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
    page.wait_for_function("() => document.querySelector('.connection').dataset.state === 'offline'")
    page.get_by_role("alert").filter(has_text="The server does not answer").wait_for()


def try_again(page, role="alert"):
    return page.get_by_role(role).get_by_role("button", name="Try again")


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
        try_again(page).click()
        page.get_by_text("Asking …").wait_for()
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
    try_again(page).click()
    page.get_by_text("Asking …").wait_for()
    page.get_by_text("Not finished", exact=True).wait_for()
    assert np.array_equal(shown(page), cut)
    mortal.start()
    page.get_by_role("status").filter(has_text="The server is back").wait_for()
    try_again(page, "status").click()
    page.get_by_role("heading", name="toy-slow, seed").wait_for()
    wait_for_drawing(page)
    assert page.locator(".scrubber-words").text_content() == "Step 64 of 64"


# Of each other tab: its address, when it is done, what is looked at, how it is called, what asks for another.
TABS = {
    "autoencode": (
        "#autoencode?model=vae2d-mnist&digit=3&samples=4&seed=5",
        r"^\d+ drawings in \d+ ms$",
        ".redraw-result canvas, .likelihood canvas",
        [".redraw-result canvas", ".stage h2", ".redraw-facts"],
        lambda page: page.get_by_label("Drawings").fill("7"),
    ),
    "arena": (
        "#arena?a=gran5-mnist&b=gran3-mnist&n=4&seed=5",
        r"^\d+ drawings of each, seed \d+$",
        ".arena-sides canvas",
        [".arena-sides canvas", ".arena-sides h2", ".arena-facts", ".arena-judges h2"],
        lambda page: page.get_by_role("button", name="Exchange them").click(),
    ),
    "between": (
        "#explore?way=between&model=gran5-mnist&from=3&to=8",
        r"^9 pictures, here after",
        ".stage canvas",
        [".stage canvas", ".stage h2"],
        lambda page: page.get_by_role("button", name="Other seeds").click(),
    ),
    "map": (
        "#explore?way=map&model=vae2d-mnist",
        r"^144 pictures, here after",
        ".stage canvas",
        [".stage canvas", ".stage h2"],
        lambda page: page.get_by_role("slider", name="Place on the map").press("Shift+ArrowRight"),
    ),
    "levels": (
        "#explore?way=levels&model=pixelvae2level-mnist&seed-latent=4&seed-map_noise=5&seed-noise=6",
        r"^16 pictures, here after",
        ".stage canvas",
        [".stage canvas", ".stage h2", ".explore-held"],
        lambda page: page.get_by_role("button", name="Other seeds").click(),
    ),
    "classes": (
        "#explore?way=classes&model=acgan-mnist&seed=3",
        r"^50 pictures, here after",
        ".stage canvas",
        [".stage canvas", ".stage h2"],
        lambda page: page.get_by_role("button", name="Another seed").click(),
    ),
    "another way": (
        "#explore?way=map&model=vae2d-mnist",
        r"pictures, here after",
        ".stage canvas",
        [".stage canvas", ".stage h2"],
        lambda page: page.get_by_role("radio", name=re.compile("Every class")).check(),
    ),
}


def called(page, selectors) -> list[str]:
    """What canvases, headings and facts say."""
    script = "all => all.map(one => one.getAttribute('aria-label') ?? one.textContent)"
    return [text for selector in selectors for text in page.eval_on_selector_all(selector, script)]


@pytest.mark.parametrize("tab", TABS)
def test_what_is_shown_stays_and_keeps_its_name(page, mortal, tab):
    page.complaints.allowed = SILENT
    address, done, canvases, names, ask = TABS[tab]
    finished = page.get_by_text(re.compile(done))
    page.goto(mortal.http + "/" + address)
    finished.wait_for()
    page.wait_for_timeout(500)  # what is pointed at comes by itself
    sums, words = canvas_sums(page, canvases), called(page, names)
    assert sums and any(sums)
    mortal.kill()
    page.wait_for_function("() => document.querySelector('.connection').dataset.state === 'offline'")
    ask(page)
    for _ in range(2):
        try_again(page).wait_for()
        page.wait_for_function("() => !document.body.textContent.includes('Asking …')")
        assert canvas_sums(page, canvases) == sums
        assert called(page, names) == words
        try_again(page).click()
    try_again(page).wait_for()
    mortal.start()
    page.get_by_role("status").filter(has_text="The server is back").wait_for()
    again = try_again(page, "status")
    if again.count():  # Explore has tried by itself
        again.click()
    page.wait_for_function("() => !document.querySelector('.notice button:not(.icon)')")
    finished.wait_for()
    assert wait_until(lambda: (called(page, names), canvas_sums(page, canvases)) != (words, sums))
