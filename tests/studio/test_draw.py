"""The Draw tab, used for real: what is on the canvases is what the server draws."""

import io
import json
import re

import numpy as np
import pytest

from tests.studio.asks import canvas_sums

GRID = ".draw-grid canvas"
DONE = re.compile(r"^\d+ canvas(es)? in [\d.]+ ms")


def open_draw(page, live, query=""):
    page.goto(f"{live.http}/#draw{query}")
    wait_for_drawing(page)


def wait_for_drawing(page):
    page.get_by_text(DONE).wait_for()


def shown(page, selector=GRID) -> np.ndarray:
    """The red values of each canvas, (n, H, W)."""
    return np.array(
        page.eval_on_selector_all(
            selector,
            """canvases => canvases.map(canvas => {
                const { width, height } = canvas;
                const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
                return Array.from({ length: height }, (_, y) =>
                    Array.from({ length: width }, (_, x) => data[4 * (y * width + x)]));
            })""",
        ),
        dtype=np.uint8,
    )


def drawn(live, accept, **query) -> bytes:
    with live.client() as client:
        response = client.post("/generate", params=query, headers={"Accept": accept})
        assert response.status_code == 200
        return response.content


def drawn_canvases(live, **query) -> np.ndarray:
    """What the server draws for the same request, as bytes: (n, steps, H, W) of the first channel."""
    canvases = np.load(io.BytesIO(drawn(live, "application/x-npy", **query)))
    return np.floor(canvases[:, :, 0] * 255 + 0.5).astype(np.uint8)


