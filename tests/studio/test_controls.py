"""Controls of a model in the tabs Draw and Autoencode: a slider each, which the address keeps."""

from contextlib import closing

import pytest

from pentimento.bundle.noise import draw
from tests.service.control_toys import guided, write_control_toy
from tests.service.live import LiveServer
from tests.service.toys import write_toys
from tests.studio.asks import COLOURS, accessibility_faults
from tests.studio.test_autoencode import wait_for_drawing as redrawn
from tests.studio.test_draw import shown, wait_for_drawing

GRID = ".draw-grid canvas"
REDRAWN = ".redraw-grid canvas"


@pytest.fixture(scope="module")
def guided_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controlled")
    write_control_toy(folder)
    write_toys(folder, ["toy-steps"])
    with closing(LiveServer(folder, default_model="toy-guided")) as server:
        yield server


def levels(tilt):
    """Of the finished canvases, in bytes."""
    latent = draw(4, "latent", (4,), rows=range(2))
    return guided(latent, tilt, 3)[:, -1] * 255


def test_a_slider_sets_a_control_and_the_address_keeps_it(page, guided_server):
    page.goto(f"{guided_server.http}/#draw?model=toy-guided&n=2&steps=3&seed=4&judge=none&tilt=-1.5")
    wait_for_drawing(page)
    slider = page.get_by_label("Tilt")
    assert slider.input_value() == "-1.5" and slider.get_attribute("title") == "More of it draws brighter."
    assert shown(page, GRID).mean((1, 2)) == pytest.approx(levels(-1.5), abs=1)
    for _ in range(35):
        slider.press("ArrowRight")
    assert slider.input_value() == "2"
    page.get_by_role("button", name="Draw", exact=True).click()
    page.wait_for_url("**tilt=2")
    wait_for_drawing(page)
    assert shown(page, GRID).mean((1, 2)) == pytest.approx(levels(2), abs=1)


def test_autoencode_has_them_too_and_draws_again_when_one_is_moved(page, guided_server):
    query = "model=toy-guided&samples=2&steps=3&seed=4&digit=7&tilt=2"
    page.goto(f"{guided_server.http}/#autoencode?{query}")
    redrawn(page)
    bright = shown(page, REDRAWN).mean()
    slider = page.get_by_label("Tilt")
    assert slider.input_value() == "2"
    slider.press("Home")
    page.wait_for_url("**tilt=-2**")
    redrawn(page)
    assert shown(page, REDRAWN).mean() < bright - 200, "from nearly white to nearly black"


def test_a_model_without_has_none(page, guided_server):
    page.goto(f"{guided_server.http}/#draw?model=toy-guided&n=1&seed=4")
    wait_for_drawing(page)
    page.get_by_label("Tilt").wait_for()
    page.get_by_label("Model", exact=True).select_option("toy-steps")
    assert page.get_by_label("Tilt").count() == 0
    page.get_by_label("Model", exact=True).select_option("toy-guided")
    assert page.get_by_label("Tilt").input_value() == "0.5", "the default"


@pytest.mark.parametrize("colour", COLOURS)
def test_the_sliders_can_be_used_by_everybody(page, guided_server, colour):
    page.emulate_media(color_scheme=colour)
    page.goto(f"{guided_server.http}/#draw?model=toy-guided&n=1&seed=4")
    wait_for_drawing(page)
    assert accessibility_faults(page) == []
