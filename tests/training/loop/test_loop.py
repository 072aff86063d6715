"""The loop: a killed training goes on as if nothing had happened, and what it leaves behind."""

import multiprocessing
import signal
from dataclasses import replace

import pytest
import torch
from PIL import Image

from pentimento.training.families.recurrent.iteration import play
from pentimento.training.families.recurrent.players import RecurrentPlayers
from pentimento.training.loop.checkpoints import (
    BEST,
    LATEST,
    CheckpointError,
    read_checkpoint,
    write_checkpoint,
)
from tests.training.run_folders import timeless
from tests.training.small_training import SMALL, train_small
from tests.training.trainings import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def start():
    """Starts small trainings, each in a new process; one that has loaded torch is forked for them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.small_training"])

    def begin(*arguments):
        process = context.Process(target=train_small, args=arguments)
        process.start()
        return process

    return begin


def end_of(process):
    """The exit code, once there is one."""
    process.join(300)
    return process.exitcode


def test_killed_and_resumed_gives_the_log_of_an_uninterrupted_training(start, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    uninterrupted = start(whole)
    # Six iterations and three log lines after the last checkpoint.
    assert end_of(start(broken, False, 13)) == -signal.SIGKILL
    assert read_checkpoint(broken / LATEST)["iteration"] == 10
    assert end_of(start(broken, True, 9)) == -signal.SIGKILL
    assert end_of(start(broken, True)) == 0
    assert end_of(uninterrupted) == 0
    assert timeless(broken) == timeless(whole)
    kinds = [line["kind"] for line in timeless(whole)]
    assert kinds.count("updates") == 7 and kinds.count("evaluation") == 3
    ours, theirs = (read_checkpoint(folder / LATEST)["players"]["average"] for folder in (whole, broken))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def size(path):
    with Image.open(path) as image:
        return image.size


@pytest.fixture
def short():
    return replace(SMALL, epochs=1)


def test_leaves_checkpoints_log_and_pictures(short, dataset, classifier, tmp_path):
    outcome = train(short, dataset, classifier, tmp_path, device=CPU, precision="bfloat16")
    assert outcome.iterations == 10 and outcome.best_epoch == 1
    best = read_checkpoint(tmp_path / BEST)
    assert best["config"]["recipe"] == "small" and best["dataset_sha256"] == dataset.sha256
    start = timeless(tmp_path)[0]
    assert start["config"]["real_label"] == 0.9 and start["parameters"]["generator"] > 0
    assert size(tmp_path / "curves.png")[0] > 100
    longer = replace(short, epochs=2)
    train(longer, dataset, classifier, tmp_path / "longer", device=CPU, precision="float32")
    assert size(tmp_path / "longer/sheets/000015.png") == (10 * 58 + 2, 10 * 58 + 2)
    assert size(tmp_path / "longer/strips/000015.png") == (2 * 58 + 2, 10 * 58 + 2)


def test_resume_refuses_what_does_not_fit(short, dataset, classifier, tmp_path):
    def resume(config):
        train(config, dataset, classifier, tmp_path, device=CPU, precision="float32", resume=True)

    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        resume(short)
    train(short, dataset, classifier, tmp_path, device=CPU, precision="float32")
    with pytest.raises(CheckpointError, match=r"configuration: generator_rate 0\.0002 there, 0\.001 here$"):
        resume(replace(short, generator_rate=1e-3))
    wider = replace(short, model=replace(short.model, latent_dim=7), seed=2)
    with pytest.raises(CheckpointError, match=r"model\.latent_dim 6 there, 7 here; seed 1 there, 2 here$"):
        resume(wider)
    moved = replace(short, dataset="elsewhere")  # the same data, by their checksum
    resume(moved)
    other = replace(dataset, sha256="f" * 64)
    with pytest.raises(
        CheckpointError, match=f"data set: SHA-256 {dataset.sha256[:12]}… there, ffffffffffff…"
    ):
        train(short, other, classifier, tmp_path, device=CPU, precision="float32", resume=True)
    (tmp_path / LATEST).write_bytes((tmp_path / LATEST).read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="is damaged"):
        resume(short)
    write_checkpoint(tmp_path / LATEST, {"version": 99})
    with pytest.raises(CheckpointError, match="has version 99; this program reads 1"):
        resume(short)


def test_an_interrupted_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / LATEST
    write_checkpoint(path, {"iteration": 1})

    def fail(content, stream):
        stream.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(
        CheckpointError, match=r"cannot write .*checkpoint\.pt: disk full; what was saved before"
    ):
        write_checkpoint(path, {"iteration": 2})
    assert read_checkpoint(path)["iteration"] == 1


def test_an_iteration_changes_both_players_and_counts_hits():
    players = RecurrentPlayers(SMALL, CPU)
    before = [
        parameter.clone() for parameter in [*players.generator.parameters(), *players.scorer.parameters()]
    ]
    torch.manual_seed(0)
    figures = play(players, replace(SMALL, scorer_updates=2), torch.rand(30, 1, 28, 28), "float32")
    after = [*players.generator.parameters(), *players.scorer.parameters()]
    assert sum(not torch.equal(old, new) for old, new in zip(before, after, strict=True)) == len(after)
    assert set(figures) == {"generator_loss", "scorer_loss", "scorer_accuracy"}
    assert 0 <= figures["scorer_accuracy"] <= 1
    assert all(parameter.requires_grad for parameter in players.scorer.parameters())


def test_the_average_follows_the_generator():
    players = RecurrentPlayers(SMALL, CPU)
    with torch.no_grad():
        for parameter in players.generator.parameters():
            parameter.add_(1.0)
    gap = [
        playing - mean
        for playing, mean in zip(players.generator.parameters(), players.average.parameters(), strict=True)
    ]
    assert all(torch.allclose(difference, torch.ones(())) for difference in gap)
    players.update_average(iteration=90)  # decay (1 + 90) / (10 + 90)
    for playing, mean in zip(players.generator.parameters(), players.average.parameters(), strict=True):
        torch.testing.assert_close(playing - mean, torch.full_like(mean, 0.91))


def test_late_collapse_ends_a_training_and_keeps_the_best(dataset, classifier, tmp_path, monkeypatch):
    from tests.training.judging.test_failure import evaluation

    judged = iter([evaluation(), evaluation(collapsed=True), evaluation(collapsed=True), evaluation()])
    monkeypatch.setattr(
        "pentimento.training.families.recurrent.judge.summarise", lambda *args, **kwargs: next(judged)
    )
    config = replace(SMALL, epochs=4)
    outcome = train(config, dataset, classifier, tmp_path, device=CPU, precision="float32")
    assert outcome.stopped is not None and outcome.stopped.kind == "late_collapse"
    assert outcome.best_epoch == 1 and outcome.iterations == 30
    assert read_checkpoint(tmp_path / BEST)["iteration"] == 10
    again = train(config, dataset, classifier, tmp_path, device=CPU, precision="float32", resume=True)
    assert again == outcome  # what has collapsed does not go on


@pytest.mark.parametrize("bad", [3, 12])
def test_a_training_that_diverges_ends_with_the_last_sound_checkpoint(
    bad, dataset, classifier, tmp_path, monkeypatch
):

    calls = 0

    def diverging_play(*args):
        nonlocal calls
        calls += 1
        return play(*args) | ({"generator_loss": float("nan")} if calls == bad else {})

    monkeypatch.setattr("pentimento.training.families.recurrent.family.play", diverging_play)
    if bad == 3:
        with pytest.raises(CheckpointError, match="before its first evaluation: generator_loss became nan"):
            train(SMALL, dataset, classifier, tmp_path, device=CPU, precision="float32")
        return
    outcome = train(SMALL, dataset, classifier, tmp_path, device=CPU, precision="float32")
    assert outcome.stopped is not None and outcome.stopped.kind == "diverged"
    assert outcome.best_epoch == 1 and read_checkpoint(tmp_path / LATEST)["iteration"] == 10
