"""A duel changes what it should; interrupted and resumed it ends the same; the judge sees what it should."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import training.loop
import training.one_shot
import training.plots
from models.one_shot import Judgement
from models.one_shot_models import build_one_shot
from tests.training.one_shot_toys import toy_config, toy_players
from tests.training.small_one_shot import SMALL, small
from tests.training.test_one_shot_drawing import weights_of
from training.checkpoints import LATEST, CheckpointError, read_checkpoint
from training.datasets import Split
from training.loop import train
from training.one_shot import duel, scorer_terms
from training.one_shot_judge import OneShotJudge, scorer_loss_on
from training.one_shot_players import OneShotPlayers

CPU = torch.device("cpu")
OPTIONS = {"device": CPU, "precision": "float32"}
CONDITIONED = {"class_count": 10, "conditioning": "concat"}
CLASSIFIED = {"class_count": 10, "conditioning": "classifier"}


def players_of(config):
    return OneShotPlayers(config, *build_one_shot(config.model, config.seed), CPU)


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


def timeless(folder):
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if not key.startswith("wall_")} for line in lines]


@pytest.mark.parametrize("historical", [0.0, 0.1])
def test_interrupted_and_resumed_gives_the_weights_and_log_of_an_uninterrupted_training(
    historical, dataset, classifier, tmp_path, monkeypatch
):
    config = replace(SMALL, historical_averaging=historical)
    outcome = train(config, dataset, classifier, tmp_path / "whole", **OPTIONS)
    assert outcome.iterations == 8
    done = 0

    def failing(*args):
        nonlocal done
        done += 1
        if done == 6:
            raise InterruptedError
        return duel(*args)

    monkeypatch.setattr(training.loop, "duel", failing)
    with pytest.raises(InterruptedError):
        train(config, dataset, classifier, tmp_path / "broken", **OPTIONS)
    monkeypatch.undo()
    assert read_checkpoint(tmp_path / "broken" / LATEST)["iteration"] == 4
    train(config, dataset, classifier, tmp_path / "broken", resume=True, **OPTIONS)
    ours, theirs = (read_checkpoint(tmp_path / name / LATEST)["players"] for name in ("whole", "broken"))
    for name in ("average", "generator", "scorer"):
        assert all(torch.equal(ours[name][key], theirs[name][key]) for key in ours[name])
    assert timeless(tmp_path / "whole") == timeless(tmp_path / "broken")
    with pytest.raises(CheckpointError, match="another configuration"):
        train(
            replace(config, objective="gan"), dataset, classifier, tmp_path / "whole", resume=True, **OPTIONS
        )


def test_the_critics_curves_are_logged_and_plotted(dataset, classifier, tmp_path, monkeypatch):
    plotted = {}

    def spy(figure, titled, path):
        plotted.update({title: axes.get_lines() for axes, title in titled})
        finish(figure, titled, path)

    finish = training.plots._finish
    monkeypatch.setattr(training.plots, "_finish", spy)
    train(SMALL, dataset, classifier, tmp_path, **OPTIONS)
    judged = [line for line in timeless(tmp_path) if line["kind"] == "evaluation"]
    assert [line["iteration"] for line in judged] == [4, 8]
    seen, unseen = plotted["negative scorer's loss"]
    assert list(seen.get_xdata()) == list(unseen.get_xdata()) == [4, 8]
    assert list(seen.get_ydata()) == [-line["scorer_loss_train"] for line in judged]
    assert list(unseen.get_ydata()) == [-line["scorer_loss_held_out"] for line in judged]
    assert seen.get_label() == "training images" and unseen.get_label() == "held-out images"
    names = {line.get_label() for line in plotted["scorer"]}
    assert names == {"data's mean score less drawings'", "gradient norm between them"}
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")}
    assert files == {"curves.png", "sheets/000006.png"}


def test_a_critic_that_knows_its_images_by_heart_shows_in_its_loss(dataset):
    """Fitted to ten images, it tells them from drawings better than ten others."""
    config = small("wgan_gp", scorer_rate=3e-3, batch_rows=10, scorer_updates=1, generator_rate=1e-9)
    players = players_of(config)
    few = Split(images=dataset.train.images[:10], labels=dataset.train.labels[:10])
    image = torch.from_numpy(few.images).float() / 255
    before = scorer_loss_on(players, config, few, 10, 3)
    for iteration in range(60):
        torch.manual_seed(iteration)
        duel(players, config, image, torch.from_numpy(few.labels), "float32")
    assert scorer_loss_on(players, config, few, 10, 3) == scorer_loss_on(players, config, few, 10, 3)
    seen, unseen = (scorer_loss_on(players, config, split, 10, 3) for split in (few, dataset.test))
    assert seen < unseen < before
    assert players.scorer.training and players.generator.training, "the game goes on"


def test_a_training_on_few_images_sees_no_others(dataset, classifier, tmp_path, monkeypatch):
    seen = set()

    def spy(players, config, image, label, precision):
        seen.update(row.numpy().tobytes() for row in (image * 255).round().byte())
        return duel(players, config, image, label, precision)

    monkeypatch.setattr(training.loop, "duel", spy)
    train(replace(SMALL, train_rows=40, epochs=1), dataset, classifier, tmp_path, **OPTIONS)
    everything = {row.tobytes() for row in dataset.train.images}
    assert len(seen) == 40 and seen < everything
    assert read_checkpoint(tmp_path / LATEST)["dataset_sha256"] == dataset.sha256


def test_a_conditional_training_is_judged_by_its_obedience(dataset, classifier, tmp_path):
    config = small("gan", model=CONDITIONED, epochs=1)
    judge = OneShotJudge(config, dataset, classifier, players_of(config))
    found = judge.evaluate()
    assert found.label_accuracy == pytest.approx(0.1)  # one image whatever is asked for
    assert found.cost == pytest.approx(found.kl_to_data + 1 - found.confidence + 0.9)
    assert "as asked 10.0%" in judge.summary(found)
    assert OneShotJudge(SMALL, dataset, classifier, players_of(SMALL)).evaluate().label_accuracy is None
    with pytest.raises(ValueError, match=f"the model has 7 classes, data set {dataset.name!r} has 10"):
        odd = small("gan", model={"class_count": 7, "conditioning": "concat"})
        OneShotJudge(odd, dataset, classifier, players_of(odd))


def test_a_discriminator_can_win_and_a_critic_cannot(dataset, classifier):
    judge = OneShotJudge(SMALL, dataset, classifier, players_of(SMALL))
    sound = replace(
        judge.evaluate(), class_shares=[0.1] * 10, data_shares=[0.1] * 10, kl_to_data=0.0, confidence=0.9
    )
    won = {"generator_loss": 2.0, "scorer_accuracy": 0.99}
    assert [finding.kind for finding in judge.findings(sound, won, 1.0)] == ["scorer_won"]
    assert judge.findings(sound, {"generator_loss": 2.0, "score_gap": 9.0}, 1.0) == []
    collapsed = replace(sound, class_shares=[1.0] + [0.0] * 9)
    assert [f.kind for f in judge.findings(collapsed, {"generator_loss": 2.0}, None)] == ["mode_collapse"]
