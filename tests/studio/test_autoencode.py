"""The Autoencode tab: what is drawn reaches the model, and the canvases are what the server answers."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.studio.asks import (
    COLOURS,
    NARROW,
    accessibility_faults,
    canvas_sums,
    layout_shifts,
    watch_layout,
)
from tests.studio.test_draw import shown

GRID = ".redraw-grid canvas"
GIVEN = ".redraw-given canvas"


def open_tab(page, live, query=""):
    page.goto(f"{live.http}/#autoencode{query}")
    wait_for_drawing(page)


def wait_for_drawing(page):
    """Until the page says it, which it does last: how likely the picture is may come after the drawing."""
    page.wait_for_function("() => / made \\d+ drawing/.test(document.getElementById('said').textContent)")
    page.locator(".redraw-facts", has_text=re.compile(r"^\d+ drawings? in \d+ ms$")).wait_for()


def again(page, act):
    """Does something, and waits until the model has drawn once more."""
    page.evaluate("document.getElementById('said').textContent = ''")
    act()
    wait_for_drawing(page)


def draw_a_stroke(page, *points):
    """With the mouse, from point to point in parts of the pad."""
    box = page.locator(".pad").bounding_box()
    for index, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if index == 0:
            page.mouse.down()
    page.mouse.up()


def seven(page):
    draw_a_stroke(page, (0.1, 0.1), (0.4, 0.1), (0.25, 0.5))


def given_file(page) -> bytes:
    """The picture that the address has, as a file."""
    text = re.search("picture=([^&]+)", page.url)[1]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def asked(live, path, picture, **query):
    files = {"image": ("image", picture, "image/png")}
    with live.client() as client:
        response = client.post(path, params=query | {"fit": "resize"}, files=files)
    assert response.status_code == 200, response.text
    return response


def test_a_drawn_digit_is_drawn_again_as_the_server_does(page, live):
    open_tab(page, live, "?model=pixelvae2d-mnist&samples=3&steps=4&seed=5")
    again(page, lambda: seven(page))
    picture = given_file(page)
    query = {"model": "pixelvae2d-mnist", "samples": 3, "seed": 5, "steps": 4}
    with live.client() as client:
        answer = client.post(
            "/autoencode",
            params=query | {"fit": "resize"},
            files={"image": ("image", picture, "image/png")},
            headers={"Accept": "application/x-npy"},
        )
    canvases = np.floor(np.load(io.BytesIO(answer.content))[:, :, 0] * 255 + 0.5).astype(np.uint8)
    slider = page.get_by_label("Step back and forth")
    for step in (4, 3, 2, 1):
        assert np.array_equal(shown(page, GRID), canvases[:, step - 1]), f"step {step}"
        slider.press("ArrowLeft")
    likely = asked(
        live, "/likelihood", picture, model="pixelvae2d-mnist", seed=5, importance_samples=16
    ).json()
    panel = page.get_by_role("region", name="How likely it is")
    assert panel.get_by_text(f"at least −{-likely['likelihoods'][0]['nats']:.1f} nats").is_visible()
    assert panel.get_by_text(f"at most {likely['likelihoods'][0]['bits_per_dim']:.3f}").is_visible()
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(likely["inputs"][0]))))
    assert np.array_equal(shown(page, GIVEN)[0], seen), "binarised, as the model sees it"


def test_strokes_are_sized_and_centred_as_the_data_are(page, live):
    open_tab(page, live, "?model=vae-mnist&samples=1&seed=5")
    again(page, lambda: seven(page))
    fitted = np.asarray(Image.open(io.BytesIO(given_file(page))).convert("L"), dtype=float)
    rows, columns = np.flatnonzero(fitted.max(1) > 127), np.flatnonzero(fitted.max(0) > 127)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
    middle = (fitted * np.arange(28)).sum() / fitted.sum(), (fitted.T * np.arange(28)).sum() / fitted.sum()
    assert middle == pytest.approx((13.5, 13.5), abs=0.3)
    again(page, lambda: page.get_by_label("Size and centre").uncheck())
    raw = np.asarray(Image.open(io.BytesIO(given_file(page))).convert("L"))
    assert not raw[:, 14:].any(), "as it was drawn: at the left"


def test_undo_and_clear(page, live):
    open_tab(page, live, "?model=vae-mnist&samples=2&seed=5&digit=7")
    digit = shown(page, GIVEN)
    undo, clear = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Clear")
    again(page, lambda: seven(page))
    page.get_by_role("img", name="Drawing pad, with 1 stroke").wait_for()
    again(page, lambda: draw_a_stroke(page, (0.2, 0.3), (0.5, 0.3)))
    page.get_by_role("img", name="Drawing pad, with 2 strokes").wait_for()
    again(page, undo.click)
    page.get_by_role("img", name="Drawing pad, with 1 stroke").wait_for()
    clear.click()
    page.get_by_text("Draw a digit, or choose one.").wait_for()
    assert canvas_sums(page, f"{GRID}, {GIVEN}, .pad") == [0] * 4
    assert clear.is_disabled()
    again(page, lambda: page.keyboard.press("Control+z"))
    again(page, undo.click)
    assert np.array_equal(shown(page, GIVEN), digit)
    assert page.get_by_role("button", name="Digit 7").get_attribute("aria-pressed") == "true"


def test_a_finger_draws_and_does_not_scroll(page, live):
    page.set_viewport_size(NARROW)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    open_tab(page, live, "?model=vae-mnist&samples=1&seed=5")
    box = page.locator(".pad").bounding_box()
    x, top = box["x"] + box["width"] / 2, page.evaluate("scrollY")

    def swipe():
        for kind, part in (("touchStart", 0.8), ("touchMove", 0.5), ("touchMove", 0.2), ("touchEnd", None)):
            points = [] if part is None else [{"x": x, "y": box["y"] + part * box["height"]}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    again(page, swipe)
    assert page.evaluate("scrollY") == top
    ink = np.asarray(Image.open(io.BytesIO(given_file(page))).convert("L"))
    assert np.ptp(np.flatnonzero(ink.max(1))) >= 18, "an upright stroke"
    assert np.ptp(np.flatnonzero(ink.max(0))) <= 4


def test_a_digit_is_chosen_by_keyboard_and_the_address_shows_it_again(page, context, live):
    open_tab(page, live, "?model=vae-mnist&samples=4")
    again(page, lambda: page.get_by_role("button", name="Digit 8").press("Enter"))
    assert "digit=8" in page.url
    other = context.new_page()
    other.goto(page.url)
    wait_for_drawing(other)
    assert np.array_equal(shown(other, GRID), shown(page, GRID))
    other.close()  # a hidden page moves no mouse
    again(page, lambda: seven(page))
    other = context.new_page()
    other.goto(page.url)
    wait_for_drawing(other)
    assert np.array_equal(shown(other, GRID), shown(page, GRID)), "a drawn picture is in the address"


def test_files_are_taken_and_what_is_none_is_refused_in_words(page, live, tmp_path):
    open_tab(page, live, "?model=vae-mnist&samples=1&seed=1")
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    )
    page.get_by_text("notes.txt is no picture that this browser can read.").wait_for()
    photo = Image.new("RGB", (90, 60), "white")
    photo.paste("black", (40, 10, 50, 50))
    photo.save(tmp_path / "one.jpg")
    again(page, lambda: page.locator("input[type=file]").set_input_files(tmp_path / "one.jpg"))
    light = canvas_sums(page, GIVEN)[0]
    again(page, lambda: page.get_by_role("button", name="Invert").click())
    dark = canvas_sums(page, GIVEN)[0]
    assert light + dark == pytest.approx(28 * 28 * 3 * 255, rel=0.03)
    assert dark < light
    transfer = page.evaluate_handle(
        """async bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "one.jpg", { type: "image/jpeg" }));
            return transfer;
        }""",
        list((tmp_path / "one.jpg").read_bytes()),
    )
    again(page, lambda: page.dispatch_event(".pad", "drop", {"dataTransfer": transfer}))
    assert canvas_sums(page, GIVEN)[0] == pytest.approx(light, rel=0.01)


def test_a_model_without_an_encoder_goes_on_from_the_upper_half(page, live):
    open_tab(page, live, "?model=pixelvae2d-mnist&samples=3&seed=2&digit=3")
    page.get_by_text("pixelcnn-mnist cannot draw a picture again, for want of an encoder").wait_for()
    names = page.get_by_label("Model", exact=True).locator("option").all_text_contents()
    with live.client() as client:
        models = client.get("/models").json()["models"]
    others = [model["name"] for model in models if not {"autoencode", "complete"} & set(model["operations"])]
    assert not set(names) & set(others)
    assert set(names) | set(others) == {model["name"] for model in models}
    words = page.locator(".redraw-more .hint").first.text_content()
    assert all(name in words for name in others), "what is not offered is named"
    again(page, lambda: page.get_by_label("Model", exact=True).select_option("pixelcnn-mnist"))
    given, completions = shown(page, GIVEN)[0], shown(page, GRID)
    assert not given[14:].any(), "the lower half is not given"
    assert all(np.array_equal(completion[:14], given[:14]) for completion in completions)
    assert len({completion.tobytes() for completion in completions}) == 3
    assert re.search(r"^−\d+\.\d nats$", page.locator(".likelihood dd").first.text_content()), "exact"
    assert (
        page.locator(".likelihood dd").nth(2).text_content()
        == page.locator(".likelihood dd").first.text_content()
    )


def test_the_map_says_which_pixels_surprise(page, live):
    open_tab(page, live, "?model=pixelcnn-mnist&samples=1&seed=2&digit=7")
    picture = page.evaluate(
        """async () => {
            const { DIGITS } = await import("./studio/tabs/digits.js");
            return [...new Uint8Array(await DIGITS[7].arrayBuffer())];
        }"""
    )
    answer = asked(live, "/likelihood", bytes(picture), model="pixelcnn-mnist", seed=2, pixels="true").json()
    nats = np.array(answer["pixels"][0][0])
    row, column = np.unravel_index(nats.argmin(), nats.shape)
    words = f"row {row + 1}, column {column + 1}, −{-nats.min():.2f} nats"
    assert page.get_by_text(f"The greatest surprise: {words}.").is_visible()
    page.locator(".likelihood-map canvas").hover(position={"x": 2, "y": 2})
    page.get_by_text(re.compile(f"^row 1, column 1, −?{abs(nats[0, 0]):.2f} nats")).wait_for()
    bright = shown(page, ".likelihood-map canvas")[0]
    assert np.unravel_index(bright.argmax(), bright.shape) == (row, column)


def test_a_failure_is_said_with_a_way_out(page, live):
    page.complaints.allowed = ("ERR_FAILED", "status of 503")
    open_tab(page, live, "?model=vae-mnist&samples=1")
    facts, before = page.locator(".redraw-facts").text_content(), canvas_sums(page, GRID)
    busy = {"title": "busy", "status": 503, "detail": "too many drawings", "code": "OVERLOADED"}
    page.route("**/autoencode?*", lambda route: route.fulfill(status=503, body=json.dumps(busy)))
    page.get_by_role("button", name="Draw it again").click()
    page.get_by_role("alert").filter(has_text="The server is busy").wait_for()
    assert page.locator(".redraw-facts").text_content() == facts, "what was drawn before stays"
    assert canvas_sums(page, GRID) == before
    page.unroute("**/autoencode?*")
    again(page, lambda: page.get_by_role("button", name="Try again").click())


def test_axe_finds_nothing_and_a_small_phone_has_room(page, live):
    page.set_viewport_size(NARROW)
    watch_layout(page)
    open_tab(page, live, "?model=vae-mnist&samples=8")
    page.wait_for_timeout(200)
    shifts = layout_shifts(page)
    assert sum(shift["value"] for shift in shifts) < 0.01, shifts
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    for colours in COLOURS:
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        assert accessibility_faults(page) == [], colours
