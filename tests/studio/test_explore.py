"""The Explore tab, used for real: what it shows is what the server draws from that noise."""

import base64
import io
import re
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.noise import draw
from tests.service.live import LiveServer, wait_until
from tests.studio.asks import COLOURS, NARROW, accessibility_faults, canvas_sums, layout_shifts, watch_layout
from tests.studio.conftest import ZOO
from tests.studio.test_draw import shown

ROW = ".explore-row canvas"
LARGE = ".explore-large canvas, .explore-pointed canvas"
WAYS = {
    "between": "model=gran5-mnist&from=3&to=8",
    "pictures": "model=vae-mnist&from=2&to=7&seed=5",
    "map": "model=vae2d-mnist",
    "levels": "model=pixelvae2level-mnist&seed-latent=4&seed-map_noise=5&seed-noise=6",
    "classes": "model=acgan-mnist&seed=3",
}
ALL = {"between": 9, "pictures": 9, "map": 144, "levels": 16, "classes": 50}
DESK = {"width": 1280, "height": 900}
ROUNDING = 1  # of 255: the last bit of a logarithm in the browser may not be numpy's


def open_way(page, live, way, query=None):
    page.goto(f"{live.http}/#explore?way={way}&{WAYS[way] if query is None else query}")
    wait_for_pictures(page, way)


def wait_for_pictures(page, way):
    page.get_by_text(re.compile(rf"^{ALL[way]} pictures, here after \d+ ms$")).wait_for()


def drawn(live, **body) -> np.ndarray:
    """The last canvases of what the server draws, as bytes: (n, H, W) of the first channel."""
    with live.client() as client:
        response = client.post("/generate", json=body, headers={"Accept": "application/x-npy"})
    assert response.status_code == 200, response.text
    return np.floor(np.load(io.BytesIO(response.content))[:, -1, 0] * 255 + 0.5).astype(np.uint8)


def same(left: np.ndarray, right: np.ndarray) -> bool:
    return left.shape == right.shape and np.abs(left.astype(int) - right).max() <= ROUNDING


def becomes(page, wanted: np.ndarray, selector=LARGE) -> None:
    """Waits until one canvas shows that, as what is pointed at is drawn without saying so."""
    assert wait_until(lambda: same(shown(page, selector)[:1], wanted[:1])), "the canvas shows something else"


