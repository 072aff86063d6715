"""`pentimento battle` and `pentimento tournament` as a user meets them, with toys on a slice of MNIST."""

import json
import re

import pytest
import typer
from typer.testing import CliRunner

from pentimento.training.commands.main import register
from tests.slice import SLICE
from tests.training.experiments.battle_toys import CLASSES, write_toy

DIGITS = {"size": 28, "spread": 0.02}  # whose mean is 0.13


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("PENTIMENTO_DATA", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def pair(tmp_path):
    write_toy(tmp_path / "toys" / "near", bias=0.12, threshold=0.1, **DIGITS)
    write_toy(tmp_path / "toys" / "far", bias=0.05, threshold=0.098, **DIGITS)


MEET = ("toys/near", "toys/far", "--dataset", SLICE, "--rows", "100")


def test_a_battle_is_printed_and_exchanged_it_is_the_other_way_round(run, pair):
    shown = run("battle", *MEET)
    assert shown.exit_code == 0, shown.output
    assert "near wins" in shown.stdout and "errors on its own drawings" in shown.stdout
    one = json.loads(run("battle", *MEET, "--json").stdout)
    two = json.loads(run("battle", "toys/far", "toys/near", *MEET[2:], "--json").stdout)
    assert one["winner"] == two["winner"] == "near"
    assert (one["outcome"], two["outcome"]) == ("first", "second")
    for name in ("test_ratio", "sample_ratio"):
        assert one[name]["ratio"] * two[name]["ratio"] == pytest.approx(1)
        assert one[name]["low"] * two[name]["high"] == pytest.approx(1)
    assert one["errors_on_test_images"][0]["total"] == 100 and one["tolerance"] == 0.3


def test_against_itself_the_sample_ratio_is_one(run, pair):
    itself = json.loads(run("battle", "toys/near", "toys/near", *MEET[2:], "--json").stdout)
    assert itself["sample_ratio"]["ratio"] == itself["test_ratio"]["ratio"] == 1
    assert itself["outcome"] == "undecided" and itself["winner"] is None


def test_a_small_tolerance_makes_it_not_applicable(run, pair, tmp_path):
    write_toy(tmp_path / "toys" / "blind", bias=0.12, threshold=0.2, **DIGITS)
    shown = run("battle", "toys/near", "toys/blind", *MEET[2:])
    assert shown.exit_code == 0
    assert re.search(r"not applicable: the test ratio, 0\.\d+, is not within 0.769 to 1.3", shown.stdout)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": 8}, "images of one shape, got near 1x28x28, other 1x8x8"),
        ({"size": 28, "kind": None}, "bundle 'other' has no scorer"),
        ({"size": 28, "kind": "critic"}, "the scorer of 'other' is a critic"),
        ({"size": 28, "takes": ("latent",)}, "together with 'latent', which pictures of others do not have"),
        ({"size": 28, "draws": False}, "bundle 'other' does not draw"),
        (
            {"size": 28, "takes": ("label",), "labels": CLASSES},
            "with its class, and drawings of near have",
        ),
    ],
)
def test_who_cannot_meet_is_told_so_in_a_sentence(run, pair, tmp_path, changes, sentence):
    write_toy(tmp_path / "other", **changes)
    refused = run("battle", "toys/near", "other", "--dataset", SLICE, "--rows", "20")
    assert refused.exit_code == 2 and sentence in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_wrong_requests_are_told_so_in_a_sentence(run, pair, tmp_path):
    write_toy(tmp_path / "a" / "near", bias=0.1, **DIGITS)
    write_toy(tmp_path / "five", takes=("label",), labels=CLASSES[:5], **DIGITS)
    write_toy(tmp_path / "ten", labels=CLASSES, **DIGITS)
    write_toy(tmp_path / "digits", dataset="mnist", **DIGITS)
    write_toy(tmp_path / "clothes", dataset="fashion-mnist", **DIGITS)
    for words, sentence in (
        (MEET[:4], "rows must be at most 100, the test images of mnist-slice, got 2000"),
        (("toys/near", "toys/far"), "bundle 'near' does not say what it was trained on; name a --dataset"),
        (("toys/near", "a/near", *MEET[2:]), "two bundles are called 'near'"),
        (("toys/near", "nowhere"), "manifest.json is missing"),
        (("five", "ten", *MEET[2:]), "the scorer of 'five' knows 5 classes, and drawings of ten have 10"),
        (("digits", "clothes"), "'digits' was trained on 'mnist' and 'clothes' on 'fashion-mnist'; say with"),
    ):
        refused = run("battle", *words)
        assert refused.exit_code == 2 and sentence in refused.stderr, refused.output


def test_a_tournament_of_a_folder_goes_on_and_overwrites_nothing_unasked(run, pair, tmp_path):
    write_toy(tmp_path / "toys" / "plain", bias=0.09, kind=None, **DIGITS)
    write_toy(tmp_path / "toys" / "small", size=8)
    write_toy(tmp_path / "toys" / "mute", draws=False, **DIGITS)
    (tmp_path / "toys" / "broken").mkdir()
    (tmp_path / "toys" / "broken" / "manifest.json").write_text("{}")
    call = ("tournament", "toys", "--dataset", SLICE, "--rows", "100", "--out", "out")
    played = run(*call)
    assert played.exit_code == 0, played.output
    assert "small: it draws images of 1x8x8, not 1x28x28" in played.stderr
    assert "mute: it does not draw" in played.stderr and "left out: broken: manifest.json" in played.stderr
    assert "bundle 'plain' has no scorer, so it judges nobody" in played.stderr
    assert (tmp_path / "out" / "tournament.md").read_text() == played.stdout
    readings = {file: file.stat().st_mtime_ns for file in (tmp_path / "out" / "readings").iterdir()}
    again = run(*call, "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == json.loads((tmp_path / "out" / "tournament.json").read_text())
    assert readings == {file: file.stat().st_mtime_ns for file in (tmp_path / "out" / "readings").iterdir()}
    other = run(*call, "--seed", "2", "--tolerance", "0.5")
    assert other.exit_code == 2 and "a tournament with other seed and other tolerance" in other.stderr
    replaced = run(*call, "--seed", "2", "--overwrite")
    assert replaced.exit_code == 0, replaced.output
    (tmp_path / "out" / "thesis.tex").write_text("")
    strange = run(*call, "--seed", "2", "--overwrite")
    assert strange.exit_code == 2 and "holds 'thesis.tex', which is of no tournament" in strange.stderr


def test_a_tournament_without_entrants_is_refused(run, pair, tmp_path):
    (tmp_path / "empty").mkdir()
    for words, sentence in (
        (("empty",), "empty is neither a bundle nor a folder of bundles"),
        (("toys/near",), "needs at least 2 bundles, got 1"),
        ((), "zoo is neither a bundle nor a folder of bundles"),
        (("toys/near", "toys"), "two bundles are called 'near'"),
    ):
        refused = run("tournament", *words, "--dataset", SLICE, "--rows", "20")
        assert refused.exit_code == 2 and sentence in refused.stderr, refused.output


def test_of_a_folder_those_of_other_data_are_left_out(run, tmp_path):
    for name, data in (("a", "mnist"), ("b", "mnist"), ("c", "fashion-mnist"), ("d", None)):
        write_toy(tmp_path / "toys" / name, dataset=data, **DIGITS)
    refused = run("tournament", "toys", "--data", tmp_path / "none", "--out", "out", "--rows", "200")
    assert "left out: c: it learned from fashion-mnist, not mnist" in refused.stderr
    assert "left out: d" not in refused.stderr and not (tmp_path / "out").exists()
