"""The stability experiment: finished cells stay, verdicts follow the figures, one table, one picture."""

import json
from dataclasses import asdict, replace

import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from pentimento.training.commands.main import register
from pentimento.training.experiments.stability import ARCHITECTURES, StabilityPlan, cell_config, run_stability
from pentimento.training.experiments.stability_report import save_stability_picture, save_stability_table
from pentimento.training.families.one_shot.iteration import duel
from pentimento.training.families.one_shot.objectives import OBJECTIVES
from tests.training.conftest import SLICE

CPU = torch.device("cpu")
PLAN = StabilityPlan(
    dataset=str(SLICE),
    architectures=("dcgan", "tanh"),
    objectives=("gan", "wgan_gp"),
    iterations=2,
    width=4,
    latent_dim=6,
    batch_rows=4,
    evaluation_rows=20,
)
OPTIONS = {"device": CPU, "precision": "float32"}


def test_seven_architectures_meet_four_objectives_with_one_set_of_defaults():
    plan = StabilityPlan(dataset="mnist")
    assert len(plan.architectures) == 7 and plan.objectives == ("gan", "lsgan", "wgan", "wgan_gp")
    for architecture in ARCHITECTURES:
        for objective in OBJECTIVES:
            config = cell_config(plan, architecture, objective)
            deep = architecture == "resnet101"
            assert config.iterations(60_000) == (plan.deep_iterations if deep else plan.iterations)
            assert all(getattr(config, k) == v for k, v in OBJECTIVES[objective].settings.items())
            plain = replace(config.model, architecture="dcgan", scorer_norm="none")
            assert plain == replace(cell_config(plan, "dcgan", "gan").model, scorer_norm="none")
            norm = "layer" if objective == "wgan_gp" else "batch"
            assert config.model.scorer_norm == ("none" if architecture == "no_normalisation" else norm)


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    """All cells of a small plan, trained once."""
    from pentimento.training.judging.classifier import Classifier

    folder = tmp_path_factory.mktemp("stability")
    classifier = Classifier(1, 28, 10).eval()
    cells = list(run_stability(PLAN, dataset, classifier, folder, **OPTIONS))
    return folder, cells


def test_each_pair_is_trained_and_judged(finished):
    folder, cells = finished
    assert [(cell.architecture, cell.objective) for cell in cells] == [
        ("dcgan", "gan"), ("dcgan", "wgan_gp"), ("tanh", "gan"), ("tanh", "wgan_gp"),
    ]  # fmt: skip
    for cell in cells:
        assert cell.iterations == 2 and not cell.trained and "classes are drawn" in cell.reason
        assert (folder / f"{cell.architecture}-{cell.objective}" / "sheet.png").is_file()


def test_finished_cells_are_skipped_and_others_are_refused(finished, dataset, classifier, monkeypatch):
    folder, cells = finished

    def fail(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr("pentimento.training.experiments.stability.train", fail)
    assert list(run_stability(PLAN, dataset, classifier, folder, **OPTIONS)) == cells
    with pytest.raises(ValueError, match="was trained with other options; name another folder"):
        next(run_stability(replace(PLAN, width=8), dataset, classifier, folder, **OPTIONS))


def test_an_interrupted_cell_goes_on(dataset, classifier, tmp_path, monkeypatch):
    plan = replace(PLAN, architectures=("dcgan",), objectives=("gan",), iterations=3)
    monkeypatch.setattr(
        "pentimento.training.experiments.stability.cell_config",
        lambda *args: replace(cell_config(*args), checkpoint_iterations=2),
    )
    done = 0

    def interrupted(*args):
        nonlocal done
        done += 1
        if done == 3:
            raise InterruptedError
        return duel(*args)

    monkeypatch.setattr("pentimento.training.families.one_shot.family.duel", interrupted)
    with pytest.raises(InterruptedError):
        list(run_stability(plan, dataset, classifier, tmp_path, **OPTIONS))
    (cell,) = run_stability(plan, dataset, classifier, tmp_path, **OPTIONS)
    assert done == 4 and cell.iterations == 3


def test_a_cell_that_diverges_has_failed(dataset, classifier, tmp_path, monkeypatch):
    plan = replace(PLAN, architectures=("tanh",), objectives=("wgan",))
    monkeypatch.setattr(
        "pentimento.training.families.one_shot.family.duel", lambda *args: {"generator_loss": float("nan")}
    )
    (cell,) = run_stability(plan, dataset, classifier, tmp_path, **OPTIONS)
    assert not cell.trained and cell.evaluation is None and "generator_loss became nan" in cell.reason
    assert [cell] == list(run_stability(plan, dataset, classifier, tmp_path, **OPTIONS))
    save_stability_picture(tmp_path / "all.png", plan, [cell], tmp_path)
    save_stability_table(tmp_path, plan, [cell])
    assert "| tanh | 2 | failed: the training ended" in (tmp_path / "stability.md").read_text()


def judged(cells, **changes):
    """The cells after a reading of figures that were changed on disk."""
    found = cells[0].evaluation | {"class_shares": [0.1] * 10, "kl_to_data": 0.0, "confidence": 0.9}
    return found | changes


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"confidence": 0.6}, "the classifier is unsure: 0.60"),
        ({"class_shares": [0.55] + [0.05] * 9}, "class 0 makes up 55% of the drawings"),
        ({"kl_to_data": 0.5}, "the class shares are 0.50 nats from the data's"),
    ],
)
def test_verdicts_follow_the_figures(changes, reason, finished, dataset, classifier, tmp_path):
    folder, cells = finished
    plan = replace(PLAN, architectures=("dcgan",), objectives=("gan",))
    record = tmp_path / "dcgan-gan" / "cell.json"
    record.parent.mkdir()
    saved = json.loads((folder / "dcgan-gan" / "cell.json").read_text())
    record.write_text(json.dumps(saved | {"evaluation": judged(cells, **changes)}))
    (cell,) = run_stability(plan, dataset, classifier, tmp_path, **OPTIONS)
    assert cell.reason == reason and cell.trained == (not reason)
    save_stability_table(tmp_path, plan, [cell])
    written = json.loads((tmp_path / "stability.json").read_text())
    assert written["cells"] == [asdict(cell)] and written["plan"]["iterations"] == 2
    table = (tmp_path / "stability.md").read_text()
    assert ("| dcgan | 2 | trained: 0.00, 0.90 |" in table) == (not reason)


def test_the_command_leaves_a_table_and_a_picture(shared_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))
    app = typer.Typer()
    register(app)
    options = ["--dataset", SLICE, "--iterations", 1, "--width", 4, "--batch-rows", 4, "--rows", 20]
    chosen = ["--architecture", "mlp_generator", "--objective", "gan", "--objective", "lsgan"]

    def invoke(*arguments):
        return CliRunner().invoke(app, ["stability", "--out", *map(str, [tmp_path / "out", *arguments])])

    done = invoke(*options, *chosen)
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "out" / "stability.md").read_text().splitlines()
    assert lines[2] == "| architecture | updates | gan | lsgan |"
    assert lines[4].startswith("| mlp_generator | 1 | failed: ")
    with Image.open(tmp_path / "out" / "stability.png") as picture:
        assert min(picture.size) > 150
    wrong = invoke("--objective", "began")
    assert wrong.exit_code == 2 and "--objective must be one of gan, lsgan" in wrong.output
