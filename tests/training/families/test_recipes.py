"""Every recipe trains; configurations survive a checkpoint; objectives by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.families.non_saturating import decision_logit, generator_loss, scorer_loss
from pentimento.training.families.recurrent.config import RecurrentConfig
from pentimento.training.families.recurrent.iteration import dense_penalty
from pentimento.training.families.recurrent.recipes import RECURRENT_RECIPES
from pentimento.training.families.table import recipe, recipes
from pentimento.training.loop.run_log import Meters, RunLog
from tests.training.trainings import train

CPU = torch.device("cpu")


def color_dataset():
    random = np.random.default_rng(0)
    split = Split(
        images=random.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8),
        labels=np.arange(20, dtype=np.int64) % 10,
    )
    return Dataset(name="colors", class_names=tuple("0123456789"), train=split, test=split, sha256="0" * 64)


@pytest.mark.parametrize(
    "name", RECURRENT_RECIPES
)  # others: test_likelihood_training.py, test_one_shot_recipes.py
def test_a_recipe_trains_on_a_slice(name, dataset, tmp_path):
    from pentimento.training.judging.classifier import Classifier

    config = recipe(name)
    assert config.recipe == name and recipe(name) == config
    assert (recipes()[name].__doc__ or "").count(f"pentimento train {name}") == 1
    color = config.model.channels == 3
    model = replace(config.model, widths=tuple(max(width // 8, 2) for width in config.model.widths))
    small = replace(
        config,
        model=model,
        epochs=1,
        batch_rows=10 if color else 100,
        evaluation_rows=20,
        statistics_rows=20,
        log_iterations=1,
    )
    classifier = Classifier(model.channels, model.image_size, 10).eval()
    chosen = color_dataset() if color else dataset
    outcome = train(small, chosen, classifier, tmp_path, device=CPU, precision="float32")
    assert outcome.best.step_count == config.model.step_count
    lines = RunLog(tmp_path / "log.jsonl", (tmp_path / "log.jsonl").stat().st_size).lines()
    assert all(math.isfinite(line["generator_loss"]) for line in lines if line["kind"] == "updates")


def test_unknown_recipes_name_the_known_ones():
    with pytest.raises(ValueError, match="there is no recipe 'gran4'; there are gran1-mnist, "):
        recipe("gran4")


@pytest.mark.parametrize("name", recipes())
def test_a_configuration_survives_a_checkpoint(name):
    config = recipe(name)
    assert type(config).from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"decay_from": 1.5}, r"decay_from must lie in 0\.\.1, got 1\.5"),
    ],
)
def test_impossible_configurations(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(recipe("gran1-mnist"), **values)
    few = "5 training images, fewer than the 100 of an iteration; take smaller batches with --batch-rows"
    with pytest.raises(ValueError, match=few):
        recipe("gran1-mnist").iterations(5)


def test_rates_are_constant_then_fall_to_zero():
    config: RecurrentConfig = replace(recipe("gran1-mnist"), decay_from=0.5)
    assert [config.rate_factor(progress) for progress in (0, 0.5, 0.75, 1)] == [1, 1, 0.5, 0]


def test_losses_by_hand():
    zero = torch.zeros(3)
    assert scorer_loss(zero, zero, 0.9).item() == pytest.approx(2 * math.log(2))
    assert generator_loss(zero).item() == pytest.approx(math.log(2))
    real = torch.tensor([2.0])
    p = 1 / (1 + math.exp(-2))
    assert scorer_loss(real, torch.tensor([-50.0]), 0.9).item() == pytest.approx(
        -0.9 * math.log(p) - 0.1 * math.log(1 - p), rel=1e-5
    )
    # The non-saturating loss keeps its gradient where the scorer is sure of a fake.
    logits = torch.tensor([-20.0], requires_grad=True)
    generator_loss(logits).backward()
    assert logits.grad.item() == pytest.approx(-1, abs=1e-6)


@pytest.mark.parametrize("label", [1.0, 0.9, 0.7])
def test_the_line_between_data_and_drawings_follows_the_label(label):
    """Where data and drawings are equally likely, the loss is lowest at that logit."""
    logit = torch.tensor([decision_logit(label)], requires_grad=True)
    scorer_loss(logit, logit, label).backward()
    assert logit.grad.item() == pytest.approx(0, abs=1e-6)
    assert 1 / (1 + math.exp(-decision_logit(label))) == pytest.approx(label / 2)


def test_the_penalty_is_on_dense_weights_only():
    layers = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Conv2d(1, 1, 1))
    torch.nn.init.constant_(layers[0].weight, 3.0)
    assert dense_penalty(layers).item() == pytest.approx(9.0)


def test_meters_and_log_go_on_where_they_were(tmp_path):
    meters = Meters()
    meters.add({"loss": 1.0})
    again = Meters(**meters.to_json())
    again.add({"loss": 2.0})
    assert again.means() == {"loss": 1.5}
    log = RunLog(tmp_path / "log.jsonl")
    log.write("updates", {"iteration": 1})
    kept = log.length
    log.write("updates", {"iteration": 2})
    resumed = RunLog(tmp_path / "log.jsonl", kept)
    resumed.write("updates", {"iteration": 3})
    assert [line["iteration"] for line in resumed.lines()] == [1, 3]
