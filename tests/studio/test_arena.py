"""The Arena tab: what it says of models and their judges is what the server's scores say."""

import json
import re

import numpy as np
import pytest

from tests.service.live import LiveServer
from tests.studio.asks import (
    COLOURS,
    NARROW,
    accessibility_faults,
    layout_shifts,
    watch_layout,
)
from tests.studio.test_draw import drawn_canvases, shown

PAIR = ("gran5-mnist", "acgan-mnist")
LABELS = {"gran5-mnist": {}, "acgan-mnist": {"labels": [0, 1, 2, 3, 4, 5]}}
STEPS = {"gran5-mnist": 5, "acgan-mnist": 1}


def open_tab(page, live, query=""):
    page.goto(f"{live.http}/#arena{query}")
    wait_for_verdicts(page)


def wait_for_verdicts(page):
    page.locator(".arena-facts", has_text=re.compile(r"^\d+ drawings of each, seed \d+$")).wait_for()


def judged(live, model, judge, n, seed) -> np.ndarray:
    """What a judge says of every canvas of the same drawings: (steps, n)."""
    body = {"model": model, "n": n, "seed": seed, "score_by": judge, "steps": STEPS[model]} | LABELS[model]
    with live.client() as client:
        answer = client.post("/generate", json=body, headers={"Accept": "application/x-ndjson"})
    assert answer.status_code == 200, answer.text
    frames = [json.loads(line) for line in answer.text.splitlines()][:-1]
    value = "probability" if "probability" in frames[0]["scores"][0] else "logit"
    return np.array([[score[value] for score in frame["scores"]] for frame in frames])


def text_of(judge, value) -> str:
    return f"{100 * value:.0f} %" if judge == "gran5-mnist" else f"{value:.2f}".replace("-", "−")


def spread_of(judge, values) -> str:
    mean, deviation = values.mean(), values.std(ddof=1)
    if judge == "gran5-mnist":
        return f"{100 * mean:.0f} ± {100 * deviation:.0f} %"
    return f"{mean:.2f} ± {deviation:.2f}".replace("-", "−")


def row(page, name) -> list[str]:
    table = page.locator(".arena-table")
    return table.get_by_role("row", name=re.compile(f"^{name}")).get_by_role("cell").all_text_contents()


@pytest.fixture(scope="module")
def scores(live):
    """By drawer and judge."""
    return {(drawer, judge): judged(live, drawer, judge, 6, 4) for drawer in PAIR for judge in PAIR}


def test_each_judges_the_others_canvases_step_by_step(page, live, scores):
    open_tab(page, live, "?a=gran5-mnist&b=acgan-mnist&n=6&seed=4")
    sides = page.locator(".arena-side")
    slider = page.get_by_label("Step back and forth")
    wanted = drawn_canvases(live, model="gran5-mnist", n=6, steps=5, seed=4)
    for step in (5, 4, 3, 2, 1):
        assert np.array_equal(shown(page, ".arena-side:first-child canvas"), wanted[:, step - 1])
        for side, (drawer, judge) in enumerate([PAIR, PAIR[::-1]]):
            values = scores[drawer, judge][min(step, STEPS[drawer]) - 1]
            said = sides.nth(side).locator(".arena-score").all_text_contents()
            assert said == [text_of(judge, value) for value in values], f"{judge} of {drawer}, step {step}"
        slider.press("ArrowLeft")
    names = sides.nth(1).locator("canvas").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert all("acgan-mnist, drawing" in name and "% real" in name for name in names)


def test_the_table_says_who_fools_whom(page, live, scores):
    open_tab(page, live, "?a=gran5-mnist&b=acgan-mnist&n=6&seed=4")
    for drawer in PAIR:
        assert row(page, drawer) == [spread_of(judge, scores[drawer, judge][-1]) for judge in PAIR]
    shares = []
    for judge, rival in (PAIR, PAIR[::-1]):
        theirs, own = scores[rival, judge][-1], scores[judge, judge][-1]
        shares.append((theirs[:, None] > own[None]).mean())
    assert row(page, "Prefers") == [f"{np.floor(100 * share + 0.5):.0f} %" for share in shares]
    for judge, share in zip(PAIR, shares, strict=True):
        words = page.get_by_role("region", name=f"{judge}'s").locator(".arena-verdict").text_content()
        assert f"in {np.floor(100 * share + 0.5):.0f} % of all pairs" in words
        decided = abs(share - 0.5) >= 2 * np.sqrt(13 / (12 * 36))
        verdict = ("Fooled" if share > 0.5 else "Not fooled") if decided else "Undecided"
        assert words.startswith(verdict)
    assert "compare down a column, never across" in page.locator(".stage").text_content()


