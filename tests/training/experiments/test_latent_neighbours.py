"""Two latents: recipes with several seeds, each asked once, a scatter and a row a training."""

from dataclasses import replace

import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from pentimento.training.commands.main import register
from pentimento.training.experiments.latent_neighbours import (
    RECIPES,
    NeighbourPlan,
    neighbour_config,
    neighbour_table,
    run_neighbours,
    save_scatter_picture,
)
from pentimento.training.experiments.trainer import Trainer
from pentimento.training.families.table import recipe
from tests.training.conftest import SLICE

PLAN = NeighbourPlan(dataset=str(SLICE), epochs=1, train_rows=64, asked_rows=40)
TRAINER = Trainer(device=torch.device("cpu"), precision="float32")


def test_they_are_the_recipes_with_a_seed():
    plan = NeighbourPlan()
    for name in RECIPES:
        config, base = neighbour_config(plan, name, 2), recipe(name)
        assert config.model == base.model and config.model.latent_dim == 2 and config.epochs == base.epochs
        assert replace(config, recipe=name, seed=1, sheet_iterations=base.sheet_iterations) == base


@pytest.fixture(scope="module")
def finished(dataset, tmp_path_factory):
    """Both models of one seed, trained once."""
    folder = tmp_path_factory.mktemp("neighbours")
    return folder, list(run_neighbours(PLAN, dataset, folder, seeds=1, trainer=TRAINER))


def test_both_are_trained_and_asked(finished):
    _, found = finished
    assert [each["recipe"] for each in found] == list(RECIPES)
    for each in found:
        assert 0 <= each["low"] <= each["error"] <= each["high"] <= 1
        assert each["rows"] == 40 == len(each["places"]) == len(each["labels"])
        assert all(len(place) == 2 for place in each["places"]) and each["nats"] > 0


def test_finished_ones_stay_and_others_are_refused(finished, dataset, monkeypatch):
    folder, found = finished
    monkeypatch.setattr(Trainer, "run", None)
    assert list(run_neighbours(PLAN, dataset, folder, seeds=1, trainer=TRAINER)) == found
    with pytest.raises(ValueError, match="was made with another config"):
        next(run_neighbours(replace(PLAN, epochs=2), dataset, folder, seeds=1, trainer=TRAINER))


def test_table_and_picture(finished, tmp_path):
    _, found = finished
    lines = neighbour_table(found).splitlines()
    assert (
        len(lines) == 6 and lines[3].startswith("| vae2d-mnist | mean | ") and lines[3].endswith("| 22.9 |")
    )
    assert lines[5].endswith("| 7.2 |")
    assert len(neighbour_table(found[:1]).splitlines()) == 4
    save_scatter_picture(tmp_path / "scatter.png", found[:1])
    with Image.open(tmp_path / "scatter.png") as picture:
        assert min(picture.size) > 250


def test_the_command(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)
    small = "--dataset", str(SLICE), "--seeds", "1", "--epochs", "1", "--train-rows", "64", "--rows", "20"
    done = CliRunner().invoke(app, ["experiment", "latent-neighbours", *small])
    assert done.exit_code == 0, done.output
    assert "pixelvae2d-mnist, seed 1: neighbours err on " in done.output
    files = {path.name for path in (tmp_path / "runs" / "latent-neighbours").iterdir()}
    kept = {f"latent-neighbours.{kind}" for kind in ("md", "json", "png")}
    assert files == kept | {f"{name}-seed1" for name in RECIPES}


@pytest.mark.parametrize(("name", "least"), [("train_rows", 1), ("epochs", 1), ("asked_rows", 10)])
def test_plans_have_limits(name, least):
    with pytest.raises(ValueError, match=f"{name} must be at least {least}, got {least - 1}"):
        NeighbourPlan(**{name: least - 1})
