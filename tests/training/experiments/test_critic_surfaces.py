"""Critics of toys: the toys are what they are called, parts are read rightly, and are computed once."""

import json

import pytest
import torch
from PIL import Image

from pentimento.training.experiments import critic_surfaces as study
from pentimento.training.experiments.critic_surfaces import WAYS, SurfacePlan, deep_part, surface_part
from pentimento.training.experiments.critic_surfaces_report import save_surface_picture, surface_table
from pentimento.training.experiments.plane import TOYS, PlaneCritic, pairs_of, sample

TINY = SurfacePlan(
    iterations=2,
    deep_iterations=2,
    hidden=4,
    deep_hidden=4,
    depth=3,
    batch_rows=4,
    asked_rows=10,
    seeds=1,
)


@pytest.mark.parametrize("toy", TOYS)
def test_a_toy_has_data_at_the_ends_of_its_pairs_and_none_between(toy):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        points = sample(toy, 4000)
    pairs = pairs_of(toy)
    assert points.shape == (4000, 2) and points.abs().max() < 2.2
    assert len(pairs) == {"ring": 8, "grid": 40, "swiss_roll": 8}[toy]
    at_ends = torch.cdist(pairs.flatten(0, 1), points).min(1).values
    between = torch.cdist(pairs.mean(1), points).min(1).values
    assert at_ends.max() < 0.1 < 0.2 < between.min()


def test_an_unknown_toy_is_refused():
    for ask in (lambda: sample("cube", 3), lambda: pairs_of("cube")):
        with pytest.raises(ValueError, match="toy must be one of ring, grid, swiss_roll, got 'cube'"):
            ask()


def test_the_gradients_of_a_linear_chain_are_products_of_its_weights():
    critic = PlaneCritic(3, 1)
    with torch.no_grad():
        for layer in (*critic.layers, critic.last):
            layer.weight.fill_(0.1)
            layer.bias.fill_(0.0)
    points = torch.tensor([[1.0, 1.0], [2.0, 0.5]])
    assert study._layer_gradients(critic, points) == [-3.0, -2.0, -1.0]
    with torch.no_grad():
        critic.last.weight.fill_(0.0)
    assert study._layer_gradients(critic, points) == [None, None, None]


def test_weights_stay_within_their_limit():
    found = deep_part(TINY, "clip 0.01", 1)
    assert found["reach"] == 0.01 and 0 <= found["at_the_ends"] <= 1 and len(found["gradients"]) == 3
    assert sum(found["weights"]) == 4 * 2 + 4 * 4 * 2 + 4
    assert deep_part(TINY, "penalty", 1)["at_the_ends"] is None


def test_a_part_is_the_same_again_and_another_with_another_seed():
    first = surface_part(TINY, "ring", "penalty", 1)
    assert first == surface_part(TINY, "ring", "penalty", 1) != surface_part(TINY, "ring", "penalty", 2)
    assert 0 <= first["told_apart"] <= 1 and 0 <= first["valleys"] <= 1
    assert len(first["surface"]) == study.SIDE**2


def test_finished_parts_stay_and_others_are_refused(tmp_path):
    said = []
    results = study.run_surfaces(TINY, tmp_path, said.append)
    assert len(results["surfaces"]) == 6 and len(results["deep"]) == len(WAYS) and said
    parts = sorted((tmp_path / "parts").iterdir())
    assert len(parts) == 10
    parts[0].unlink()
    said.clear()
    assert study.run_surfaces(TINY, tmp_path, said.append) == results
    assert len(said) == 1
    kept = json.loads(parts[1].read_text())
    parts[1].write_text(json.dumps(kept | {"settings": kept["settings"] | {"hidden": 8}}))
    with pytest.raises(ValueError, match="was made with another hidden, 8 and not 4; name another --out"):
        study.run_surfaces(TINY, tmp_path)
    parts[1].write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        study.run_surfaces(TINY, tmp_path)


def test_table_and_picture(tmp_path):
    results = study.run_surfaces(TINY, tmp_path)
    lines = surface_table(results).splitlines()
    assert len(lines) == 2 + 6 + 1 + 2 + 4
    assert lines[2].startswith("| ring | clip 0.01 | 1 |") and lines[-1].startswith("| penalty | 1 |")
    save_surface_picture(tmp_path / "picture.png", results)
    with Image.open(tmp_path / "picture.png") as picture:
        assert min(picture.size) > 500


@pytest.mark.parametrize("name", ["iterations", "depth", "seeds"])
def test_what_cannot_be_trained_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        SurfacePlan(**{name: 0})
    with pytest.raises(ValueError, match="asked_rows must be at least 10, got 9"):
        SurfacePlan(asked_rows=9)
