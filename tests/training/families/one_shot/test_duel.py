"""A duel: which weights an iteration changes, with what, and who is told which class."""

import numpy as np
import pytest
import torch

from pentimento.models.adversarial.base import Judgement
from pentimento.training.families.one_shot.iteration import duel, scorer_terms
from tests.training.families.one_shot.small_training import (
    CLASSIFIED,
    CONDITIONED,
    players_of,
    small,
    weights_of,
)
from tests.training.families.one_shot.toys import toy_config, toy_players


def batch(config):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(config.iteration_rows, *config.image_shape, generator=generator)
    return image, torch.arange(config.iteration_rows) % 10


CASES = {
    "gan": small("gan"),
    "gan in bfloat16": small("gan"),
    "lsgan": small("lsgan"),
    "wgan": small("wgan"),
    "wgan_gp": small("wgan_gp"),
    "gan with a gradient penalty": small("gan", gradient_penalty=1.0),
    "cgan": small("gan", model=CONDITIONED),
    "acgan": small("wgan_gp", model=CLASSIFIED),
    "feature matching": small("gan", feature_matching=True),
    "historical averaging": small("gan", historical_averaging=0.1),
    "minibatch discrimination": small("gan", model={"minibatch_kernels": 3}),
    "recurrent discrimination": small("gan", model={"group_size": 2}),
    "normalised scorer": small("lsgan", model={"scorer_norm": "batch"}),
}


@pytest.mark.parametrize("name", CASES)
def test_an_iteration_changes_all_weights_of_both_players(name):
    config = CASES[name]
    players = players_of(config)
    everything = [*players.generator.named_parameters(), *players.scorer.named_parameters()]
    before = [parameter.clone() for _, parameter in everything]
    torch.manual_seed(0)
    figures = duel(players, config, *batch(config), "bfloat16" if "bfloat16" in name else "float32")
    same = [
        key for (key, parameter), old in zip(everything, before, strict=True) if torch.equal(parameter, old)
    ]
    # A constant added to all scores changes nothing for a critic, and at the start little for the others.
    assert set(same) <= {"head.score.bias"}
    assert all(np.isfinite(value) for value in figures.values())
    expected = {"generator_loss", "scorer_loss"}
    expected |= {"score_gap"} if config.objective.startswith("wgan") else {"scorer_accuracy"}
    expected |= {"gradient_norm"} if config.gradient_penalty else set()
    expected |= {"class_loss"} if "acgan" in name else set()
    assert set(figures) == expected
    assert all(parameter.requires_grad for parameter in players.scorer.parameters())
    if config.weight_clip:
        assert max(parameter.abs().max() for parameter in players.scorer.parameters()) <= 0.01


def test_the_scorer_is_updated_on_every_batch_and_the_generator_once():
    config = small("gan", scorer_updates=3)
    players = players_of(config)
    steps = {"generator": 0, "scorer": 0}
    for name in steps:
        optimizer = getattr(players, f"{name}_optimizer")

        def counted(name=name, step=optimizer.step):
            steps[name] += 1
            return step()

        optimizer.step = counted
    seen = []
    players.scorer.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].detach().clone()))
    image, label = batch(config)
    duel(players, config, image, label, "float32")
    assert steps == {"generator": 1, "scorer": 3}
    for part in image.chunk(3):
        assert sum(torch.equal(part, given) for given in seen) == 1


class Told(torch.nn.Module):
    """A scorer that says what it is told to."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.nn.Parameter(logits)

    def forward(self, image, label=None):
        sign = 1.0 if image.mean() > 0.5 else -1.0  # data are white here, drawings black
        return Judgement(
            image.flatten(1).mean(1), image.flatten(1), sign * self.logits.expand(len(image), -1)
        )


@pytest.mark.parametrize("both", [False, True])
def test_the_classifier_learns_from_data_and_in_acgan_from_drawings_too(both):
    config = small("wgan", model=CLASSIFIED, classify_drawn=both)
    logits = torch.zeros(10)
    logits[3] = 2.0
    real, drawn, label = torch.ones(4, 1, 28, 28), torch.zeros(4, 1, 28, 28), torch.full((4,), 3)
    terms = scorer_terms(Told(logits), config, real, drawn, label, torch.rand(4), "float32")
    seen = np.log(np.exp(2) + 9) - 2  # cross-entropy of the data, whose class it is sure of
    unseen = np.log(np.exp(-2) + 9) + 2  # of the drawings, which it takes for anything else
    assert terms.class_loss.item() == pytest.approx(seen + (unseen if both else 0), rel=1e-5)
    assert terms.loss.item() == pytest.approx(-1)  # drawings score 0, data 1


def test_class_weights_reach_the_player_that_they_are_for():
    def moved(**weights):
        config = small("wgan_gp", model=CLASSIFIED, scorer_updates=1, **weights)
        players = players_of(config)
        torch.manual_seed(0)
        duel(players, config, *batch(config), "float32")
        return weights_of(players.generator), weights_of(players.scorer)

    both = {"scorer_class_weight": 1.0, "generator_class_weight": 0.1}
    generator, scorer = moved(**both)
    less_generator, same_scorer = moved(**both | {"generator_class_weight": 0.0})
    assert torch.equal(scorer, same_scorer) and not torch.equal(generator, less_generator)
    _, less_scorer = moved(**both | {"scorer_class_weight": 0.0})
    assert not torch.equal(scorer, less_scorer)


@pytest.mark.parametrize("conditioning", ["concat", "classifier"])
def test_drawings_are_asked_for_the_classes_of_the_data(conditioning):
    config = small("wgan_gp", model={"class_count": 10, "conditioning": conditioning})
    players = players_of(config)
    asked, told = [], []
    players.generator.register_forward_pre_hook(lambda module, inputs: asked.append(inputs[1]))
    players.scorer.register_forward_pre_hook(lambda module, inputs: told.append(inputs[1]))
    image, label = batch(config)
    label = (label * 7 + 3) % 10
    duel(players, config, image, label, "float32")
    first, second = label.chunk(2)
    assert [given.tolist() for given in asked] == [first.tolist(), second.tolist(), second.tolist()]
    if conditioning == "classifier":
        assert all(given is None for given in told), "it must name the class, and so is not told it"
    else:  # data, drawings and what lies between; in the end the generator's
        assert [given.tolist() for given in told] == [first.tolist()] * 3 + [second.tolist()] * 4


@pytest.mark.parametrize("matching", [False, True])
def test_a_generator_that_matches_features_does_not_care_for_scores(matching):
    def moved(factor):
        config = toy_config("gan", feature_matching=matching, batch_rows=32, scorer_rate=0.0)
        players = toy_players(config)
        with torch.no_grad():
            players.scorer.last.weight.mul_(factor)
        torch.manual_seed(0)
        duel(players, config, torch.randn(32, 2, 1, 1), torch.zeros(32, dtype=torch.int64), "float32")
        return weights_of(players.generator)

    assert torch.equal(moved(1.0), moved(-1.0)) == matching


def test_a_history_holds_both_players_back():
    def distance(weight):
        config = toy_config("gan", historical_averaging=weight, batch_rows=32)
        players = toy_players(config)
        start = weights_of(players.scorer)
        for iteration in range(20):
            torch.manual_seed(iteration)
            duel(players, config, torch.randn(32, 2, 1, 1), torch.zeros(32, dtype=torch.int64), "float32")
        return (weights_of(players.scorer) - start).norm()

    assert distance(100.0) < 0.7 * distance(1e-9)
