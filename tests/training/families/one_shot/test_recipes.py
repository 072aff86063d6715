"""Every recipe of a one-shot generator trains, in its own precision and with its own options, but narrow."""

import math
from dataclasses import replace

import pytest
import torch

from pentimento.training.families.one_shot.recipes import ONE_SHOT_RECIPES
from pentimento.training.families.table import recipe, rehearse
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.run_log import RunLog
from tests.training.families.test_recipes import color_dataset
from tests.training.trainings import train

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ONE_SHOT_RECIPES)
def test_a_recipe_trains_on_a_slice(name, dataset, tmp_path):
    config = recipe(name)
    assert config.recipe == name and recipe(name) == config
    assert type(config).from_json(config.to_json()) == config
    assert (ONE_SHOT_RECIPES[name].__doc__ or "").count(f"pentimento train {name}") == 1
    color = config.model.channels == 3
    small = replace(
        config,
        model=replace(config.model, width=4, latent_dim=6),
        epochs=1,
        evaluation_iterations=2,
        batch_rows=4,
        evaluation_rows=20,
        statistics_rows=20,
        held_out_rows=20,
        log_iterations=1,
        sheet_iterations=1,
    )
    classifier = Classifier(*config.image_shape[:2], 10).eval()
    chosen = color_dataset() if color else dataset
    outcome = train(small, chosen, classifier, tmp_path, device=CPU, precision="bfloat16")
    assert outcome.iterations == 2 and outcome.stopped is None
    assert (outcome.best.label_accuracy is not None) == (config.model.class_count == 10)
    lines = RunLog(tmp_path / "log.jsonl", (tmp_path / "log.jsonl").stat().st_size).lines()
    updates = [line for line in lines if line["kind"] == "updates"]
    assert len(updates) == 2
    assert all(math.isfinite(value) for line in updates for value in list(line.values())[2:])
    assert ("gradient_norm" in updates[0]) == (config.gradient_penalty > 0)


def test_recipes_of_one_comparison_differ_in_their_objective_only():
    dcgan, lsgan = recipe("dcgan-mnist"), recipe("lsgan-mnist")
    assert dcgan.model == lsgan.model and lsgan.real_label == 1.0 and lsgan.optimizer == "rmsprop"
    penalised, clipped = recipe("wgan-gp-mnist"), recipe("wgan-mnist")
    assert penalised.model == clipped.model and penalised.epochs == clipped.epochs
    assert (clipped.weight_clip, clipped.gradient_penalty) == (0.01, 0)
    assert (penalised.weight_clip, penalised.gradient_penalty) == (None, 10)


def test_an_estimate_counts_and_measures():
    config = recipe("acgan-mnist")
    narrow = replace(config, model=replace(config.model, width=2), batch_rows=2)
    parameters, seconds = rehearse(narrow, CPU, "float32", tries=1)
    assert set(parameters) == {"generator", "scorer"} and seconds > 0
