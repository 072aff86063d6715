"""Objectives against hand computation, and the settings that go with them."""

import math
from dataclasses import replace

import pytest
import torch

from pentimento.models.adversarial.config import OneShotConfig
from pentimento.training.families.one_shot.config import OneShotTrainConfig
from pentimento.training.families.one_shot.objectives import OBJECTIVES

REAL, DRAWN = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 3.0])


def softplus(x):
    return math.log(1 + math.exp(x))


@pytest.mark.parametrize(
    ("name", "scorer", "generator"),
    [
        # Cross-entropies: softplus(-s) for data, softplus(s) for drawings.
        (
            "gan",
            (softplus(-2) + softplus(0)) / 2 + (softplus(-1) + softplus(3)) / 2,
            (softplus(1) + softplus(-3)) / 2,
        ),
        ("lsgan", ((1 + 1) / 2 + (1 + 9) / 2) / 2, (4 + 4) / 2 / 2),
        ("wgan", 1.0 - 1.0, -1.0),
        ("wgan_gp", 1.0 - 1.0, -1.0),
    ],
)
def test_losses_by_hand(name, scorer, generator):
    objective = OBJECTIVES[name]
    assert objective.scorer_loss(REAL, DRAWN, 1.0).item() == pytest.approx(scorer, abs=1e-6)
    assert objective.generator_loss(DRAWN).item() == pytest.approx(generator, abs=1e-6)
    # Scores come in bfloat16 under autocast; losses never do.
    half = objective.scorer_loss(REAL.bfloat16(), DRAWN.bfloat16(), 1.0)
    assert half.dtype == torch.float32 and half.item() == pytest.approx(scorer, abs=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_more_real_is_a_higher_score_for_both_players(name):
    objective = OBJECTIVES[name]
    real, drawn = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    objective.scorer_loss(real, drawn, 1.0).backward()
    assert real.grad < 0 <= drawn.grad  # least squares are content with drawings at 0
    drawn = torch.zeros(1, requires_grad=True)
    objective.generator_loss(drawn).backward()
    assert drawn.grad < 0


def test_smoothing_is_one_sided():
    """Its best score for data is the smoothed label; drawings keep theirs (Salimans et al., section 3.4)."""
    for name, best in (("gan", math.log(9)), ("lsgan", 0.9)):
        real = torch.tensor([best], requires_grad=True)
        far = torch.tensor([-30.0 if name == "gan" else 0.0])
        loss = OBJECTIVES[name].scorer_loss(real, far, 0.9)
        loss.backward()
        assert real.grad.item() == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="real_label must be 1 for wgan, whose critic has no labels"):
        config("wgan", real_label=0.9)


def config(settings_of, **changes):
    base = OneShotTrainConfig(
        recipe="x",
        dataset="mnist",
        epochs=1,
        objective=settings_of,
        model=OneShotConfig(width=2),
        **OBJECTIVES[settings_of].settings,
    )
    return replace(base, **changes)


def test_settings_are_those_of_the_papers():
    gan, lsgan, wgan, wgan_gp = (config(name) for name in ("gan", "lsgan", "wgan", "wgan_gp"))
    assert (gan.optimizer, gan.generator_rate, gan.beta1, gan.beta2) == ("adam", 2e-4, 0.5, 0.999)
    assert (lsgan.optimizer, lsgan.scorer_rate) == ("rmsprop", 1e-4)
    assert (wgan.optimizer, wgan.scorer_rate, wgan.weight_clip) == ("rmsprop", 5e-5, 0.01)
    assert (wgan_gp.optimizer, wgan_gp.scorer_rate, wgan_gp.beta1, wgan_gp.beta2) == ("adam", 1e-4, 0.5, 0.9)
    assert wgan_gp.gradient_penalty == 10 and wgan_gp.weight_clip is None
    assert [c.scorer_updates for c in (gan, lsgan, wgan, wgan_gp)] == [1, 1, 5, 5]
    assert [c.gradient_penalty for c in (gan, lsgan, wgan)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"objective": "began"}, "objective must be one of gan, lsgan, wgan, wgan_gp, got 'began'"),
        ({"optimizer": "sgd"}, "optimizer must be adam or rmsprop, got 'sgd'"),
        ({"scorer_updates": 0}, "scorer_updates must be at least 1, got 0"),
        ({"train_rows": 0}, "train_rows must be at least 1, got 0"),
        ({"decay_from": 2.0}, r"decay_from must lie in 0\.\.1, got 2\.0"),
        (
            {"model": OneShotConfig(scorer_norm="batch")},
            "a gradient penalty wants each image judged by itself",
        ),
        (
            {"model": OneShotConfig(minibatch_kernels=3)},
            "a gradient penalty wants each image judged by itself",
        ),
    ],
)
def test_impossible_configurations(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        config("wgan_gp", **changes)


def test_an_iteration_takes_a_batch_for_each_update_of_the_scorer():
    chosen = config("wgan_gp", batch_rows=50)
    assert chosen.iteration_rows == 250
    assert chosen.pass_iterations(60_000) == chosen.epoch_iterations(60_000) == 240
    few = replace(chosen, train_rows=1000, evaluation_iterations=100, epochs=3)
    assert (few.pass_iterations(60_000), few.epoch_iterations(60_000), few.iterations(60_000)) == (
        4,
        100,
        300,
    )
    with pytest.raises(
        ValueError,
        match="the data set has 200 training images, fewer than the 250 of an iteration, 5 batches of 50",
    ):
        chosen.iterations(200)
    falling = replace(chosen, decay_from=0.0)
    assert [falling.rate_factor(p) for p in (0, 0.25, 1)] == [1, 0.75, 0]
    assert [chosen.rate_factor(p) for p in (0, 0.5, 1)] == [1, 1, 1]


def test_a_configuration_survives_json():
    chosen = config("wgan", train_rows=7, historical_averaging=0.1)
    assert OneShotTrainConfig.from_json(chosen.to_json()) == chosen
    with pytest.raises(ValueError, match="unknown entry 'courage'"):
        OneShotTrainConfig.from_json(chosen.to_json() | {"courage": 3})


@pytest.mark.parametrize("label", [1.0, 0.9])
@pytest.mark.parametrize("name", [name for name, each in OBJECTIVES.items() if each.decision is not None])
def test_an_image_that_may_as_well_be_either_is_scored_on_the_line(name, label):
    objective = OBJECTIVES[name]
    score = torch.tensor([objective.decision(label)], requires_grad=True)
    objective.scorer_loss(score, score, label).backward()
    assert score.grad.item() == pytest.approx(0, abs=1e-6)
