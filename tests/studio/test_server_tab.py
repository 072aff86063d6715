"""The Server tab: what it shows is what the server counts."""

import re

import pytest

from tests.studio.asks import canvas_sums


def cells(page, row):
    return page.get_by_role("row", name=re.compile(f"^{row}")).get_by_role("cell").all_text_contents()


def burst(page, live):
    """Sends sixteen drawings at once, then one after another; the cells of both rows."""
    page.goto(live.http)
    page.goto(f"{live.http}/#server")
    for button, row in (("at once", "At once"), ("one after another", "One after another")):
        page.get_by_role("button", name=button).click()
        page.wait_for_function(
            "row => [...document.querySelectorAll('.burst-table tr')].some("
            "tr => tr.textContent.startsWith(row) && !tr.textContent.includes('–'))",
            arg=row,
        )
    return cells(page, "At once"), cells(page, "One after another")


@pytest.mark.alone  # who shares a call with whom depends on when each drawing arrives
def test_drawings_sent_at_once_share_their_calls(page, live):
    for _ in range(3):  # a browser that is slow to send them lets the first ones go alone
        together, alone = burst(page, live)
        if float(together[2]) > 1.5:
            break
    assert int(alone[1]) == 16 * 29, "an init and 28 rows for each of 16 drawings"
    assert int(together[1]) < int(alone[1]) / 1.2
    assert float(alone[2]) == float(alone[3]) == 1.0
    assert float(together[2]) > 1.2, "rows of different requests in a call"
    assert float(together[3]) > 1.0, "at different steps"
    assert all(canvas_sums(page, ".burst canvas"))


def test_the_plots_move_while_drawings_are_sent(page, live):
    page.goto(f"{live.http}/#server")
    keep = page.get_by_role("button", name="Keep sending")
    keep.click()
    names = ("Rows in flight", "Rows in a call", "Steps in a call", "First canvas")
    for name in names:
        plot = page.get_by_role("region", name=name)
        plot.get_by_role("img", name=re.compile(r"from [\d.]+ to [\d.]*[1-9]")).wait_for()
    assert keep.get_attribute("aria-pressed") == "true"
    keep.click()
    page.wait_for_function(
        "() => document.querySelector('[aria-label=\"See the batching\"] button[aria-pressed=false]')"
    )
    assert page.get_by_role("button", name="at once").is_enabled()
    page.wait_for_timeout(300)
    assert live.rows == 0


def test_every_model_can_be_sent(page, live):
    page.goto(f"{live.http}/#server")
    for model in ("acgan-mnist", "wgan-gp-cifar10"):
        page.get_by_label("Model", exact=True).select_option(model)
        page.get_by_role("button", name="at once").click()
        page.wait_for_function(
            "() => [...document.querySelectorAll('.burst-table td')].some(td => / s$/.test(td.textContent))"
        )
        page.wait_for_timeout(100)
        assert all(canvas_sums(page, ".burst canvas"))
