"""Out of distribution: a class is left out, models are trained and asked once, the table has both figures."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from pentimento.training.commands.main import register
from pentimento.training.experiments.ood import leave_out, run_ood, scores_of
from pentimento.training.experiments.ood_figures import PUBLISHED
from pentimento.training.experiments.ood_report import ood_data, ood_table, save_ood_picture
from pentimento.training.experiments.ood_systems import (
    SYSTEMS,
    OodPlan,
    image_shape_of,
    system_config,
    systems_of,
)
from pentimento.training.experiments.trainer import Trainer
from pentimento.training.export.trained import Pair, Trained
from pentimento.training.families.likelihood.config import build_model
from pentimento.training.families.likelihood.evaluation import evaluate_likelihood
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.judging.classifier import Classifier
from tests.training.conftest import SLICE

PLAN = OodPlan(dataset=str(SLICE), train_rows=64, epochs=1, asked_rows=100, width=0.2)
TRAINER = Trainer(device=torch.device("cpu"), precision="float32")


def test_a_class_is_left_out_and_those_after_it_move_up(dataset):
    rest = leave_out(dataset, 3, 100)
    assert rest.class_names == tuple("012456789") and rest.name.endswith("-without-3")
    assert len(rest.train.images) == 100 and rest.train.labels.max() == 8
    kept = dataset.test.labels != 3
    assert np.array_equal(rest.test.images, dataset.test.images[kept])
    names = np.array(rest.class_names)[rest.test.labels]
    assert np.array_equal(names, np.array(dataset.class_names)[dataset.test.labels[kept]])
    assert rest.sha256 not in (dataset.sha256, leave_out(dataset, 3, 90).sha256)
    for label in (-1, 10):
        with pytest.raises(
            ValueError, match=f"held_out must be 0..9, one of at least 2 classes, got {label}"
        ):
            leave_out(dataset, label, 100)


def test_every_system_has_published_figures_for_every_class():
    for dataset, systems in SYSTEMS.items():
        for system in systems:
            assert len(PUBLISHED[dataset][system]) == 10
    means = {system: np.mean(figures) for system, figures in PUBLISHED["mnist"].items()}
    published = {"vae": 33.85, "pixelcnn": 25.74, "pixelvae": 29.99, "dcgan": 13.25}
    assert means == pytest.approx(published, abs=0.02)
    assert image_shape_of("mnist") == (1, 28, 28) and image_shape_of("cifar10") == (3, 32, 32)
    assert systems_of(str(SLICE)) == SYSTEMS["mnist"]


def test_configurations_differ_in_system_and_name_only():
    plan = OodPlan(dataset="mnist")
    for system in SYSTEMS["mnist"]:
        first, second = (system_config(plan, system, label) for label in (0, 7))
        assert replace(first, recipe="") == replace(second, recipe="")
        assert (first.epochs, first.batch_rows, first.seed) == (4, 64, 1)
    assert system_config(plan, "dcgan", 1).scores_rows_alone
    with pytest.raises(ValueError, match="system must be one of dcgan for cifar10, got 'vae'"):
        system_config(OodPlan(dataset="cifar10"), "vae", 1)


@pytest.mark.parametrize("system", ["vae", "pixelcnn"])
def test_scores_are_nats_image_by_image(system, dataset):
    config = system_config(PLAN, system, 0)
    model = build_model(config.model, 1).eval()
    trained = Trained(config=config, networks=model, record={})
    scores = scores_of(trained, dataset.test, 30)
    whole = evaluate_likelihood(model, dataset.test, rows=30, rule="dynamic", seed=20170801)
    assert scores.shape == (30,) and scores.mean() == pytest.approx(whole.nats, abs=1e-3)


def test_a_discriminator_scores_each_image_alone(dataset):
    from pentimento.models.adversarial.architectures import build_one_shot

    config = system_config(PLAN, "dcgan", 0)
    assert isinstance(config, OneShotTrainConfig)
    generator, scorer = build_one_shot(config.model, 1)
    trained = Trained(config=config, networks=Pair(generator, scorer.eval()), record={})
    scores = scores_of(trained, dataset.test, 40)
    assert scores[:7] == pytest.approx(scores_of(trained, dataset.test, 7), abs=1e-5)


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    """Two systems without one class, trained once."""
    folder = tmp_path_factory.mktemp("ood")
    return folder, list(
        run_ood(PLAN, dataset, folder, systems=("vae", "pixelcnn"), held_out=(0,), trainer=TRAINER)
    )


def test_models_are_trained_and_asked(finished):
    folder, found = finished
    assert [(each["system"], each["held_out"]) for each in found] == [("vae", 0), ("pixelcnn", 0)]
    for each in found:
        assert 0 <= each["low"] <= each["aupr"] <= each["high"] <= 1
        assert each["rows"] == 100 and "seconds" in each
        assert (folder / f"{each['system']}-without-0" / "checkpoint.pt").is_file()


def test_finished_models_stay_and_others_are_refused(finished, dataset, monkeypatch):
    folder, found = finished
    monkeypatch.setattr(Trainer, "run", None)
    ask = {"systems": ("vae", "pixelcnn"), "held_out": (0,), "trainer": TRAINER}
    assert list(run_ood(PLAN, dataset, folder, **ask)) == found
    with pytest.raises(ValueError, match="was made with another config"):
        next(run_ood(replace(PLAN, epochs=2), dataset, folder, **ask))


def test_an_adversarial_one_is_trained_and_asked(dataset, tmp_path, monkeypatch):
    asked = []

    def classifier(dataset, device):
        asked.append(dataset.name)
        return Classifier(1, 28, len(dataset.class_names)).eval()

    monkeypatch.setattr("pentimento.training.experiments.ood.load_classifier", classifier)
    (found,) = run_ood(PLAN, dataset, tmp_path, systems=("dcgan",), held_out=(5,), trainer=TRAINER)
    assert 0 <= found["aupr"] <= 1 and asked == [leave_out(dataset, 5, 64).name]


def models(labels):
    for label in labels:
        for place, system in enumerate(("vae", "dcgan")):
            aupr = PUBLISHED["mnist"][system][label] / 200 + place / 100
            yield {
                "system": system,
                "held_out": label,
                "aupr": aupr,
                "low": aupr / 2,
                "high": aupr * 1.5,
                "prevalence": 0.1,
                "rows": 1000,
                "seconds": 1.0,
            }


def test_the_table_has_ours_and_what_was_published():
    found = list(models(range(10)))
    lines = ood_table("mnist", tuple("0123456789"), found).splitlines()
    head = "| held out | prevalence | vae | vae, published | dcgan | dcgan, published |"
    assert lines[0] == head and len(lines) == 2 + 10 + 2
    assert lines[2] == "| 0 | 10.00 | 20.10 (10.05 to 30.15) | 40.20 | 23.08 (11.54 to 34.62) | 44.16 |"
    assert lines[-2].startswith("| mean | 10.00 | 16.92 | 33.84 |")
    assert ood_data("mnist", found)["order"] == {"vae": 1.0, "dcgan": 1.0}
    assert ood_data("mnist", found[:4])["order"] == {}
    unknown = ood_table("other", tuple("0123456789"), found[:3]).splitlines()
    assert unknown[0] == "| held out | prevalence | vae | dcgan |"
    assert unknown[3] == "| 1 | 10.00 | 2.99 (1.50 to 4.49) |  |"


def test_the_picture_has_a_plot_a_system(tmp_path):
    save_ood_picture(tmp_path / "ood.png", "mnist", tuple("0123456789"), list(models((0, 2, 4))))
    with Image.open(tmp_path / "ood.png") as picture:
        assert min(picture.size) > 300


def test_the_command(shared_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)

    def run(*words):
        return CliRunner().invoke(app, ["experiment", "ood", "--dataset", str(SLICE), *map(str, words)])

    refused = run("--system", "eye")
    assert (
        refused.exit_code == 2 and "--system must be one of vae, pixelcnn, pixelvae, dcgan" in refused.output
    )
    done = run("--system", "vae", "--held-out", 1, "--epochs", 1, "--train-rows", 64, "--width", 0.2)
    assert done.exit_code == 0, done.output
    assert "| 1 | 10.00 | " in done.output and "vae without 1: AUPR " in done.output
    out = tmp_path / "runs" / "ood"
    assert {path.name for path in out.iterdir()} == {"ood.md", "ood.json", "ood.png", "vae-without-1"}
    (model,) = json.loads((out / "ood.json").read_text())["models"]
    assert model["system"] == "vae" and model["rows"] == 100


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"asked_rows": 99}, "asked_rows must be at least 100, got 99"),
        ({"width": 9.0}, r"width must lie in 0..8, above 0, got 9.0"),
    ],
)
def test_plans_have_limits(changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        OodPlan(dataset="mnist", **changed)
