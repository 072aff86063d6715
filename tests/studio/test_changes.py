"""What a step did to the pixels of a canvas: the values, against some worked out by hand and by numpy."""

import io
from contextlib import closing

import numpy as np
import pytest

from tests.service.live import LiveServer
from tests.service.toys import write_toys
from tests.studio.asks import COLOURS, accessibility_faults, layout_shifts, watch_layout
from tests.studio.test_draw import drawn, drawn_canvases, open_draw


def ask(page, live, expression, *canvases):
    """A value of parts/changes.js; each canvas is a list of pixels, grey or (r, g, b)."""
    rgba = [[(*(p if isinstance(p, tuple) else (p,) * 3), 255) for p in canvas] for canvas in canvases]
    page.goto(f"{live.http}/#server")
    return page.evaluate(
        "async ([expression, canvases]) => { const m = await import('/studio/parts/changes.js');"
        "const [a, b, c] = canvases.map(one => Uint8ClampedArray.from(one.flat()));"
        "const all = [a, b, c].filter(Boolean);"
        f"const found = {expression}; return found.length === undefined ? found : [...found]; }}",
        [expression, rgba],
    )


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([0, 200, 90], [255, 50, 90], [255, -150, 0]),
        ([(10, 10, 10)], [(20, 40, 10)], [30]),  # the channel that changed most
        ([(200, 0, 0)], [(0, 90, 0)], [-200]),  # the sign of all together
        ([(100, 0, 0)], [(0, 100, 0)], [100]),  # a change of hue alone is not lost
    ],
)
def test_a_change_is_signed(page, live, before, after, found):
    assert ask(page, live, "m.change(a, b)", before, after) == found


def test_before_the_first_step_is_black(page, live):
    assert ask(page, live, "m.change(null, a)", [0, 7, 255]) == [0, 7, 255]


def test_the_balance_is_in_shares_of_a_white_canvas(page, live):
    found = ask(page, live, "m.balance(m.change(a, b))", [0, 255, 51, 3], [255, 153, 51, 3])
    assert found == {"added": 0.25, "removed": pytest.approx(0.1)}


def test_traces_fade_with_their_age(page, live):
    # The first pixel was bright two steps ago, the second one step ago, the third was dark.
    found = ask(page, live, "m.traces(all)", [200, 0, 0, 9], [0, 100, 0, 9], [0, 0, 50, 9])
    assert found == pytest.approx([200 * 0.7, 100, -50, 0])
    assert ask(page, live, "m.traces(all)", [5, 6]) == [0, 0], "nothing lies beneath the first canvas"


def test_a_pixel_has_settled_when_it_stays_near_its_last_value(page, live):
    # Never far; far at the first step; far at the second alone; moved by no more than the tolerance.
    canvases = ([100, 0, 90, 84], [101, 95, 0, 84], [100, 100, 90, 100])
    assert ask(page, live, "m.settledSteps(all)", *canvases) == [1, 2, 3, 1]
    assert ask(page, live, "m.settledSteps(all, 15)", *canvases) == [1, 2, 3, 3]
    colours = ([(0, 0, 0)], [(0, 0, 90)], [(0, 0, 90)])
    assert ask(page, live, "m.settledSteps(all)", *colours) == [2], "each channel counts"


def test_how_many_steps_a_share_takes(page, live):
    for share, step in ((0, 1), (0.25, 1), (0.5, 2), (0.75, 4), (1, 9)):
        assert ask(page, live, f"m.settledBy([9, 2, 1, 4], {share})") == step


@pytest.fixture
def looked(page, live):
    """A drawing on the page, and the server's own canvases of it: (n, steps, H, W)."""
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=5&seed=11")
    wanted = drawn_canvases(live, model="gran5-mnist", n=2, steps=5, seed=11).astype(int)
    return page, wanted


