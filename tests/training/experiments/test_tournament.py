"""Tournaments of toys whose figures are known, with and without scorers; what was read is not read again."""

import math

import numpy as np
import pytest

from pentimento.training.data.datasets import Dataset, Split
from pentimento.training.experiments.readings import TEST, TRAINING, ReadingPlan, identity, read_pictures
from pentimento.training.experiments.tournament import battle_of, play_tournament, refuse_entries
from pentimento.training.experiments.tournament_report import (
    save_tournament_picture,
    tournament_data,
    tournament_table,
)
from tests.training.experiments.battle_toys import CLASSES, write_toy

PLAN = ReadingPlan(rows=200, seed=1)


def grey(mean, rows=200, classes=10):
    """Plain squares around a mean, in classes by turns."""
    levels = np.random.default_rng(rows).normal(mean, 0.08, rows).clip(0, 1)
    images = np.broadcast_to((levels * 255).astype(np.uint8)[:, None, None, None], (rows, 1, 8, 8)).copy()
    return Split(images=images, labels=np.arange(rows) % classes)


@pytest.fixture(scope="module")
def data():
    return Dataset(name="grey", class_names=CLASSES, train=grey(0.7), test=grey(0.7, 220), sha256="0" * 64)


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """Data lie at 0.7: `near` draws nearly that, `far` is darker, `plain` cannot judge, and is between."""
    folder = tmp_path_factory.mktemp("toys")
    return [
        write_toy(folder / "near", bias=0.65, threshold=0.6),
        write_toy(folder / "far", bias=0.45, threshold=0.598),
        write_toy(folder / "plain", bias=0.55, kind=None),
        write_toy(folder / "wild", bias=0.5, kind="critic"),
        write_toy(folder / "keen", bias=0.52, threshold=0.6, takes=("latent",)),
    ]


@pytest.fixture(scope="module")
def played(toys, data):
    return play_tournament(toys, data, PLAN, tolerance=0.3)


def test_those_who_judge_meet_and_the_better_one_wins(played, toys, data):
    assert played.judges == ("near", "far")
    assert set(played.battles) == {("near", "far"), ("far", "near")}
    assert played.battles["near", "far"].outcome == "first"
    assert played.battles["far", "near"].outcome == "second"
    readings = read_pictures(toys[:2], data, PLAN)
    near, far = (bundle.manifest for bundle in toys[:2])
    again = battle_of(near, far, readings, 0.3)
    assert again == played.battles["near", "far"]
    taken = np.mean(readings.logits["near", "far"] >= 0)
    assert played.passed["near", "far"] == pytest.approx(taken)


def test_the_others_are_judged_and_ranked_with_them(played):
    """Each has a neutral judge: `near` and `far` one, the others two."""
    assert set(played.names) == {"near", "far", "plain", "wild", "keen"}
    assert played.names[0] == "near" and played.names[-1] == "far"
    assert [played.standings[name].share for name in played.names] == sorted(
        (played.standings[name].share for name in played.names), reverse=True
    )
    assert played.standings[TEST].share > 0.8 < played.standings[TRAINING].share
    assert {pair[1] for pair in played.passed} == {*played.names, TEST, TRAINING}


def test_who_does_not_judge_is_said(played):
    said = "\n".join(played.reasons)
    assert len(played.reasons) == 3
    assert (
        "'plain' has no scorer" in said and "'wild' is a critic" in said and "together with 'latent'" in said
    )


def test_tables_data_and_picture_have_all(played, tmp_path):
    table = tournament_table(played).splitlines()
    assert table[0] == "| rank | drawings of | duels won | by near | by far |"
    assert table[2].startswith("| 1 | near | 1.00 (") and "| (0." in table[2]
    assert sum(line.startswith("|  | t") for line in table) == 2
    assert table[-1].startswith("| near | far |") and table[-1].endswith("| near |")
    data = tournament_data(played)
    assert len(data["battles"]) == 1 and len(data["standings"]) == 7
    assert data["battles"][0]["winner"] == "near"
    save_tournament_picture(tmp_path / "a" / "tournament.png", played)
    assert (tmp_path / "a" / "tournament.png").read_bytes()[:4] == b"\x89PNG"


def test_a_bundle_before_nobody_but_its_own_judge_is_not_ranked(toys, data, tmp_path):
    alone = play_tournament([toys[0], toys[2]], data, PLAN, tolerance=0.3)
    assert alone.names == ("near", "plain") and alone.battles == {}
    assert all(math.isnan(alone.standings[name].share) for name in alone.names)
    assert tournament_table(alone).splitlines()[2].startswith("|  | near |  |")
    save_tournament_picture(tmp_path / "tournament.png", alone)


