"""`pentimento experiment`: the table says what there is, and every name in it runs."""

import json

import pytest
import typer
from typer.testing import CliRunner

from pentimento.training.commands.experiment import EXPERIMENTS
from pentimento.training.commands.main import register
from tests.docs.snippets import ROOT

OLDER = ("recurrent-toy", "modes", "stability")


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_all_are_listed_with_a_sentence_and_their_cost(run):
    listed = run("experiment")
    assert listed.exit_code == 0, listed.output
    lines = listed.output.strip().splitlines()
    assert len(lines) == 1 + len(EXPERIMENTS)
    for line, each in zip(lines[1:], EXPERIMENTS, strict=True):
        assert line.split()[0] == each.name and each.cost in line and each.what in line
        assert each.what.endswith(".") and each.cost
    found = json.loads(run("experiment", "--json").output)["experiments"]
    assert [each["name"] for each in found] == [each.name for each in EXPERIMENTS]


@pytest.mark.parametrize("each", EXPERIMENTS, ids=lambda each: each.name)
def test_each_says_how_it_is_asked_for(each, run):
    said = run("experiment", each.name, "--help")
    assert said.exit_code == 0 and each.what in said.output and "--out" in said.output


def test_the_older_ones_keep_their_names(run):
    for name in OLDER:
        alone, within = run(name, "--help").output, run("experiment", name, "--help").output
        assert alone.partition("Options")[2] == within.partition("Options")[2] != ""


def test_an_experiment_runs_and_one_that_is_none_is_refused(run, tmp_path):
    done = run(
        "experiment", "recurrent-toy", "--out", "toy", "--iterations", 1, "--seeds", 1, "--group-size", 1
    )
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "toy").iterdir()} == {"toy.md", "toy.json", "toy.png"}
    assert run("experiment", "alchemy").exit_code == 2


def test_each_is_in_the_documents():
    page = " ".join((ROOT / "docs" / "science.md").read_text().split())
    for each in EXPERIMENTS:
        assert f"pentimento experiment {each.name}" in page, f"docs/science.md lacks {each.name}"
