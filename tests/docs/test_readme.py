"""The first screen of README.md answers what it promises, and its tables are what the manifests say."""

import re
import subprocess

import pytest

from pentimento.bundle.store import read_manifest
from tests.docs.snippets import ROOT, snippets

TEXT = (ROOT / "README.md").read_text()
CURLS = [
    line
    for snippet in snippets(ROOT / "README.md")
    for line in snippet.code.splitlines()
    if line.startswith("curl") and "steps=5" in line
]


@pytest.fixture
def ask(live, tmp_path):
    def run(word):
        command = next(line for line in CURLS if word in line)
        command = command.replace("localhost:8000", live.http.removeprefix("http://"))
        return subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, check=True).stdout

    return run


def test_the_json_has_five_frames(ask):
    assert ask("JSON").count(b'"step":') == 5


def test_the_film_strip_is_a_png(ask, tmp_path):
    ask("image/png")
    assert (tmp_path / "strip.png").read_bytes().startswith(b"\x89PNG")


def test_the_stream_has_five_frames_and_one_end(ask):
    events = re.findall(rb"^event: (\w+)", ask("event-stream"), re.MULTILINE)
    assert events == [b"frame"] * 5 + [b"done"]


def test_the_table_of_the_zoo_is_what_the_manifests_say():
    rows = []
    for folder in sorted((ROOT / "zoo").iterdir()):
        if not (folder / "manifest.json").is_file():
            continue
        manifest = read_manifest(folder)
        figures = manifest.provenance.evaluation
        if "likelihood" in figures:
            likelihood = figures["likelihood"]
            kl = f"{sum(likelihood['kl']):.1f}" if likelihood["kl"] else "-"
            neighbours = f"{figures['neighbours']['error']:.1%}" if "neighbours" in figures else "-"
            rows.append(f"| `{manifest.name}` | {likelihood['nats']:.2f} | {kl} | {neighbours} |")
            continue
        classes = f"{figures['kl_to_data']:.3f} | {min(figures['class_shares'].values()):.1%}"
        if manifest.labels:  # all are asked for in turn: equal shares say nothing of the model
            classes = "asked for | asked for"
        reported = figures.get("reporting_classifier")
        second = f"{reported['confidence']:.3f}" if reported else "-"
        rows.append(
            f"| `{manifest.name}` | {manifest.drawing.steps.trained} | {classes} | "
            f"{figures['confidence']:.3f} | {second} | "
            f"{manifest.provenance.train_seconds / 60:.0f} min |"
        )
    for row in rows:
        assert row in TEXT, f"README.md lacks the row\n{row}"


def test_figures_in_its_sentences_are_what_the_manifests_say():
    acgan, cifar = (
        read_manifest(ROOT / "zoo" / name).provenance for name in ("acgan-mnist", "wgan-gp-cifar10")
    )
    classifier = cifar.evaluation["classifier"]
    words = " ".join(TEXT.split())
    assert f"asked for in {100 * acgan.evaluation['label_accuracy']:.1f} %" in words
    assert f"right on {100 * classifier['test_accuracy']:.0f} % of the test images" in words
    assert f"mean confidence of {classifier['test_confidence']:.2f}, which is what" in words


def test_it_is_short_enough_to_be_read():
    assert len(TEXT.splitlines()) <= 220
