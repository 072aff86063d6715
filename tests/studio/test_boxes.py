"""Attention boxes in the studio: over each canvas, as the server sent them, and away when not wanted."""

import json

import pytest

from tests.studio.asks import COLOURS, accessibility_faults
from tests.studio.test_autoencode import open_tab
from tests.studio.test_draw import wait_for_drawing

OVERLAYS = ".draw-grid .boxes"


def rects(page, selector=OVERLAYS):
    """x, y, width and height of the boxes of each overlay, as the page has them."""
    return page.eval_on_selector_all(
        selector,
        """overlays => overlays.map(overlay => [...overlay.querySelectorAll("rect")].map(rect =>
            ["x", "y", "width", "height"].map(name => Number(rect.getAttribute(name)))))""",
    )


def clipped(box, points, side=28):
    x, y, stride, _ = box
    half = stride * (points - 1) / 2
    left, right, top, bottom = (
        min(max(value, -0.5), side - 0.5) for value in (x - half, x + half, y - half, y + half)
    )
    return [left, top, right - left, bottom - top]


def test_each_step_shows_the_boxes_that_the_server_sent(page, live):
    page.goto(f"{live.http}/#draw?model=draw-mnist&n=2&seed=4&steps=8&judge=none")
    wait_for_drawing(page)
    with live.client() as client:
        body = client.post("/generate?model=draw-mnist&n=2&seed=4&steps=8").json()
        kinds = client.get("/models/draw-mnist").json()["outputs"]
    slider = page.get_by_label("Step back and forth")
    for frame in (body["frames"][7], body["frames"][6]):
        for index, shown in enumerate(rects(page)):
            expected = [clipped(frame["outputs"][kind["name"]][index], kind["points"]) for kind in kinds]
            assert shown == [pytest.approx(box, abs=1e-4) for box in expected], json.dumps(frame["step"])
        slider.press("ArrowLeft")
    canvas = page.locator(".draw-grid canvas").first
    assert "where it writes: " in canvas.get_attribute("aria-label")


def test_boxes_can_be_hidden_and_other_models_have_none(page, live):
    page.goto(f"{live.http}/#draw?model=draw-mnist&n=2&seed=4")
    wait_for_drawing(page)
    page.get_by_text("where it looks", exact=True).wait_for()
    page.get_by_label("Attention boxes").uncheck()
    assert page.locator(OVERLAYS).first.is_hidden()
    page.get_by_label("Attention boxes").check()
    assert page.locator(OVERLAYS).first.is_visible()
    page.get_by_label("Model", exact=True).select_option("gran5-mnist")
    page.get_by_role("button", name="Draw", exact=True).click()
    page.get_by_text("gran5-mnist, seed").wait_for()
    wait_for_drawing(page)
    assert page.locator(OVERLAYS).count() == 0 and page.get_by_label("Attention boxes").is_hidden()


def test_a_redrawn_picture_has_them_too(page, live):
    open_tab(page, live, "?model=draw-mnist&samples=3&seed=5&digit=7")
    assert len(rects(page, ".redraw-grid .boxes")) == 3
    page.get_by_label("Attention boxes").uncheck()
    assert page.locator(".redraw-grid .boxes").first.is_hidden()


@pytest.mark.parametrize("colour", COLOURS)
def test_axe_finds_nothing(page, live, colour):
    page.emulate_media(color_scheme=colour)
    page.goto(f"{live.http}/#draw?model=draw-mnist&n=2&seed=4")
    wait_for_drawing(page)
    assert accessibility_faults(page) == []
