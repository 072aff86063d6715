"""Modes against the size of groups: the training learns, is the same from the same seed, and is kept."""

import json

import pytest
import torch

from pentimento.training.commands.modes import modes
from pentimento.training.experiments.modes import (
    ModesPlan,
    ModesResult,
    _nearest,
    run_modes,
    save_modes_picture,
    save_modes_table,
)
from tests.slice import SLICE


def test_a_drawing_counts_for_the_class_of_the_nearest_digit(dataset):
    images = torch.from_numpy(dataset.train.images).flatten(1)
    drawn = (images[[7, 60, 3]].float() / 255 + 0.02).clamp(0, 1)
    distances, nearest = _nearest(drawn, images)
    assert nearest.tolist() == [7, 60, 3] and float(distances.max()) < 1


def test_a_training_is_decided_by_its_plan_and_leaves_a_sheet(dataset, tmp_path):
    plan = ModesPlan(group_size=4, iterations=3, seed=1, batch_rows=8)
    state = torch.random.get_rng_state()
    steps = []
    found = run_modes(plan, dataset, tmp_path / "sheet.png", steps.append)
    assert torch.equal(torch.random.get_rng_state(), state) and steps == [1, 2, 3]
    assert found == run_modes(plan, dataset)
    assert (found.group_size, found.seed, found.iterations) == (4, 1, 3)
    assert 1 <= found.covered <= 10 and 1 <= found.effective <= 10.001
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_batches_are_whole_groups():
    with pytest.raises(ValueError, match="batch_rows must be a multiple of the group of 3, got 64"):
        ModesPlan(group_size=3, iterations=1, seed=1)


def test_table_and_picture_have_mean_and_extremes(tmp_path):
    results = [
        ModesResult(
            group_size=k, seed=seed, iterations=9, covered=k + seed, effective=k + seed / 2, distance=0.9
        )
        for seed in (1, 2)
        for k in (1, 4)
    ]
    save_modes_table(tmp_path / "modes.md", results)
    lines = (tmp_path / "modes.md").read_text().splitlines()
    assert lines[2] == "| 1 | 2 | 2.50 (2 to 3) | 1.75 (1.5 to 2) | 0.90 (0.9 to 0.9) |"
    assert lines[3].startswith("| 4 | 2 | 5.50 (5 to 6) |")
    save_modes_picture(tmp_path / "modes.png", results)
    assert (tmp_path / "modes.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_goes_on_where_it_was(tmp_path, shared_cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))
    options = {"out": tmp_path / "modes", "iterations": 2, "dataset": str(SLICE)}
    modes(**options, group_size=[1, 2], seeds=1)
    first = json.loads((tmp_path / "modes" / "modes.json").read_text())
    assert [each["group_size"] for each in first] == [1, 2]
    modes(**options, group_size=[1, 2], seeds=2)
    assert json.loads((tmp_path / "modes" / "modes.json").read_text())[:2] == first
    assert (tmp_path / "modes" / "k2-seed2.png").is_file()
    with pytest.raises(ValueError, match="holds trainings of 2 iterations, not 5"):
        modes(**{**options, "iterations": 5}, group_size=[1], seeds=1)