def colours(page, selector) -> np.ndarray:
    """RGB of each canvas, (n, H, W, 3)."""
    return np.array(
        page.eval_on_selector_all(
            selector,
            """canvases => canvases.map(canvas => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) =>
                    [...data.slice(4 * (y * width + x), 4 * (y * width + x) + 3)]));
            })""",
        )
    ).astype(int)


def test_a_step_shows_what_it_added_and_removed_in_two_colours(looked):
    page, wanted = looked
    page.get_by_role("radio", name="Change").check()
    slider = page.get_by_label("Step back and forth")
    for step in (5, 2):
        while slider.input_value() != str(step):
            slider.press("ArrowLeft")
        shown = colours(page, ".draw-grid canvas")
        change = wanted[:, step - 1] - wanted[:, step - 2]
        warm = shown[..., 0] - shown[..., 2]  # vermilion has more red than blue
        assert (warm[change > 8] > 0).all() and (warm[change < -8] < 0).all()
        assert (abs(warm[change == 0]) <= 1).all(), "what stayed is grey"
    white = 255 * wanted[0, 0].size
    change = wanted[0, 1] - wanted[0, 0]
    added, removed = change[change > 0].sum() / white, -change[change < 0].sum() / white
    page.get_by_text(f"Step 2 · added {100 * added:.1f} %, removed {100 * removed:.1f} %").wait_for()
    name = page.locator(".draw-grid canvas").first.get_attribute("aria-label")
    assert f"added {100 * added:.1f} %, removed {100 * removed:.1f} %" in name


