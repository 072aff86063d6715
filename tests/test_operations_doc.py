"""docs/operations.md names every setting, with its default."""

import re
from pathlib import Path

import pytest

from pentimento.service.settings import Settings

TEXT = (Path(__file__).parents[1] / "docs" / "operations.md").read_text()
ROWS = {
    option: cells
    for line in TEXT.splitlines()
    if line.startswith("| `--")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    for option in re.findall(r"`--([a-z-]+)`", cells[0])
}
SAID = {True: "yes", False: "no", None: "", "": ""}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_has_a_row_with_its_default(name):
    default, cells = Settings.model_fields[name].default, ROWS[name.replace("_", "-")]
    if name == "cache":
        assert cells[1] == "in `~/.cache`"
    elif isinstance(default, bool) or default in (None, ""):
        assert cells[1] == SAID[default]
    elif isinstance(default, int | float):
        assert float(cells[1].replace(",", "")) == default
    else:
        assert cells[1] == str(default)


def test_no_row_is_of_a_setting_that_is_gone():
    assert set(ROWS) == {name.replace("_", "-") for name in Settings.model_fields}


def test_links_within_the_page_lead_somewhere():
    headings = {
        re.sub(r"[^a-z -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in TEXT.splitlines()
        if line.startswith("##")
    }
    assert set(re.findall(r"\]\(#([a-z-]+)\)", TEXT)) <= headings
