"""Nothing is stale and nothing lost: settings that change, links that ask too much, drawings that were."""

import re

import numpy as np
import pytest

from tests.studio.asks import COLOURS, accessibility_faults
from tests.studio.test_draw import GRID, drawn_canvases, open_draw, shown, wait_for_drawing

SHELF = ".shelf-kept .shelf-link"


def wanted(live, **query):
    return drawn_canvases(live, **query)[:, -1]


def test_a_changed_setting_draws_from_the_same_seed(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=3&seed=5")
    page.get_by_role("button", name="Keep this seed").click()  # unlocked: Draw would take a new one
    page.get_by_label("Canvases").fill("3")
    page.wait_for_url(re.compile("n=3"))
    wait_for_drawing(page)
    assert np.array_equal(shown(page), wanted(live, model="gran5-mnist", n=3, steps=3, seed=5))
    page.get_by_label("Model", exact=True).select_option("gran3-mnist")
    page.get_by_role("heading", name="gran3-mnist, seed 5", exact=True).wait_for()
    wait_for_drawing(page)
    assert np.array_equal(shown(page), wanted(live, model="gran3-mnist", n=3, steps=3, seed=5))


def test_a_picture_of_other_settings_says_so(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=3&seed=5")
    page.complaints.allowed = ("ERR_FAILED",)
    page.route("**/generate*", lambda route: route.abort())
    page.get_by_label("Canvases").fill("3")
    page.get_by_text("of other settings than those chosen now").wait_for()
    assert len(shown(page)) == 2
    page.unroute("**/generate*")
    page.get_by_role("button", name="Try again").first.click()
    page.wait_for_url(re.compile("n=3"))
    wait_for_drawing(page)
    assert page.get_by_text("of other settings than").count() == 0


def test_back_and_forward_draw_what_was(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=3&seed=5")
    for seed in ("6", "7"):
        field = page.get_by_label("Seed", exact=True)
        field.fill(seed)
        field.press("Enter")
        page.wait_for_url(re.compile(f"seed={seed}"))
        wait_for_drawing(page)
    for turn, seed in (("back", 6), ("back", 5), ("forward", 6)):
        page.go_back() if turn == "back" else page.go_forward()
        page.get_by_role("heading", name=f"gran5-mnist, seed {seed}", exact=True).wait_for()
        wait_for_drawing(page)
        assert np.array_equal(shown(page), wanted(live, model="gran5-mnist", n=2, steps=3, seed=seed))
        assert page.get_by_label("Seed", exact=True).input_value() == str(seed)
    assert page.locator(SHELF).count() == 3, "each of them once"


def test_drawings_of_the_session_are_kept_and_drawn_again(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=3&seed=5")
    page.locator(SHELF).first.wait_for()
    page.get_by_label("Model", exact=True).select_option("wgan-gp-cifar10")
    page.get_by_role("heading", name="wgan-gp-cifar10, seed 5", exact=True).wait_for()
    wait_for_drawing(page)
    page.wait_for_function(f"() => document.querySelectorAll('{SHELF}').length === 2")
    names = page.locator(f"{SHELF} img").evaluate_all("all => all.map(one => [one.alt, one.naturalWidth])")
    assert names == [["wgan-gp-cifar10, seed 5", 32], ["gran5-mnist, seed 5", 28]], "the latest first"
    page.reload()
    wait_for_drawing(page)
    old = page.get_by_role("link", name="gran5-mnist, seed 5")
    old.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="gran5-mnist, seed 5", exact=True).wait_for()
    wait_for_drawing(page)
    assert np.array_equal(shown(page), wanted(live, model="gran5-mnist", n=2, steps=3, seed=5))
    assert old.get_attribute("aria-current") == "true"
    assert page.locator(SHELF).count() == 2


def test_favourites_outlast_the_window(page, context, live):
    open_draw(page, live, "?model=gran5-mnist&n=5&steps=3&seed=5")
    star = page.get_by_role("button", name="Keep gran5-mnist, seed 5 as a favourite")
    star.focus()
    page.keyboard.press("Enter")
    assert star.first.get_attribute("aria-pressed") == "true"
    other = context.new_page()  # a window of its own: no session, but the same browser
    open_draw(other, live, "?model=gran3-mnist&n=1&steps=1&seed=1")
    favourites = other.locator(".shelf-room:not(.shelf-kept) .shelf-link")
    assert favourites.count() == 1
    size = favourites.locator("img").evaluate("one => [one.naturalWidth, one.naturalHeight]")
    assert size == [56, 56], "four canvases"
    other.get_by_role("button", name="Keep gran5-mnist, seed 5").click()
    assert other.get_by_role("heading", name="Favourites").is_hidden()


def test_what_was_not_kept_by_this_page_is_left_out(page, live):
    page.add_init_script(
        """sessionStorage.setItem("pentimento.drawings", JSON.stringify([
            { address: "javascript:alert(1)", title: "x", picture: "data:image/png;base64,AA==" },
            { address: "#draw?seed=1", title: 3 }, null]));
        localStorage.setItem("pentimento.favourites", "{");"""
    )
    open_draw(page, live, "?model=gran5-mnist&n=1&steps=1&seed=5")
    page.locator(SHELF).first.wait_for()
    assert page.locator(SHELF).count() == 1


CHANGED = (
    ("model=nope", "Nope is not served here: this is gran5-mnist."),
    ("n=99", "N was “99”, and this page draws 1 to 24 canvases: it is 24."),
    ("n=-1", "N was “-1”, and this page draws 1 to 24 canvases: it is 1."),
    ("steps=many", "Steps was “many”, and gran5-mnist shows 1 to 16: it is 5."),
    ("steps=17", "Steps was “17”, and gran5-mnist shows 1 to 16: it is 16."),
    ("label=3", "Label was “3”, and gran5-mnist cannot be asked for a class: it is left out."),
    (
        "model=acgan-mnist&label=ten",
        "Label was “ten”, and acgan-mnist has the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9: "
        "it draws one after another.",
    ),
    ("judge=wgan-gp-cifar10", "which judges pictures of another size than gran5-mnist's: it is gran5-mnist."),
    ("judge=vae-mnist", "Judge was “vae-mnist”, which cannot judge these: it is gran5-mnist."),
    ("tilt=2", "Tilt is nothing that gran5-mnist can be asked for: it is left out."),
    ("model=draw-mnist&sharpness=", "Sharpness is nothing that draw-mnist can be asked for: it is left out."),
)


def test_a_link_says_what_it_could_not_have(page, live):
    for query, sentence in CHANGED:
        page.goto(f"{live.http}/#draw?{'' if 'model=' in query else 'model=gran5-mnist&'}{query}&seed=4")
        note = page.get_by_role("region", name="What the link could not have")
        note.get_by_text(sentence).wait_for()
        assert note.get_by_role("listitem").count() == 1, query


@pytest.mark.parametrize("seed", ["-4", "99999999999999999999", "9007199254740993", "ten", ""])
def test_an_invented_seed_is_not_kept(page, live, seed):
    page.goto(f"{live.http}/#draw?model=gran5-mnist&n=1&steps=1&seed={seed}")
    wait_for_drawing(page)
    page.get_by_text("this one is new, and not kept").wait_for()
    assert page.get_by_role("button", name="Keep this seed").get_attribute("aria-pressed") == "false"
    page.get_by_role("button", name="Draw", exact=True).click()
    page.get_by_role("region", name="What the link could not have").wait_for(state="hidden")


def test_a_sound_link_says_nothing(page, live):
    open_draw(page, live, "?model=acgan-mnist&n=3&seed=9007199254740991&label=7&judge=none")
    assert page.get_by_role("region", name="What the link could not have").is_hidden()
    assert page.get_by_role("button", name="Keep this seed").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_axe_finds_nothing(page, live, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{live.http}/#draw?model=nope&n=2&steps=99&seed=no")
    wait_for_drawing(page)
    page.locator(SHELF).first.wait_for()
    page.locator(".shelf-star").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for colours in COLOURS:
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        assert accessibility_faults(page) == [], colours
    assert len(shown(page, GRID)) == 2
