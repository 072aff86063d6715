"""Interrupted and resumed a training ends the same; the judge sees what it should; curves are drawn."""

from dataclasses import replace

import pytest
import torch

from pentimento.training.data.datasets import Split
from pentimento.training.families.one_shot import curves
from pentimento.training.families.one_shot.iteration import duel
from pentimento.training.families.one_shot.judge import OneShotJudge, scorer_loss_on
from pentimento.training.families.table import prepare
from pentimento.training.loop.checkpoints import LATEST, CheckpointError, read_checkpoint
from tests.training.families.one_shot.small_training import CONDITIONED, SMALL, players_of, small
from tests.training.run_folders import timeless
from tests.training.trainings import train

CPU = torch.device("cpu")
OPTIONS = {"device": CPU, "precision": "float32"}


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

    monkeypatch.setattr("pentimento.training.families.one_shot.family.duel", failing)
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

    finish = curves.save_figure
    monkeypatch.setattr("pentimento.training.families.one_shot.curves.save_figure", spy)
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

    monkeypatch.setattr("pentimento.training.families.one_shot.family.duel", spy)
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
    odd = small("gan", model={"class_count": 7, "conditioning": "concat"})
    with pytest.raises(ValueError, match=f"the model has 7 classes, but data set {dataset.name!r} has 10"):
        prepare(odd, dataset, classifier, device=CPU, precision="float32")


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
