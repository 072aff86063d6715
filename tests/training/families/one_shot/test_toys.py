"""Gaussians in a ring and in a grid: WGAN-GP finds them all, and its critic has the slope it should have."""

import pytest
import torch

from pentimento.training.families.one_shot.iteration import duel
from pentimento.training.families.one_shot.penalties import gradient_norms, interpolate
from tests.training.families.one_shot.toys import distribution, toy_config, toy_players

# Larger rates and a lighter penalty than for pictures, so that seconds are enough; the authors have 0.1.
GP = {"generator_rate": 3e-3, "scorer_rate": 3e-3, "gradient_penalty": 1.0, "batch_rows": 128}
CLIP = {"generator_rate": 5e-4, "scorer_rate": 5e-4, "batch_rows": 128}


def points(name, rows):
    centres, deviation = distribution(name)
    chosen = centres[torch.randint(len(centres), (rows,))]
    return (chosen + deviation * torch.randn(rows, 2))[:, :, None, None]


def learn(config, name, iterations):
    players = toy_players(config)
    torch.manual_seed(1)
    for iteration in range(iterations):
        real = points(name, config.iteration_rows)
        duel(players, config, real, torch.zeros(len(real), dtype=torch.int64), "float32")
        players.update_average(iteration)
    return players


def modes(players, name, rows=2000):
    """Centres that a fair part of the drawings lies near."""
    centres, _ = distribution(name)
    with torch.no_grad():
        drawn = players.average(torch.randn(rows, 2)).flatten(1)
    distance, index = torch.cdist(drawn, centres).min(dim=1)
    counts = torch.bincount(index[distance < 0.25], minlength=len(centres))
    return int((counts > 0.2 * rows / len(centres)).sum())


def slopes(players, name):
    real = points(name, 500)
    drawn = players.generator(torch.randn(500, 2)).detach()
    between = interpolate(real, drawn, torch.rand(500))
    return gradient_norms(lambda x: players.scorer(x).score, between, learn=False)


def share_at_limit(players):
    """Of the critic's weights, those within a hundredth of the largest."""
    weights = torch.cat([p.detach().flatten() for p in players.scorer.parameters()]).abs()
    return (weights > 0.99 * weights.max()).float().mean().item()


@pytest.fixture(scope="module")
def penalised():
    return learn(toy_config("wgan_gp", **GP), "ring", 160)


@pytest.fixture(scope="module")
def clipped():
    return learn(toy_config("wgan", **CLIP), "ring", 160)


def test_wgan_gp_finds_all_modes(penalised):
    untrained = toy_players(toy_config("wgan_gp", **GP))
    assert modes(untrained, "ring") < 4
    assert modes(penalised, "ring") == 8


def test_wgan_gp_finds_nearly_all_of_25_modes():
    config = toy_config("wgan_gp", **{**GP, "gradient_penalty": 0.1, "batch_rows": 256})
    assert modes(toy_players(config), "grid") < 5
    assert modes(learn(config, "grid", 100), "grid") >= 20


def test_its_critic_has_slope_one_between_data_and_drawings(penalised):
    norms = slopes(penalised, "ring")
    assert 0.8 < norms.mean() < 1.3 and norms.std() < 0.4
    assert share_at_limit(penalised) < 0.01


def test_a_clipped_critic_is_nearly_flat_and_its_weights_pile_up_at_the_limit(clipped):
    norms = slopes(clipped, "ring")
    assert norms.mean() < 0.1
    assert share_at_limit(clipped) > 0.3
    assert max(p.abs().max().item() for p in clipped.scorer.parameters()) <= 0.01
