"""Sweeps: which settings are drawn, what is measured of them, and the table and picture."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from pentimento.bundle.drawing import Control
from pentimento.bundle.store import read_bundle
from pentimento.training.experiments import sweep
from pentimento.training.experiments.sweep import (
    Setting,
    SweepResult,
    keep_best,
    measure_setting,
    save_sweep_picture,
    sweep_settings,
    sweep_table,
)
from pentimento.training.judging.classifier import ReportingClassifier

ZOO = Path(__file__).parents[3] / "zoo"


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return ReportingClassifier(1, 28, 10).eval()


@pytest.fixture
def guided():
    """A bundle as far as settings go, with a control."""
    bundle = read_bundle(ZOO / "gran3-mnist")
    control = Control(name="guidance", min=0, max=8, default=1, summary="More of it.")
    drawing = bundle.manifest.drawing.model_copy(update={"controls": (control,)})
    return SimpleNamespace(manifest=bundle.manifest.model_copy(update={"drawing": drawing}))


def test_settings_are_the_steps_with_defaults_then_the_values_with_the_default_steps(guided):
    assert sweep_settings(guided, [1, 4], "guidance", [0.0, 2.5]) == [
        Setting(1, None, None),
        Setting(4, None, None),
        Setting(3, "guidance", 0.0),
        Setting(3, "guidance", 2.5),
    ]


@pytest.mark.parametrize(
    ("steps", "control", "values", "sentence"),
    [
        ([0], None, [], r"steps must be 1\.\.16, got 0"),
        ([17], None, [], r"steps must be 1\.\.16, got 17"),
        ([1], "tilt", [1.0], "has no control 'tilt'; it has: guidance"),
        ([1], "guidance", [9.0], r"guidance must be 0\.\.8, got 9"),
    ],
)
def test_settings_that_cannot_be_drawn_are_refused(guided, steps, control, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        sweep_settings(guided, steps, control, values)


def test_what_is_measured_is_of_the_finished_drawings(dataset, classifier, monkeypatch):
    asked = []

    def drawn(bundle, **options):
        asked.append(options)
        yield torch.from_numpy(dataset.test.images[:40]).float()[:, None] / 255  # the test images themselves

    monkeypatch.setattr(sweep, "draw_bundle", drawn)
    bundle = read_bundle(ZOO / "acgan-mnist")
    found = measure_setting(bundle, Setting(2, "guidance", 3.0), dataset, classifier, rows=40, seed=5)
    assert asked == [{"rows": 40, "seed": 5, "step_count": 2, "controls": {"guidance": 3.0}}]
    assert found.frechet == pytest.approx(0, abs=1e-4)
    probabilities = classifier.probabilities(torch.from_numpy(dataset.test.images[:40]).float() / 255)
    assert found.confidence == pytest.approx(float(probabilities.max(1).values.mean()), abs=1e-5)
    obeyed = (probabilities.argmax(1) == torch.arange(40) % 10).float().mean()
    assert found.obeyed == pytest.approx(float(obeyed))


def test_more_drawings_than_test_images_are_refused(dataset, classifier):
    bundle = read_bundle(ZOO / "gran1-mnist")
    with pytest.raises(ValueError, match="rows must be at most"):
        measure_setting(bundle, Setting(1, None, None), dataset, classifier, rows=10**6, seed=1)


def test_a_bundle_is_swept_over_its_steps(dataset, classifier, tmp_path):
    bundle = read_bundle(ZOO / "gran3-mnist")
    results = [
        measure_setting(bundle, setting, dataset, classifier, rows=20, seed=1)
        for setting in sweep_settings(bundle, [1, 3], None, [])
    ]
    assert results[0] != results[1] and results[0].obeyed is None
    table = sweep_table(results)
    assert table.splitlines()[2].startswith("| 1 | defaults | - |") and len(table.splitlines()) == 4
    save_sweep_picture(tmp_path / "new" / "sweep.png", results)
    assert (tmp_path / "new" / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_the_table_names_the_control(tmp_path):
    results = [
        SweepResult(Setting(10, None, None), 50, 0.98, 0.001, 0.9, 0.5),
        SweepResult(Setting(10, "guidance", 2.0), 50, 0.99, 0.002, 0.95, 0.7),
    ]
    assert "| 10 | guidance 2 | 99.0% | 0.0020 | 0.950 | 0.700 |" in sweep_table(results)
    save_sweep_picture(tmp_path / "sweep.png", results)


def result(steps, frechet, control=None):
    setting = Setting(steps, control, None if control is None else 2.0)
    return SweepResult(setting, 50, None, 0.001, 0.9, frechet)


def test_the_best_number_of_steps_is_kept_in_the_manifest_and_nothing_else_changes(tmp_path):
    folder = tmp_path / "gran3-mnist"
    shutil.copytree(ZOO / "gran3-mnist", folder)
    before = read_bundle(folder)
    found = [result(2, 0.5), result(4, 0.3), result(8, 0.4), result(3, 0.1, "guidance")]
    assert keep_best(folder, before, found) == 4
    after = read_bundle(folder)
    assert after.manifest.drawing.steps.best == 4
    steps = before.manifest.drawing.steps.model_copy(update={"best": 4})
    drawing = before.manifest.drawing.model_copy(update={"steps": steps})
    assert after.manifest == before.manifest.model_copy(update={"drawing": drawing})
    assert (after.graphs, after.weights) == (before.graphs, before.weights)


def test_one_number_of_steps_is_not_the_best(tmp_path):
    bundle = read_bundle(ZOO / "gran3-mnist")
    with pytest.raises(ValueError, match="two numbers of steps"):
        keep_best(tmp_path, bundle, [result(3, 0.5), result(3, 0.1, "guidance")])
