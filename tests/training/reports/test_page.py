"""A report as a user finds it: one whole page that needs nothing else, with everything beside its n."""

import json
from html.parser import HTMLParser

import pytest

from pentimento.training.reports.evaluation import PARTS
from pentimento.training.reports.page import format_figure, render_page
from tests.service.reading_toys import write_costly_toy
from tests.service.toys import write_steps
from tests.training.conftest import SLICE
from tests.training.reports.conftest import SHAPE, use_cache

_VOID = {"meta", "img", "link", "br", "path", "rect"}


class Page(HTMLParser):
    """Reads a page, and refuses what is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.rows = [], set(), [], {}
        self._row = None
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        name = dict(attributes).get("data-name")
        if name is not None:
            self._row = self.rows.setdefault((tag, name), [])
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"closed, but not open: {tag}"
        if tag in ("tr", "figure"):
            self._row = None

    def handle_data(self, data):
        if self._row is not None and data.strip():
            self._row.append(data.strip())


@pytest.fixture(scope="module")
def asked(shared_cache, tmp_path_factory):
    """What evaluates a toy, whose figures are measured once for all tests."""
    folder = tmp_path_factory.mktemp("page")
    write_steps(folder / "toy", SHAPE, scorer=None)
    with pytest.MonkeyPatch.context() as patch:
        use_cache(folder / "cache", shared_cache, patch)
        yield ("evaluate", folder / "toy", "--rows", "20", "--steps", "3", "--dataset", SLICE)


@pytest.fixture(scope="module")
def report(run, asked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "report"
    done = run(*asked, "--out", folder)
    assert done.exit_code == 0, done.output
    assert "kl_to_data" in done.stdout, "what was printed before there were reports"
    return folder


def test_the_page_needs_nothing_else(report):
    text = (report / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not page.tags & {"script", "link", "iframe", "object"}
    addresses = [value for name, value in page.attributes if name in ("src", "href", "srcset", "data")]
    assert len(addresses) == 5 and all(value.startswith("data:image/png;base64,") for value in addresses)
    assert "url(" not in text and "@import" not in text and "//" not in text.replace("base64,//", "")[:200]
    assert "http:" not in text and "https:" not in text
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text
    assert len(text) < 500_000


def test_every_figure_stands_beside_its_n_and_what_test_images_score(report):
    page = Page((report / "report.html").read_text(encoding="utf-8"))
    told = json.loads((report / "report.json").read_text())
    for name, figure in told["measures"]["drawings"].items():
        row, other = page.rows["tr", name], told["measures"]["test_images"][name]
        assert format_figure(figure["value"]) in row and format_figure(other["value"]) in row
        assert row.count("n = 20") == 2, row
        if figure["high"] is not None:
            assert f"{format_figure(figure['low'])} to {format_figure(figure['high'])}" in row
    row = page.rows["tr", "reporting_classifier.confidence"]
    kinds = told["reporting_classifier"], told["test_images"]["reporting_classifier"]
    assert all(format_figure(kind["confidence"]) in row for kind in kinds)
    for name, values in told["steps"]["drawings"].items():
        drawn = page.rows["figure", name]
        assert format_figure(values[0]) in drawn and format_figure(values[-1]) in drawn
        assert format_figure(told["steps"]["test_images"][name]) in drawn and "n = 20" in drawn
    assert all(any(word.startswith("n = ") for word in row) for row in page.rows.values())


def test_the_record_has_what_is_printed_as_json(report, run, asked):
    told = json.loads((report / "report.json").read_text())
    printed = json.loads(run(*asked, "--json").stdout)
    assert printed == {name: told[name] for name in printed}
    assert told["settings"] == {"rows": 20, "seed": 1, "steps": 3, "importance_samples": 0, "without": []}
    assert told["bundle"]["name"] == "toy" and len(told["bundle"]["sha256"]) == 64


def test_nothing_is_replaced_unasked(report, run, asked, tmp_path):
    before = (report / "report.html").read_bytes()
    refused = run(*asked, "--out", report)
    assert refused.exit_code == 2 and "holds a report.json already; add --overwrite" in refused.output
    (tmp_path / "file").write_text("mine")
    refused = run(*asked, "--out", tmp_path / "file")
    assert refused.exit_code == 2 and "--out must be a folder" in refused.output
    assert (tmp_path / "file").read_text() == "mine"
    replaced = run(*asked, "--out", report, "--overwrite")
    assert replaced.exit_code == 0 and (report / "report.html").read_bytes() == before, "all of it was kept"


def test_parts_are_left_out_by_name(run, asked, tmp_path):
    left_out = ("steps", "nearest_images", "birthday")
    options = [word for name in left_out for word in ("--without", name)]
    done = run(*asked, *options, "--out", tmp_path / "report")
    assert done.exit_code == 0, done.output
    text = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert ("tr", "birthday") not in page.rows and not [kind for kind, _ in page.rows if kind == "figure"]
    assert "Nearest training images" not in text
    assert "left out as asked: birthday, nearest_images, steps" in text
    assert "--without birthday --without nearest_images --without steps" in text
    unknown = run(*asked, "--without", "inception")
    assert unknown.exit_code == 2
    assert f"--without must be one of {', '.join(PARTS)}, got 'inception'" in unknown.output


def test_a_bundle_that_only_reads_has_a_report_of_what_it_reads(run, asked, tmp_path):
    write_costly_toy(tmp_path)
    reading = ("evaluate", tmp_path / "toy-costly", "--rows", "30", "--dataset", SLICE)
    done = run(*reading, "--importance-samples", "50", "--out", tmp_path / "report")
    assert done.exit_code == 0, done.output
    page = Page((tmp_path / "report" / "report.html").read_text(encoding="utf-8"))
    told = json.loads((tmp_path / "report" / "report.json").read_text())
    assert format_figure(told["likelihood"]["nats"]) in page.rows["tr", "likelihood"]
    assert "n = 30" in page.rows["tr", "importance_50"] and not page.tags & {"img", "svg"}
    done = run(*reading, "--without", "likelihood", "--out", tmp_path / "without")
    assert done.exit_code == 0 and "likelihood" not in json.loads(
        (tmp_path / "without" / "report.json").read_text()
    )


def test_what_a_bundle_says_of_itself_is_text(report):
    told = json.loads((report / "report.json").read_text())
    told["bundle"]["summary"] = "<script>alert(1)</script> & more"
    told["settings"]["without"] = ["<b>"]
    picture = {"uri": "data:image/png;base64,", "width": 1, "height": 1, "images": 1, "columns": 1}
    text = render_page(told, {name: picture for name in ("drawings", "test_images", "strips")})
    assert (
        not Page(text).tags & {"script", "b"} and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text
    )


def test_figures_have_four_digits_that_count():
    said = [format_figure(value) for value in (0.95123, 12.345, 4620.4, 0.0, 0.000123, -0.0415, None)]
    assert said == ["0.9512", "12.35", "4,620", "0", "0.00012", "-0.0415", "none"]