def test_what_was_read_is_not_read_again(toys, data, tmp_path):
    def play(bundles):
        said = []
        found = play_tournament(bundles, data, PLAN, tolerance=0.3, folder=tmp_path, progress=said.append)
        return found, [sentence for sentence in said if ": 0 of" not in sentence]

    first, said = play(toys[:3])
    assert {"near draws: 200 of 200", "near judges drawings of far", "far judges test images"} <= set(said)
    assert play(toys[:3]) == (first, [])
    _, said = play(toys[:4])  # another drawer: it alone draws
    assert [sentence for sentence in said if "draws" in sentence] == ["wild draws: 200 of 200"]
    file = next(tmp_path.glob("*.npy"))
    file.write_bytes(file.read_bytes()[:150])  # cut short by a full disk
    assert len(play(toys[:3])[1]) in (1, 2)
    assert play(toys[:3])[1] == []


def test_an_interrupted_tournament_goes_on(toys, data, tmp_path):
    class Killed(Exception):
        pass

    def stop(sentence):
        if sentence == "far judges drawings of far":
            raise Killed

    with pytest.raises(Killed):
        play_tournament(toys[:3], data, PLAN, tolerance=0.3, folder=tmp_path, progress=stop)
    said = []
    found = play_tournament(toys[:3], data, PLAN, tolerance=0.3, folder=tmp_path, progress=said.append)
    assert "near draws: 200 of 200" not in said and "far judges drawings of far" in said
    assert found == play_tournament(toys[:3], data, PLAN, tolerance=0.3)


def test_readings_are_told_apart_by_all_that_they_depend_on(toys, data, tmp_path):
    read_pictures(toys[:2], data, PLAN, folder=tmp_path)
    kept = len(list(tmp_path.glob("*.npy")))
    assert kept == 8, "two judges of two kinds of data and two of drawings"
    read_pictures(toys[:2], data, ReadingPlan(rows=200, seed=2), folder=tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == kept + 4, "data have no seed"
    read_pictures(toys[:2], data, ReadingPlan(rows=100, seed=1), folder=tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == kept + 4 + 8
    other = write_toy(tmp_path / "near", bias=0.66, threshold=0.6)
    assert identity(other) != identity(toys[0])


def test_a_conditional_scorer_is_told_the_class_that_was_asked_for(tmp_path, data):
    """`strict` adds its label to what it says, so that it takes class 9 for data and class 0 not."""
    classes = {"labels": CLASSES, "threshold": 1.0}
    strict = write_toy(tmp_path / "strict", takes=("label",), spread=0.0, bias=0.3, gain=6.0, **classes)
    other = write_toy(tmp_path / "other", takes=("label",), spread=0.0, bias=0.3, gain=6.0, **classes)
    free = write_toy(tmp_path / "free", threshold=0.5)
    readings = read_pictures([strict, other, free], data, PLAN)
    levels = 0.3 + 0.05 * np.arange(10)
    wanted = 6 * (levels - 1) + np.arange(10)
    assert readings.logits["strict", "other"][:10] == pytest.approx(wanted, abs=1e-4)
    assert readings.logits["strict", TEST].shape == (200,)
    assert ("strict", "free") not in readings.logits, "its drawings have no class"
    found = play_tournament([strict, other, free], data, PLAN, tolerance=0.3)
    assert found.battles["strict", "other"].outcome == "undecided"
    assert ("strict", "free") not in found.battles and "free" in found.judges


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": 9}, "images of one shape, got near 1x8x8, other 1x9x9"),
        ({"draws": False}, "bundle 'other' does not draw"),
    ],
)
def test_who_cannot_meet_is_refused(toys, tmp_path, changes, sentence):
    other = write_toy(tmp_path / "other", **changes)
    with pytest.raises(ValueError, match=sentence):
        refuse_entries([toys[0].manifest, other.manifest])


def test_a_tournament_of_too_little_is_refused(toys, data):
    for bundles, plan, sentence in (
        (toys[:1], PLAN, "needs at least 2 bundles, got 1"),
        ([toys[0], toys[0]], PLAN, "two bundles are called 'near'"),
        (toys[2:], PLAN, "none of the 3 bundles judges pictures of others: bundle 'plain' has no scorer"),
        (toys[:2], ReadingPlan(rows=221, seed=1), "at most 220, the test images of grey, got 221"),
        (toys[:2], ReadingPlan(rows=210, seed=1), "at most 200, the training images of grey, got 210"),
    ):
        with pytest.raises(ValueError, match=sentence):
            play_tournament(bundles, data, plan, tolerance=0.3)