def arc(seeds, shape, way) -> np.ndarray:
    """A place on the great circle between the latents of two seeds, as float32."""
    left, right = (draw(seed, "latent", shape, rows=range(1))[0].astype(np.float64) for seed in seeds)
    angle = np.arccos(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
    return (np.sin((1 - way) * angle) * left + np.sin(way * angle) * right) / np.sin(angle)


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_noise_is_made_in_the_page_as_on_the_server(page, live, prior):
    page.goto(f"{live.http}/#server")
    cases = [
        (seed, name, size, row)
        for seed in (0, 7, 2**53 - 1)
        for name in ("latent", "map_noise")
        for size in (1, 5, 128)
        for row in (0, 3)
    ]
    made = page.evaluate(
        """async ([cases, prior]) => {
            const { noiseOf } = await import(new URL("studio/tabs/explore-noise.js", location.href));
            return cases.map(([seed, name, size, row]) =>
                Array.from(noiseOf(seed, { name, shape: [size], prior }, row)));
        }""",
        [cases, prior],
    )
    for (seed, name, size, row), numbers in zip(cases, made, strict=True):
        wanted = draw(seed, name, (size,), rows=range(row, row + 1), prior=prior)[0]
        # 1e-6: a few units in the last place of float32, which a normal may be off.
        np.testing.assert_allclose(np.float32(numbers), wanted, rtol=0 if prior == "uniform" else 1e-6)


@pytest.mark.parametrize("model", ["gran5-mnist", "pixelvae2d-mnist"])
def test_the_way_begins_and_ends_with_the_pictures_of_its_seeds(page, live, model):
    open_way(page, live, "between", f"model={model}&from=3&to=8")
    row = shown(page, ROW)
    assert len(row) == 9
    assert same(row[:1], drawn(live, model=model, seed=3))
    # Noise that is not interpolated, such as that of pixels, is the first seed's all the way.
    assert same(row[8:], drawn(live, model=model, seed=3, seeds={"latent": 8}))
    assert not same(row[:1], row[8:])
    shape = (60,) if model == "gran5-mnist" else (2,)
    for place in (2, 4):
        latents = {"latent": [arc((3, 8), shape, place / 8).tolist()]}
        assert same(row[place : place + 1], drawn(live, model=model, seed=3, latents=latents))


def test_the_slider_draws_what_lies_between_the_pictures(page, live):
    open_way(page, live, "between")
    slider = page.get_by_label("Along the way")
    assert page.get_by_role("button", name="Picture 5 of 9").get_attribute("aria-pressed") == "true"
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
        slider.press(key)
    assert slider.get_attribute("aria-valuetext") == "5 % of the way from seed 3 to seed 8"
    latents = {"latent": [arc((3, 8), (60,), 3 / 64).tolist()]}
    becomes(page, drawn(live, model="gran5-mnist", latents=latents))
    page.get_by_role("button", name="Picture 9 of 9").click()
    assert slider.get_attribute("aria-valuetext") == "at seed 8"
    becomes(page, drawn(live, model="gran5-mnist", seed=8))
    page.wait_for_url(re.compile("at=64"))


def encoded(live, model, digits, seed):
    """What the server's encoder makes of digits that the page offers, by the names of the latents."""
    text = (Path(__file__).parents[2] / "clients" / "web" / "tabs" / "digits.js").read_text()
    files = [base64.b64decode(line) for line in re.findall(r'^  "([A-Za-z0-9+/=]+)",$', text, re.MULTILINE)]
    parts = [("image", (f"{digit}.png", files[digit], "image/png")) for digit in digits]
    with live.client() as client:
        answer = client.post(f"/encode?model={model}&seed={seed}&fit=resize", files=parts)
    assert answer.status_code == 200, answer.text
    return answer.json()["encoding"]


@pytest.mark.parametrize(("model", "noise"), [("vae-mnist", "latent"), ("draw-mnist", "noise")])
def test_between_two_pictures_lie_mixtures_of_their_encodings(page, live, model, noise):
    open_way(page, live, "pictures", f"model={model}&from=2&to=7&seed=5")
    row = shown(page, ROW)
    latents = np.float64(encoded(live, model, (2, 7), 5)[noise])
    assert same(row[:1], drawn(live, model=model, seed=5, latents={noise: latents[:1].tolist()}))
    assert same(row[8:], drawn(live, model=model, seed=5, latents={noise: latents[1:].tolist()}))
    left, right = (each.ravel() for each in latents)
    angle = np.arccos(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
    middle = (np.sin(angle / 2) * (left + right) / np.sin(angle)).reshape(latents[:1].shape)
    assert same(row[4:5], drawn(live, model=model, seed=5, latents={noise: middle.tolist()}))
    page.get_by_role("button", name="To digit 3").click()
    page.get_by_text(f"{model}, from the 2 to the 3").wait_for()
    page.wait_for_url(re.compile(r"from=2&to=3&seed=5"))


def test_a_file_is_an_end_of_the_way_and_one_that_is_no_picture_is_refused(page, live, tmp_path):
    open_way(page, live, "pictures")
    picture, text = tmp_path / "mine.png", tmp_path / "text.png"
    Image.fromarray(np.full((28, 28), 200, np.uint8)).save(picture)
    text.write_text("no picture")
    field = page.locator(".explore-picture input").first
    field.set_input_files(text)
    page.get_by_text("text.png is no picture that this browser can read").wait_for()
    field.set_input_files(picture)
    page.get_by_text("vae-mnist, from mine.png to the 7").wait_for()
    assert page.get_by_role("button", name="From digit 2").get_attribute("aria-pressed") == "false"


def test_locked_seeds_stay_when_others_are_thrown(page, live):
    open_way(page, live, "between")
    before = shown(page, ROW)
    page.get_by_role("button", name="Keep this from seed").click()
    page.get_by_role("button", name="Other seeds").click()
    page.wait_for_url(re.compile(r"from=3&to=(?!8&)\d+"))
    wait_for_pictures(page, "between")
    after = shown(page, ROW)
    assert same(before[:1], after[:1])
    assert not same(before[8:], after[8:])


def test_the_map_has_a_picture_for_every_place(page, live):
    open_way(page, live, "map")
    cell = page.locator(".explore-map canvas").evaluate(
        """(canvas, [row, column]) => {
            const { data } = canvas.getContext("2d").getImageData(28 * column, 28 * row, 28, 28);
            return Array.from(data).filter((_, index) => index % 4 === 0);
        }""",
        [2, 9],
    )
    place = [[1.75, 1.75]]  # the middle of that cell
    wanted = drawn(live, model="vae2d-mnist", latents={"latent": place})
    assert same(np.uint8(cell).reshape(1, 28, 28), wanted)


def test_where_one_points_the_noise_of_pixels_stays(page, live):
    open_way(page, live, "map", "model=pixelvae2d-mnist&seed=5&x=0.5&y=-1")
    at = {"model": "pixelvae2d-mnist", "latents": {"latent": [[0.5, -1]]}}
    becomes(page, drawn(live, seed=5, **at))
    page.get_by_label("Seed of the noise", exact=True).fill("6")
    page.keyboard.press("Enter")
    becomes(page, drawn(live, seed=6, **at))
    page.wait_for_url(re.compile("seed=6&x=0.50&y=-1.00"))


def test_the_map_by_keyboard_and_by_pointer(page, live):
    open_way(page, live, "map")
    at = lambda x, y: drawn(live, model="vae2d-mnist", latents={"latent": [[x, y]]})  # noqa: E731
    point = page.get_by_role("slider", name="Place on the map")
    becomes(page, at(0, 0))
    for key in ("ArrowRight", "Shift+ArrowUp"):
        point.press(key)
    assert point.get_attribute("aria-valuetext") == "0.10 across, 0.50 up"
    becomes(page, at(0.1, 0.5))
    point.press("End")
    assert point.get_attribute("aria-valuetext") == "3.00 across, 0.50 up"
    point.press("Home")
    point.press("PageDown")
    assert point.get_attribute("aria-valuetext") == "−3.00 across, 0.00 up"
    becomes(page, at(-3, 0))
    page.wait_for_url(re.compile(r"x=-3\.00&y=0\.00"))
    box = point.bounding_box()
    left_and_low = box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.75
    outside = box["x"] - 60, box["y"]
    page.mouse.move(*left_and_low)
    page.get_by_text("−1.50 across, −1.50 up").wait_for()
    becomes(page, at(-1.5, -1.5))
    page.mouse.move(*outside)
    page.get_by_text("−3.00 across, 0.00 up").wait_for()  # where it was kept
    page.mouse.click(*left_and_low)
    page.mouse.move(*outside)
    page.wait_for_url(re.compile(r"x=-1\.50&y=-1\.50"))
    becomes(page, at(-1.5, -1.5))


def test_a_quick_pointer_on_a_slow_network_has_one_request_under_way(page, live):
    page.add_init_script(
        """const real = window.fetch;
        window.net = { asked: 0, under: 0, most: 0 };
        window.fetch = async (url, init) => {
            if (!String(url).includes("generate") || !window.net.slow) return real(url, init);
            window.net.asked += 1;
            window.net.most = Math.max(window.net.most, ++window.net.under);
            await new Promise((resolve) => setTimeout(resolve, 100));
            return real(url, init).finally(() => (window.net.under -= 1));
        };"""
    )
    open_way(page, live, "map")
    page.evaluate("window.net.slow = true")
    box = page.get_by_role("slider", name="Place on the map").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3, steps=40)
    becomes(page, drawn(live, model="vae2d-mnist", latents={"latent": [[0, 1]]}))
    net = page.evaluate("window.net")
    assert net["most"] == 1
    assert 2 <= net["asked"] < 20, "places that were passed meanwhile are left out"


def test_each_level_has_a_seed_of_its_own(page, live):
    open_way(page, live, "levels")
    names = ("latent", "map_noise", "noise")
    base = dict(zip(names, (4, 5, 6), strict=True))
    rows = shown(page, ROW).reshape(3, 6, 28, 28)
    wanted = lambda **other: drawn(live, model="pixelvae2level-mnist", seeds=base | other)  # noqa: E731
    for level, name in enumerate(names):
        assert same(rows[level, :1], wanted())
        assert same(rows[level, 4:5], wanted(**{name: base[name] + 4}))
    page.get_by_role("region", name="Another map noise").get_by_role("button", name="Picture 3").click()
    page.wait_for_url(re.compile("seed-latent=4&seed-map_noise=7&seed-noise=6"))
    assert page.get_by_label("Seed of the map noise", exact=True).input_value() == "7"
    wait_for_pictures(page, "levels")
    becomes(page, wanted(map_noise=7))
    assert same(shown(page, ROW)[:1], rows[1, 2:3])


def test_the_same_noise_as_every_class(page, live):
    open_way(page, live, "classes")
    cells = shown(page, ".explore-classes canvas").reshape(5, 10, 28, 28)
    for noise, label in ((0, 0), (0, 7), (4, 2)):
        latent = draw(3, "latent", (128,), rows=range(noise, noise + 1))
        body = {"model": "acgan-mnist", "latents": {"latent": latent.tolist()}, "label": label}
        assert same(cells[noise, label][None], drawn(live, **body))
    heads = page.locator(".explore-classes th[scope=col]").all_text_contents()
    assert heads == list("0123456789")


def test_a_way_brings_the_models_that_suit_it(page, live):
    page.goto(f"{live.http}/#explore")
    wait_for_pictures(page, "between")
    page.get_by_role("radio", name="Level by level").check()
    page.get_by_role("heading", name="The levels of").wait_for()
    options = page.get_by_label("Model", exact=True).locator("option").all_text_contents()
    assert sorted(options) == ["pixelvae2d-mnist", "pixelvae2level-mnist"]
    page.get_by_role("radio", name="Every class").check()
    wait_for_pictures(page, "classes")
    assert page.get_by_label("Model", exact=True).input_value() == "acgan-mnist"
    page.get_by_role("radio", name="Between two seeds").check()
    page.get_by_label("Class", exact=True).select_option("7")
    wait_for_pictures(page, "between")
    page.wait_for_url(re.compile("model=acgan-mnist.*label=7"))
    # The address is written a moment after a change: not if it is another tab's by then.
    page.get_by_label("Along the way").press("ArrowRight")
    page.get_by_role("link", name="Server").click()
    page.get_by_role("heading", name="Server").wait_for()
    page.wait_for_timeout(400)
    assert page.url.endswith("#server")


def test_what_a_server_refuses_is_said_in_its_words(page, tmp_path):
    page.complaints.allowed = ("status of 422", "status of 400")
    shutil.copytree(ZOO / "gran5-mnist", tmp_path / "gran5-mnist")
    with closing(LiveServer(tmp_path, max_images=4)) as server:
        page.goto(f"{server.http}/#explore?{WAYS['between']}")
        alert = page.get_by_role("alert").filter(has_text="The server cannot do that")
        alert.filter(has_text="N must be 1..4").wait_for()
        page.get_by_text("Not finished").wait_for()
        ways = page.get_by_role("radio")
        assert [way.is_enabled() for way in ways.all()] == [True, False, False, False, False]


def test_what_did_not_come_comes_when_the_server_is_back(page, live):
    page.complaints.allowed = ("ERR_FAILED",)
    open_way(page, live, "between")
    page.route("**/generate*", lambda route: route.abort())
    other = page.get_by_role("button", name="Other seeds")
    other.click()
    again = page.get_by_role("alert").get_by_role("button", name="Try again")
    again.wait_for()
    page.get_by_text("Not finished").wait_for()
    page.unroute_all()
    again.click()
    wait_for_pictures(page, "between")
    for path in ("**/generate*", "**/readyz"):
        page.route(path, lambda route: route.abort())
    other.click()
    page.wait_for_function("() => document.querySelector('.connection').dataset.state === 'offline'")
    page.get_by_text("Not finished").wait_for()
    page.unroute_all()
    wait_for_pictures(page, "between")


@pytest.mark.parametrize("way", list(WAYS))
def test_it_reads_well_in_both_themes_and_on_a_phone(page, live, way):
    watch_layout(page)
    open_way(page, live, way)
    page.get_by_role("region", name="About the model").get_by_role("heading").wait_for()
    shifts = layout_shifts(page)
    assert sum(shift["value"] for shift in shifts) < 0.01, shifts
    filled = wait_until(lambda: all(canvas_sums(page, ".stage canvas")))
    assert filled, "every canvas has something on it"
    for colours, size in zip(COLOURS, (DESK, NARROW), strict=True):
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        page.set_viewport_size(size)
        assert accessibility_faults(page) == [], colours
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= NARROW["width"], "nothing scrolls sideways but what is meant to"