def test_the_map_has_a_colour_for_each_step(looked):
    page, wanted = looked
    page.get_by_role("radio", name="Settled").check()
    far = abs(wanted - wanted[:, -1:]) > 16
    steps = 1 + np.where(far.any(1), 5 - far[:, ::-1].argmax(1), 0)  # the step after the last one that is far
    shown = colours(page, ".draw-grid canvas")
    for step in range(1, 6):
        found = shown[steps == step]
        assert not len(found) or (found == found[0]).all(), "a colour for each step"
    assert len({tuple(colour) for colour in shown.reshape(-1, 3)}) == len(np.unique(steps))
    half = int(np.sort(steps[0].ravel())[steps[0].size // 2 - 1])
    name = page.locator(".draw-grid canvas").first.get_attribute("aria-label")
    assert f"half of it settled by step {half}" in name


def test_pointing_at_a_canvas_shows_the_steps_beneath_it(looked):
    page, wanted = looked
    canvas = page.locator(".draw-grid canvas").first
    canvas.hover()
    shown = colours(page, ".draw-grid canvas")
    earlier = wanted[0, 3] - wanted[0, 4]
    blue = shown[0, ..., 2] - shown[0, ..., 0]
    assert (blue[earlier > 16] > 0).all(), "what the step before had and this one has not"
    page.mouse.move(0, 0)
    assert (colours(page, ".draw-grid canvas")[..., 0] == wanted[:, 4]).all()


def test_the_ways_to_look_have_keys(looked):
    page, _ = looked
    for radio in ("Change", "Onion skin", "Settled"):
        assert not page.get_by_role("radio", name=radio).is_checked()
    page.keyboard.press("c")
    assert page.get_by_role("radio", name="Picture").is_checked(), "keys are of the drawing alone"
    page.get_by_role("button", name="Canvas 2").focus()
    for key, radio in (("c", "Change"), ("o", "Onion skin"), ("S", "Settled"), ("s", "Picture")):
        page.keyboard.press(key)
        assert page.get_by_role("radio", name=radio).is_checked(), "a second time goes back"
    page.keyboard.press("ArrowLeft")
    assert page.get_by_label("Step back and forth").input_value() == "4"
    page.get_by_role("radio", name="Picture").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="Change").is_checked()
    assert page.get_by_label("Step back and forth").input_value() == "4"
    page.get_by_label("Seed", exact=True).focus()
    page.keyboard.press("s")
    assert page.get_by_role("radio", name="Change").is_checked(), "who types a seed does not look elsewhere"


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_axe_finds_nothing_and_nothing_jumps(page, live, width):
    page.set_viewport_size({"width": width, "height": 844})
    watch_layout(page)
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=5&seed=11")
    page.get_by_text("ten test digits").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for view in ("Change", "Onion skin", "Settled"):
        page.get_by_role("radio", name=view).check()
        for colours in COLOURS:
            page.emulate_media(color_scheme=colours, reduced_motion="reduce")
            assert accessibility_faults(page) == [], (view, colours)
    shifts = layout_shifts(page)
    assert sum(shift["value"] for shift in shifts) < 0.01, shifts


def test_one_step_has_nothing_beneath_it(page, live):
    open_draw(page, live, "?model=wgan-gp-cifar10&n=2&seed=3")
    assert page.get_by_role("radio", name="Change").is_hidden()
    assert page.get_by_role("region", name="One canvas, every step").is_hidden()


def test_each_judge_has_an_axis_of_its_own(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=3&seed=5")
    reading = page.locator(".draw-reading")
    score = page.evaluate(
        """async () => {
            const { Client } = await import('/studio/client/index.js');
            const { DIGITS } = await import('/studio/tabs/digits.js');
            const request = { model: 'gran5-mnist', images: DIGITS, fit: 'resize' };
            const { values } = await new Client(location.origin).score(request);
            return values.reduce((sum, value) => sum + value, 0) / values.length;
        }"""
    )
    reading.get_by_text(f"ten test digits, {100 * score:.0f} % on average").wait_for()
    assert "0 % (bottom) to 100 % (top)" in reading.text_content()
    dashed = page.locator(".draw-grid .curve-real").evaluate_all(
        "all => all.map(one => one.getAttribute('d'))"
    )
    height = 32 - 4 - score * (32 - 8)  # between the edges of the curve's own 32 units
    assert [float(path[3:].split("H")[0]) for path in dashed] == [pytest.approx(height, abs=0.01)] * 2
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=3&seed=5&judge=acgan-mnist")
    page.get_by_text("critic says").first.wait_for()
    assert "%" not in reading.text_content(), "a critic has a scale of its own"


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    write_toys(folder, ["toy-color", "toy-rows"])
    with closing(LiveServer(folder, default_model="toy-color", calibrate=False)) as server:
        yield server


@pytest.mark.parametrize(("model", "steps"), [("toy-color", 4), ("toy-rows", 3)])
def test_any_bundle_can_be_looked_at(page, toys, model, steps):
    """Colour that is not square, and rows: whatever canvases come."""
    query = {"model": model, "n": 2, "steps": steps, "seed": 3}
    open_draw(page, toys, "?" + "&".join(f"{name}={value}" for name, value in query.items()))
    floats = np.load(io.BytesIO(drawn(toys, "application/x-npy", **query)))
    wanted = np.moveaxis(np.floor(floats * 255 + 0.5).astype(int), 2, -1)  # (n, steps, H, W, C)
    difference = wanted[:, -1] - wanted[:, -2]
    change = abs(difference).max(-1) * np.where(difference.sum(-1) < 0, -1, 1)
    page.get_by_role("radio", name="Change").check()
    shown = colours(page, ".draw-grid canvas")
    assert shown.shape == (*change.shape, 3)
    warm = shown[..., 0] - shown[..., 2]
    assert (warm[change > 8] > 0).all() and (warm[change < -8] < 0).all()
    page.get_by_role("radio", name="Settled").check()
    far = (abs(wanted - wanted[:, -1:]) > 16).any(-1)
    settled = 1 + np.where(far.any(1), steps - far[:, ::-1].argmax(1), 0)
    shown = colours(page, ".draw-grid canvas")
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == len(np.unique(settled))
    page.get_by_role("radio", name="Onion skin").check()
    assert colours(page, ".opened-large canvas").shape[1:3] == change.shape[1:]
