"""The toy of recurrent discrimination: the answers are those that the ratio of likelihoods demands."""

import json
from dataclasses import asdict

import pytest

from pentimento.training.commands.recurrent_toy import recurrent_toy
from pentimento.training.experiments.recurrent_toy import (
    best_answer,
    run_toy,
    save_toy_picture,
    save_toy_table,
)


@pytest.fixture(scope="module")
def result():
    return run_toy(4, 900, 1, hidden=48)


def test_the_best_answers():
    assert [round(1 / best_answer(length)) for length in (1, 2, 3, 4)] == [3, 5, 9, 17]


def test_a_discriminator_that_sees_more_is_surer(result):
    for length, said in enumerate(result.of_drawn, start=1):
        assert said == pytest.approx(best_answer(length), abs=0.06), f"of {length} samples"
    assert min(result.of_others) > 0.8
    assert run_toy(4, 3, 1, hidden=8) == run_toy(4, 3, 1, hidden=8) != run_toy(4, 3, 2, hidden=8)


def test_table_and_picture(result, tmp_path):
    save_toy_table(tmp_path / "toy.md", [result, result])
    lines = (tmp_path / "toy.md").read_text().splitlines()
    assert len(lines) == 6 and lines[2].startswith("| 1 | 0.3333 | ")
    save_toy_picture(tmp_path / "toy.png", [result])
    assert (tmp_path / "toy.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="holds a table already"):
        recurrent_toy(out=tmp_path)


def test_a_finished_seed_is_not_trained_again(result, tmp_path):
    kept = asdict(result) | {"of_drawn": [0.5], "of_others": [1.0], "iterations": 2}
    (tmp_path / "toy.json").write_text(json.dumps([kept]))
    recurrent_toy(out=tmp_path, group_size=1, iterations=2, seeds=2)
    first, second = json.loads((tmp_path / "toy.json").read_text())
    assert first == kept and second["seed"] == 2 and second["of_drawn"] != [0.5]
    assert (tmp_path / "toy.png").is_file() and "0.5000" in (tmp_path / "toy.md").read_text()
    with pytest.raises(ValueError, match="of 1 samples and 2 iterations, not of 1 and 3"):
        recurrent_toy(out=tmp_path, group_size=1, iterations=3, seeds=2)
