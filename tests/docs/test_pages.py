"""Every command and program of README.md and docs/ runs, in the order of its page."""

import json

import pytest
import yaml

from tests.docs.snippets import PAGES, page_of, snippets

READERS = {"json": json.loads, "yaml": yaml.safe_load}

# The longest first, as they are gone through side by side.
WITH_BLOCKS = sorted(
    (page for page in PAGES if any(snippet.runs for snippet in snippets(page))),
    key=lambda page: page.stem not in ("training", "bundles"),
)


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=page_of)
def test_what_a_page_says_to_do_works(page, going_through):
    going_through[page].result()


@pytest.mark.parametrize("page", PAGES, ids=page_of)
def test_data_is_what_it_says_to_be(page):
    for snippet in snippets(page):
        if snippet.language in READERS:
            READERS[snippet.language](snippet.code)
