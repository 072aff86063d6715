"""The averaged generator draws from the server's noise, with statistics that are its own."""

import numpy as np
import pytest
import torch
from torch import nn

from pentimento.bundle.noise import draw
from pentimento.models.adversarial.architectures import build_one_shot
from pentimento.training.families.one_shot.drawing import (
    asked_labels,
    draw_chunks,
    freeze_statistics,
    prior_latents,
)
from pentimento.training.families.one_shot.judge import OneShotJudge
from tests.training.families.one_shot.small_training import CONDITIONED, SMALL, players_of, small, weights_of


@pytest.fixture
def generator():
    return build_one_shot(SMALL.model, 1)[0]


def test_latents_are_the_servers_and_classes_come_in_turn(generator):
    expected = draw(5, "latent", (6,), rows=range(3, 9))
    assert np.array_equal(prior_latents(generator, range(3, 9), 5).numpy(), expected)
    assert asked_labels(range(3, 9), 4).tolist() == [3, 0, 1, 2, 3, 0]
    assert asked_labels(range(3), 0) is None


def test_a_drawing_does_not_depend_on_how_many_there_are(generator):
    freeze_statistics(generator, 600, seed=2)
    many = torch.cat(list(draw_chunks(generator, 520, 5)))
    few = torch.cat(list(draw_chunks(generator, 3, 5)))
    assert many.shape == (520, 1, 1, 28, 28)
    torch.testing.assert_close(many[:3], few)


def test_statistics_are_the_means_over_the_latents(generator):
    """With them, hidden maps are normalised over the latents that they were collected from."""
    first = generator.norms[0].norm
    seen = []
    first.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0], output)))
    freeze_statistics(generator, 1000, seed=2)
    assert not generator.training and first.momentum == 0.1
    maps = torch.cat([inputs for inputs, _ in seen])
    torch.testing.assert_close(first.running_mean, maps.mean((0, 2, 3)), rtol=0, atol=1e-6)
    torch.testing.assert_close(first.running_var, maps.var((0, 2, 3)), rtol=2e-2, atol=1e-9)
    before = first.running_mean.clone()
    freeze_statistics(generator, 1000, seed=2)
    assert torch.equal(first.running_mean, before), "collected anew, not on top of the old"
    with torch.no_grad():
        generator.linear.weight.mul_(3)
    freeze_statistics(generator, 1000, seed=2)
    torch.testing.assert_close(first.running_mean, 3 * before)


def test_the_average_is_judged_with_statistics_of_its_own(dataset, classifier):
    players = players_of(SMALL)
    with torch.no_grad():
        for parameter in players.generator.parameters():
            parameter.add_(1.0)
    difference = weights_of(players.generator) - weights_of(players.average)
    torch.testing.assert_close(difference, torch.ones_like(difference))
    players.update_average(iteration=90)  # decay (1 + 90) / (10 + 90)
    difference = weights_of(players.generator) - weights_of(players.average)
    torch.testing.assert_close(difference, torch.full_like(difference, 0.91))
    OneShotJudge(SMALL, dataset, classifier, players).evaluate()
    norms = [module for module in players.average.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms and all(norm.running_mean.abs().max() > 0 for norm in norms)


def test_a_sheet_of_a_conditional_generator_has_a_row_a_class(dataset, classifier, tmp_path, monkeypatch):
    config = small("gan", model=CONDITIONED)
    players = players_of(config)
    asked = []
    judge = OneShotJudge(config, dataset, classifier, players)
    players.average.register_forward_pre_hook(lambda module, inputs: asked.append(inputs[1]))
    judge.save_pictures(tmp_path, 3)
    assert asked[-1].tolist() == [row for row in range(10) for _ in range(10)]
    assert (tmp_path / "sheets" / "000003.png").is_file()
