"""A new family is a folder and a line: this one trains, goes on, is exported, judged and served."""

import io

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from pentimento.bundle.noise import draw
from pentimento.bundle.store import read_bundle
from pentimento.training.commands.main import register
from pentimento.training.families import table
from pentimento.training.loop.checkpoints import LATEST, CheckpointError, read_checkpoint, write_checkpoint
from tests.service.live import LiveServer
from tests.training.conftest import SLICE
from tests.training.families.toy import family
from tests.training.run_folders import timeless

CPU = torch.device("cpu")


class KilledError(Exception):
    """As if the process had been killed; commands know nothing of it."""


@pytest.fixture
def run(shared_cache, monkeypatch, tmp_path):
    """The training commands, in a folder of their own, with one more family in the table."""
    monkeypatch.setattr(table, "FAMILIES", (*table.FAMILIES, family.FADING))
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)

    def invoke(*arguments):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return invoke


def train(run, folder, *options):
    return run("train", "fading-mnist", "--dataset", SLICE, "--device", "cpu", "--out", folder, *options)


def test_trains_goes_on_is_exported_judged_and_served(run, tmp_path, monkeypatch):
    assert "fading-mnist" in run("recipes")
    assert "model: 1,568 parameters" in train(run, "none", "--dry-run")
    assert "Best: epoch 2 of 2, error" in train(run, "whole", "--epochs", 2)  # two iterations an epoch

    fit, done = family.fit, 0

    def interrupted(*args):
        nonlocal done
        done += 1
        if done == 4:
            raise KilledError
        return fit(*args)

    monkeypatch.setattr(family, "fit", interrupted)
    with pytest.raises(KilledError):
        train(run, "broken", "--epochs", 2)
    assert "Going on after iteration 2." in train(run, "broken", "--epochs", 2, "--resume")
    assert timeless(tmp_path / "broken") == timeless(tmp_path / "whole")

    exported = run("export", "whole", "--name", "fading", "--rows", 10)
    assert "torch and ONNX Runtime differ by" in exported and "error" in exported
    assert "kl_to_data" in run("evaluate", "zoo/fading", "--rows", 20, "--dataset", SLICE)
    manifest = read_bundle(tmp_path / "zoo" / "fading").manifest
    record = read_checkpoint(tmp_path / "whole" / LATEST)
    evaluation = manifest.provenance.evaluation
    assert evaluation["error"] == pytest.approx(record["history"][-1]["error"])
    assert evaluation["reporting_classifier"]["rows"] == 10, "the export's own, as of every bundle that draws"

    server = LiveServer(tmp_path / "zoo", calibrate=False)
    try:
        with server.client() as client:
            options = {"params": {"steps": 3, "seed": 5, "n": 2}, "headers": {"Accept": "application/x-npy"}}
            answer = client.post("/generate", **options)
    finally:
        server.close()
    served = torch.from_numpy(np.load(io.BytesIO(answer.content)))
    weights = record["players"]["average"]
    latent = torch.from_numpy(draw(5, "latent", (1, 28, 28), rows=range(2)))
    expected = [(weights["mean"] + weights["spread"] * latent / (t + 1)).clamp(0, 1) for t in range(3)]
    torch.testing.assert_close(served, torch.stack(expected, dim=1), rtol=0, atol=1e-6)


def test_a_checkpoint_says_its_family(run, tmp_path):
    train(run, "whole")
    record = read_checkpoint(tmp_path / "whole" / LATEST)
    assert record["family"] == "fading"
    for change in ({}, {"family": None}):  # as named now, and as from before families were named
        write_checkpoint(tmp_path / "other.pt", {**record, **change})
        assert type(table.load_result(tmp_path / "other.pt", CPU).config) is family.FadingConfig
    write_checkpoint(tmp_path / "other.pt", {**record, "family": "sketch"})
    with pytest.raises(CheckpointError, match="of the family 'sketch' that this version does not know"):
        table.load_result(tmp_path / "other.pt", CPU)


def test_names_of_families_and_recipes_are_unique():
    names = [each.name for each in table.FAMILIES]
    assert len(set(names)) == len(names)
    assert len(table.recipes()) == sum(len(each.recipes) for each in table.FAMILIES)
    assert len({each.config for each in table.FAMILIES}) == len(names)