def test_curves_have_a_point_a_step_and_real_digits_a_line(page, live, scores):
    open_tab(page, live, "?a=gran5-mnist&b=acgan-mnist&n=6&seed=4")
    for judge in PAIR:
        region = page.get_by_role("region", name=f"{judge}'s")
        lines = region.locator(".arena-line").evaluate_all("all => all.map(one => one.getAttribute('d'))")
        assert [len(re.findall("[ML]", line)) for line in lines] == [5, 2], "a finished drawing stays"
        means = scores["gran5-mnist", judge].mean(axis=1)
        heights = [-float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", lines[0])]
        assert np.corrcoef(means, heights)[0, 1] > 0.999
        label = region.get_by_role("img").get_attribute("aria-label")
        assert ", ".join(spread_of(judge, values) for values in scores["gran5-mnist", judge]) in label
        assert "ten test digits" in label
    with live.client() as client:
        digits = page.evaluate(
            """async () => {
                const { DIGITS } = await import("./studio/tabs/digits.js");
                return Promise.all(DIGITS.map(async digit => [...new Uint8Array(await digit.arrayBuffer())]));
            }"""
        )
        files = [("image", ("image", bytes(digit), "image/png")) for digit in digits]
        answer = client.post("/score", params={"model": "acgan-mnist"}, files=files).json()
    real = np.array([score["logit"] for score in answer["scores"]])
    assert row(page, "Ten test digits")[1] == spread_of("acgan-mnist", real)


def test_only_models_that_can_meet_are_offered(page, live):
    open_tab(page, live, "?n=4")
    names = page.get_by_label("One model").locator("option").all_text_contents()
    assert set(names) == {"gran5-mnist", "gran3-mnist", "acgan-mnist"}, "nobody meets wgan-gp-cifar10"
    page.get_by_label("One model").select_option("gran3-mnist")
    rivals = page.get_by_label("Its rival").locator("option").all_text_contents()
    assert set(rivals) == {"gran5-mnist", "acgan-mnist"}
    page.get_by_label("Its rival").select_option("gran5-mnist")
    page.get_by_role("heading", name="gran3-mnist's discriminator judges").wait_for()
    wait_for_verdicts(page)
    page.get_by_role("button", name="Exchange them").press("Enter")
    page.wait_for_url(re.compile("a=gran5-mnist&b=gran3-mnist"))
    wait_for_verdicts(page)
    assert page.get_by_role("heading", level=2).first.text_content() == "gran5-mnist"


def test_axe_finds_nothing_and_a_small_phone_has_room(page, live):
    page.set_viewport_size(NARROW)
    watch_layout(page)
    open_tab(page, live, "?a=gran5-mnist&b=acgan-mnist&n=12")
    page.wait_for_timeout(200)
    shifts = layout_shifts(page)
    assert sum(shift["value"] for shift in shifts) < 0.01, shifts
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    for colours in COLOURS:
        page.emulate_media(color_scheme=colours, reduced_motion="reduce")
        assert accessibility_faults(page) == [], colours


def test_a_server_without_a_rival_says_so(page, zoo, tmp_path):
    (tmp_path / "gran5-mnist").symlink_to(zoo / "gran5-mnist")
    server = LiveServer(tmp_path)
    try:
        page.goto(f"{server.http}/#arena")
        page.get_by_text(
            "No other model with a scorer draws pictures of the size of gran5-mnist's."
        ).wait_for()
        assert page.get_by_role("button", name="Draw and judge").is_disabled()
        assert accessibility_faults(page) == []
    finally:
        server.close()