def test_every_step_of_every_canvas_is_the_servers_own(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=6&steps=5&seed=11")
    wanted = drawn_canvases(live, model="gran5-mnist", n=6, steps=5, seed=11)
    slider = page.get_by_label("Step back and forth")
    assert slider.input_value() == "5"
    for step in (5, 4, 3, 2, 1):
        assert np.array_equal(shown(page), wanted[:, step - 1]), f"step {step}"
        slider.press("ArrowLeft")
    steps = shown(page, ".opened-steps canvas")
    assert np.array_equal(steps, wanted[0]), "the first canvas is opened, step by step"


def test_scores_are_shown_under_the_canvases(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=4&steps=5&seed=11")
    lines = drawn(
        live, "application/x-ndjson", model="gran5-mnist", n=4, steps=5, seed=11, score="true"
    ).splitlines()
    frames = [json.loads(line) for line in lines[:-1]]
    words = [f"{100 * score['probability']:.0f} % real" for score in frames[-1]["scores"]]
    assert page.locator(".draw-score").all_text_contents() == words
    page.get_by_label("Step back and forth").press("Home")
    words = [f"{100 * score['probability']:.0f} % real" for score in frames[0]["scores"]]
    assert page.locator(".draw-score").all_text_contents() == words
    curves = page.locator(".draw-grid .curve-line").evaluate_all(
        "lines => lines.map(l => l.getAttribute('d'))"
    )
    assert all(len(re.findall("[ML]", curve)) == 5 for curve in curves), "a point a step"


def test_canvases_develop_one_step_after_another(page, live):
    page.emulate_media(reduced_motion="no-preference")
    page.add_init_script(
        """window.steps = [];
        new MutationObserver(() => {
            const words = document.querySelector(".scrubber-words")?.textContent;
            if (words && window.steps.at(-1) !== words) window.steps.push(words);
        }).observe(document, { subtree: true, childList: true, characterData: true });"""
    )
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=5&seed=1")
    seen = page.evaluate("window.steps")
    assert [words for words in seen if words[5].isdigit()] == [f"Step {step} of 5" for step in range(1, 6)]


def test_a_locked_seed_draws_the_same_and_an_open_one_does_not(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=3&seed=5")
    seed, lock = page.get_by_label("Seed", exact=True), page.get_by_role("button", name="Keep this seed")
    assert seed.input_value() == "5"
    assert lock.get_attribute("aria-pressed") == "true", "a seed from a link is kept"
    first = shown(page)
    page.get_by_role("button", name="Draw").click()
    wait_for_drawing(page)
    assert np.array_equal(shown(page), first)
    lock.click()
    page.get_by_role("button", name="Draw").click()
    page.wait_for_function("() => document.querySelector('.seed input').value !== '5'")
    wait_for_drawing(page)
    assert not np.array_equal(shown(page), first)


def test_the_address_draws_the_same_again(page, context, live):
    open_draw(page, live, "?model=acgan-mnist")
    page.get_by_label("Class").select_option("7")
    page.get_by_role("button", name="Draw").click()
    page.wait_for_url(re.compile("label=7"))
    wait_for_drawing(page)
    before = shown(page)
    again = context.new_page()
    again.goto(page.url)
    wait_for_drawing(again)
    assert again.get_by_label("Class").input_value() == "7"
    assert np.array_equal(shown(again), before)


def test_a_class_for_each_canvas(page, live):
    open_draw(page, live, "?model=acgan-mnist&n=10&seed=4")
    names = page.locator(GRID).evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert [re.search("asked to be (.)", name)[1] for name in names] == list("0123456789")


@pytest.mark.parametrize(
    ("model", "size"),
    [("wgan-gp-cifar10", (32, 32)), ("pixelcnn-mnist", (28, 28)), ("acgan-mnist", (28, 28))],
)
def test_models_of_every_kind(page, live, model, size):
    open_draw(page, live)
    page.get_by_label("Model", exact=True).select_option(model)
    page.get_by_role("button", name="Draw").click()
    page.get_by_role("heading", name=re.compile(f"^{model}, seed")).wait_for()
    wait_for_drawing(page)
    sizes = page.locator(GRID).evaluate_all("all => all.map(one => [one.width, one.height])")
    assert sizes == [list(size)] * 12
    assert all(canvas_sums(page, GRID)), "every canvas has something on it"
    card = page.get_by_role("region", name="About the model")
    card.get_by_role("heading", name=model).wait_for()
    assert card.get_by_role("link").get_attribute("href").startswith("https://arxiv.org/abs/")
    card.get_by_text("The whole manifest").click()
    assert json.loads(card.locator("pre").text_content())["name"] == model


def test_another_model_judges(page, live):
    open_draw(page, live, "?model=pixelcnn-mnist&n=2&seed=3&judge=gran3-mnist")
    assert page.get_by_label("Judged by").input_value() == "gran3-mnist"
    assert all("% real" in words for words in page.locator(".draw-score").all_text_contents())


def test_saved_files_are_the_same_drawing(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=3&steps=4&seed=9")
    query = {"model": "gran5-mnist", "n": 3, "steps": 4, "seed": 9}
    for name, accept, options in (
        ("PNG strip", "image/png", {"scale": 4}),
        ("GIF", "image/gif", {"scale": 4}),
        ("NPY", "application/x-npy", {}),
    ):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        assert waiting.value.suggested_filename == f"gran5-mnist-9.{name.split()[0].lower()}"
        assert waiting.value.path().read_bytes() == drawn(live, accept, **query, **options)


def test_a_wrong_seed_is_said_at_its_field(page, live):
    open_draw(page, live, "?n=2&steps=2")
    seed = page.get_by_label("Seed", exact=True)
    seed.fill("ten")
    seed.press("Enter")
    assert "whole number" in seed.evaluate("field => field.validationMessage")


def test_what_the_server_refuses_is_said_in_its_words(page, live):
    page.complaints.allowed = ("status of 422", "status of 400")
    page.goto(f"{live.http}/#draw?model=wgan-gp-cifar10&n=2&seed=1")
    wait_for_drawing(page)
    # No control asks for this, but an address can: it is left as it is, and the default takes its place.
    page.goto(f"{live.http}/#draw?model=gran5-mnist&n=2&seed=1&judge=wgan-gp-cifar10")
    wait_for_drawing(page)
    assert page.get_by_label("Judged by").input_value() == "gran5-mnist"


def test_by_keyboard_alone(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=2&steps=3&seed=2")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.labels[0].textContent") == "Model"
    page.get_by_label("Seed", exact=True).focus()
    page.keyboard.press("Enter")  # sends the form
    wait_for_drawing(page)
    page.get_by_role("button", name="Canvas 2").focus()
    page.keyboard.press("Space")
    page.get_by_role("heading", name="Canvas 2, step by step").wait_for()
    assert page.get_by_role("button", name="Canvas 2").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Play the steps").press("Enter")
    page.get_by_text("Step 1 of 3").wait_for()
    page.get_by_text("Step 3 of 3").wait_for()


def test_the_end_is_said_to_those_who_listen(page, live):
    open_draw(page, live, "?model=gran5-mnist&n=3&seed=2")
    page.wait_for_function(
        "document.getElementById('said').textContent.includes('3 canvases by gran5-mnist')"
    )
