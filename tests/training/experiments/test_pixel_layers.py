"""Pixel layers: none of them is a VAE, every one is measured once, the table has both systems."""

from dataclasses import replace

import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner

from pentimento.models.latent.pixelvae import PixelVAEConfig
from pentimento.models.latent.vae import VAEConfig
from pentimento.training.commands.main import register
from pentimento.training.experiments.pixel_layers import (
    LAYERS,
    LayerPlan,
    layer_config,
    layer_table,
    run_layers,
    save_layer_picture,
)
from pentimento.training.experiments.trainer import Trainer
from tests.training.conftest import SLICE

PLAN = LayerPlan(dataset=str(SLICE), train_rows=64, epochs=1, asked_rows=20, features=2, latent_dim=2)
TRAINER = Trainer(device=torch.device("cpu"), precision="float32")


def test_models_differ_in_their_layers_only():
    assert LAYERS == (0, 1, 2, 3, 4, 5, 6)
    first, none = layer_config(PLAN, "pixelvae", 3), layer_config(PLAN, "pixelvae", 0)
    assert isinstance(first.model, PixelVAEConfig) and isinstance(none.model, VAEConfig)
    assert (first.model.widths, first.model.latent_dim) == (none.model.widths, none.model.latent_dim)
    assert replace(first, recipe="", model=none.model) == replace(none, recipe="")
    assert first.free_nats == 0 and layer_config(PLAN, "pixelcnn", 2).model.layers == 2
    for system, layers in (("pixelcnn", 0), ("pixelvae", -1), ("flow", 1)):
        with pytest.raises(ValueError, match=f"there is no '{system}' of {layers} pixel layers"):
            layer_config(PLAN, system, layers)


def test_each_is_trained_once(dataset, tmp_path, monkeypatch):
    found = list(run_layers(PLAN, dataset, tmp_path, layers=(0, 1), trainer=TRAINER))
    assert [(each["system"], each["layers"]) for each in found] == [
        ("pixelvae", 0),
        ("pixelvae", 1),
        ("pixelcnn", 1),
    ]
    assert all(each["nats"] > 0 and each["rows"] == 20 for each in found)
    assert found[0]["kl"] > 0 and found[2]["kl"] is None and found[0]["binarisation"] == "dynamic"
    monkeypatch.setattr(Trainer, "run", None)
    assert list(run_layers(PLAN, dataset, tmp_path, layers=(0, 1), trainer=TRAINER)) == found
    with pytest.raises(ValueError, match="was made with another config"):
        next(run_layers(replace(PLAN, epochs=2), dataset, tmp_path, trainer=TRAINER))
    lines = layer_table(found).splitlines()
    assert len(lines) == 4 and lines[2].startswith("| 0 | ≤ ") and lines[2].endswith("| - |")
    save_layer_picture(tmp_path / "layers.png", found)
    with Image.open(tmp_path / "layers.png") as picture:
        assert min(picture.size) > 300


def test_the_command(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)
    small = "--dataset", str(SLICE), "--layers", "0", "--epochs", "1", "--train-rows", "64", "--rows", "20"
    done = CliRunner().invoke(app, ["experiment", "pixel-layers", *small])
    assert done.exit_code == 0, done.output
    assert "pixelvae of 0 pixel layers: " in done.output
    files = {path.name for path in (tmp_path / "runs" / "pixel-layers").iterdir()}
    assert files == {"pixel-layers.md", "pixel-layers.json", "pixel-layers.png", "pixelvae-0-layers"}


@pytest.mark.parametrize(("name", "least"), [("train_rows", 1), ("epochs", 1), ("asked_rows", 10)])
def test_plans_have_limits(name, least):
    with pytest.raises(ValueError, match=f"{name} must be at least {least}, got {least - 1}"):
        LayerPlan(**{name: least - 1})
