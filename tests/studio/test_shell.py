"""The frame around the tabs: themes, keys, a server that goes away, a slow network, accessibility."""

import re

import pytest

from tests.ports import free_port
from tests.service.live import LiveServer
from tests.studio.asks import COLOURS, NARROW, accessibility_faults, layout_shifts, watch_layout
from tests.studio.test_draw import wait_for_drawing

KEY = "k" * 20


def in_both_themes(page) -> None:
    for colours in COLOURS:
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        assert accessibility_faults(page) == [], colours


@pytest.mark.parametrize("tab", ["draw", "server"])
def test_axe_finds_nothing(page, live, tab):
    page.goto(f"{live.http}/#{tab}")
    page.get_by_role("heading", level=1).wait_for()
    if tab == "draw":
        wait_for_drawing(page)
    page.get_by_text("Connected").wait_for()
    in_both_themes(page)


def test_axe_finds_nothing_in_the_dialog_and_the_notice(page, live):
    page.goto(f"{live.http}/#draw?n=1")
    wait_for_drawing(page)
    page.get_by_role("button", name="API key").click()
    page.get_by_role("dialog").wait_for()
    in_both_themes(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("status").filter(has_text="link").wait_for()
    in_both_themes(page)


@pytest.mark.parametrize("tab", ["draw", "server"])
def test_a_small_phone_has_room_for_it(page, live, tab):
    page.set_viewport_size(NARROW)
    page.goto(f"{live.http}/#{tab}")
    page.get_by_role("heading", level=1).wait_for()
    if tab == "draw":
        wait_for_drawing(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW["width"], "nothing scrolls sideways but what is meant to"
    assert accessibility_faults(page) == []


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, NARROW])
def test_nothing_jumps(page, live, size):
    page.emulate_media(reduced_motion="no-preference")
    page.set_viewport_size(size)
    watch_layout(page)
    page.goto(f"{live.http}/#draw?model=gran5-mnist&n=6&steps=5")
    wait_for_drawing(page)
    page.wait_for_timeout(200)
    shifts = layout_shifts(page)
    assert sum(shift["value"] for shift in shifts) < 0.01, shifts


def test_the_theme_is_kept(page, live):
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(live.http)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    wait_for_drawing(page)
    light = page.evaluate(ground)
    button = page.get_by_role("button", name="Theme")
    for name in ("light", "dark"):
        button.click()
        assert name in button.get_attribute("aria-label")
    page.wait_for_function(f"light => {ground} !== light", arg=light)
    dark = page.evaluate(ground)
    page.reload()
    assert page.evaluate(ground) == dark, "before anything else is loaded"
    wait_for_drawing(page)
    button.click()
    assert "system" in button.get_attribute("aria-label")
    page.wait_for_function(f"light => {ground} === light", arg=light)


def test_the_tabs_are_links(page, live):
    page.goto(live.http)
    page.get_by_role("link", name="Server").click()
    page.get_by_role("heading", name="Server").wait_for()
    assert page.get_by_role("link", name="Server").get_attribute("aria-current") == "page"
    assert page.title() == "Server · Pentimento studio"
    page.go_back()
    page.get_by_role("heading", name="Draw").wait_for()


def test_a_server_without_a_model_says_so(page, tmp_path):
    (tmp_path / "broken").mkdir()
    server = LiveServer(tmp_path)
    try:
        page.goto(f"{server.http}/#draw")
        page.get_by_role("heading", name="No model here draws").wait_for()
        assert page.get_by_role("button", name="Draw", exact=True).is_disabled()
        page.goto(f"{server.http}/#server")
        page.get_by_role("region", name="Not served").get_by_text("broken", exact=True).wait_for()
        assert accessibility_faults(page) == []
    finally:
        server.close()


def test_leaving_a_tab_ends_its_drawing(page, live):
    page.goto(f"{live.http}/#server")
    page.get_by_role("button", name="Keep sending").click()
    page.wait_for_function("() => document.querySelectorAll('.burst canvas').length === 16")
    page.get_by_role("link", name="Draw").click()
    wait_for_drawing(page)
    page.wait_for_timeout(300)
    assert live.rows == 0


class Restartable:
    """A server that comes back at the same port."""

    def __init__(self, zoo, port, **settings) -> None:
        self._start = lambda: LiveServer(zoo, http_port=port, drain_grace_s=0.2, **settings)
        self.server = self._start()

    def stop(self) -> None:
        self.server.close()

    def start(self) -> None:
        self.server = self._start()


@pytest.fixture
def restartable(zoo):
    server = Restartable(zoo, free_port())
    yield server
    server.stop()


def test_a_server_that_restarts_is_found_again(page, restartable):
    page.complaints.allowed = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE", "503")
    page.goto(f"{restartable.server.http}/#draw?model=gran5-mnist&n=2&seed=1")
    wait_for_drawing(page)
    restartable.stop()
    page.get_by_role("button", name="Draw").click()
    page.get_by_role("alert").filter(has_text="The server does not answer").wait_for()
    assert page.locator(".connection").get_attribute("data-state") in ("offline", "draining")
    assert accessibility_faults(page) == []
    restartable.start()
    page.get_by_role("status").filter(has_text="The server is back").wait_for()
    assert page.locator(".connection").get_attribute("data-state") == "online"
    page.get_by_role("button", name="Draw").click()
    wait_for_drawing(page)


def test_a_page_that_is_opened_too_early_waits(page, restartable):
    page.complaints.allowed = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_FAILED", "503")
    page.route("**/models", lambda route: route.abort())  # as if the server went away after it gave the page
    page.goto(restartable.server.http)
    page.get_by_role("alert").filter(has_text="The server does not answer").wait_for()
    restartable.stop()
    page.wait_for_function("() => document.querySelector('.connection').dataset.state === 'offline'")
    page.unroute("**/models")
    restartable.start()
    wait_for_drawing(page)


def test_a_slow_network(page, live):
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 200, "downloadThroughput": 60_000, "uploadThroughput": 30_000}
    session.send("Network.emulateNetworkConditions", slow)
    watch_layout(page)
    page.set_default_timeout(30_000)
    page.goto(f"{live.http}/#draw?model=gran5-mnist&n=4&steps=5&seed=3")
    wait_for_drawing(page)
    assert page.get_by_text("Step 5 of 5").is_visible()
    shifts = layout_shifts(page)
    assert sum(shift["value"] for shift in shifts) < 0.05, shifts


def test_a_key_is_asked_for_and_kept(page, zoo):
    page.complaints.allowed = ("status of 401",)
    server = LiveServer(zoo, api_keys=KEY)
    try:
        page.goto(f"{server.http}/#draw?n=2")
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("This server wants an API key.").wait_for()
        dialog.get_by_label("Key").fill("x" * 20)
        page.keyboard.press("Enter")
        dialog.get_by_text("The server does not know this key.").wait_for()
        dialog.get_by_label("Key").fill(KEY)
        dialog.get_by_role("button", name="Use this key").click()
        wait_for_drawing(page)
        page.reload()
        wait_for_drawing(page)
        assert page.evaluate("sessionStorage.getItem('pentimento.api-key')") == KEY
        assert page.evaluate("Object.keys(localStorage)") == [], "it outlives no tab"
        page.get_by_role("link", name="Server").click()
        page.get_by_role("img", name=re.compile("in the last")).first.wait_for()
        page.get_by_role("button", name="API key").click()
        dialog.get_by_role("button", name="Forget it").click()
        dialog.get_by_text("This server wants an API key.").wait_for()
    finally:
        server.close()
