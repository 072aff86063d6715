"""Training by likelihood: the shared loop learns, resumes to the same weights, and leaves its figures."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pentimento.models.latent.pixelvae import PixelVAEConfig
from pentimento.models.latent.pixelvae_two_level import PixelVAETwoLevelConfig
from pentimento.models.latent.vae import VAEConfig
from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNNConfig
from pentimento.models.pixels.pixelcnn import PixelCNNConfig
from pentimento.training.data.binarise import binarise_for_evaluation, find_binarisation
from pentimento.training.families.likelihood.config import LikelihoodConfig, build_model
from pentimento.training.families.likelihood.drawing import draw_images
from pentimento.training.families.likelihood.evaluation import (
    evaluate_likelihood,
    importance_nats,
    neighbour_error,
)
from pentimento.training.families.likelihood.iteration import fit
from pentimento.training.families.likelihood.judge import LikelihoodJudge
from pentimento.training.families.likelihood.players import LikelihoodPlayers
from pentimento.training.families.likelihood.recipes import LIKELIHOOD_RECIPES
from pentimento.training.families.table import prepare
from pentimento.training.loop.checkpoints import LATEST, CheckpointError, read_checkpoint
from tests.training.families.likelihood.small_models import MODELS, crop
from tests.training.run_folders import timeless
from tests.training.trainings import train

CPU = torch.device("cpu")
SMALL = LikelihoodConfig(
    recipe="small",
    model=MODELS["pixelvae"],
    dataset="slice",
    epochs=2,
    batch_rows=30,
    kl_warm_share=0.5,
    log_iterations=4,
    checkpoint_iterations=7,
    sheet_iterations=15,
    evaluation_rows=60,
)


@pytest.fixture(scope="module")
def small(dataset):
    return crop(dataset)


def weights(folder):
    return read_checkpoint(folder / LATEST)["players"]["average"]


def test_interrupted_and_resumed_gives_the_weights_and_log_of_an_uninterrupted_training(
    small, tmp_path, monkeypatch
):
    options = {"device": CPU, "precision": "float32"}
    outcome = train(SMALL, small, None, tmp_path / "whole", **options)
    assert outcome.iterations == 20 and outcome.best_epoch == 2 and np.isfinite(outcome.best.nats)
    done = 0

    def failing(*args):
        nonlocal done
        done += 1
        if done == 13:
            raise InterruptedError
        return fit(*args)

    monkeypatch.setattr("pentimento.training.families.likelihood.family.fit", failing)
    with pytest.raises(InterruptedError):
        train(SMALL, small, None, tmp_path / "broken", **options)
    monkeypatch.undo()
    train(SMALL, small, None, tmp_path / "broken", resume=True, **options)
    ours, theirs = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert timeless(tmp_path / "whole") == timeless(tmp_path / "broken")
    names = {path.relative_to(tmp_path / "whole").as_posix() for path in (tmp_path / "whole").rglob("*.png")}
    assert names == {"curves.png", "sheets/000015.png", "reconstructions/000015.png"}
    with pytest.raises(CheckpointError, match="another configuration"):
        train(replace(SMALL, seed=2), small, None, tmp_path / "whole", resume=True, **options)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_in_the_same_loop(name, small, tmp_path):
    config = replace(SMALL, model=MODELS[name], epochs=1, rate=1e-2)
    before = evaluate_likelihood(
        build_model(config.model, 1).eval(), small.test, rows=60, rule="dynamic", seed=1
    )
    outcome = train(config, small, None, tmp_path, device=CPU, precision="bfloat16")
    assert outcome.best.nats < before.nats
    assert outcome.best.binarisation == ("none" if config.levels == 256 else "dynamic")
    assert LikelihoodConfig.from_json(read_checkpoint(tmp_path / LATEST)["config"]) == config


def test_an_iteration_weighs_the_divergence_by_the_progress(small):
    image = torch.from_numpy(small.train.images[:30]).float() / 255
    players = [LikelihoodPlayers(SMALL, CPU) for _ in range(2)]
    figures = []
    for player, progress in zip(players, (0.0, 1.0), strict=True):
        torch.manual_seed(0)
        figures.append(
            fit(player, SMALL, image, torch.zeros(30, dtype=torch.int64), "dynamic", "float32", progress)
        )
    assert figures[0] == figures[1], "the figures are those of the whole bound at any time"
    ours, theirs = (player.model.encoder.linear.weight for player in players)
    assert not torch.equal(ours, theirs)
    assert [SMALL.kl_weight(p) for p in (0, 0.25, 0.5, 1)] == [0, 0.5, 1, 1]


def test_the_rate_rises_and_falls():
    factors = [SMALL.rate_factor(p) for p in (0, 0.005, 0.01, 0.5, 1)]
    assert 0 < factors[0] < factors[1] < factors[2] <= 1
    assert factors[3] == pytest.approx(0.5) and factors[4] == pytest.approx(0)


def test_binarisation_is_found_in_the_data_and_the_same_for_a_row_in_any_chunk(small):
    grey = small.train.images
    assert find_binarisation(grey, 2) == "dynamic"
    assert find_binarisation((grey > 127).astype(np.uint8) * 255, 2) == "static"
    assert find_binarisation(grey, 256) == "none"
    image = torch.rand(6, 1, 8, 8)
    whole = binarise_for_evaluation(image, "dynamic", 3, 0)
    parts = [binarise_for_evaluation(image[i : i + 2], "dynamic", 3, i) for i in (0, 2, 4)]
    assert torch.equal(whole, torch.cat(parts)) and set(whole.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(binarise_for_evaluation(image, "none", 3, 0), image)


def test_evaluation_is_reproducible_and_importance_samples_tighten_it(small):
    model = build_model(MODELS["pixelvae"], 1).eval()
    options = {"rows": 60, "rule": "dynamic", "seed": 5}
    first = evaluate_likelihood(model, small.test, **options)
    assert first == evaluate_likelihood(model, small.test, **options)
    assert not first.exact and len(first.kl) == 1 and first.rows == 60
    one, many = (importance_nats(model, small.test, samples=k, **options)["nats"] for k in (1, 30))
    assert many < one
    error = neighbour_error(model, small.train, small.test, rule="dynamic", seed=5)
    assert 0 <= error["error"] <= 1 and error["neighbours"] == 5


def test_findings_name_a_collapse_and_a_leak(small):
    judge = LikelihoodJudge(SMALL, replace(small, name="mnist"), LikelihoodPlayers(SMALL, CPU))
    evaluation = judge.evaluate()
    kinds = [f.kind for f in judge.findings(replace(evaluation, kl=[0.5], nats=70.0), {}, None)]
    assert kinds == ["posterior_collapse", "leak"]
    assert not judge.findings(replace(evaluation, kl=[5.0], nats=85.0), {}, None)
    assert judge.should_stop([replace(evaluation, nats=float("nan"))]).kind == "diverged"
    assert judge.should_stop([evaluation]) is None


def test_an_adversarial_training_needs_a_classifier(small, tmp_path):
    from pentimento.training.families.table import recipe

    with pytest.raises(ValueError, match="give one"):
        train(recipe("gran1-mnist"), small, None, tmp_path, device=CPU, precision="float32")


@pytest.mark.parametrize("name", LIKELIHOOD_RECIPES)
def test_recipes_build_and_take_a_step(name):
    config = LIKELIHOOD_RECIPES[name]()
    assert config.recipe == name and LikelihoodConfig.from_json(config.to_json()) == config
    players = LikelihoodPlayers(config, CPU)
    figures = fit(players, config, torch.rand(2, 1, 28, 28), torch.arange(2), "dynamic", "float32", 0.5)
    assert 300 < figures["loss"] < 1000  # 784 pixels at log 2 each


def test_a_class_conditional_model_hears_the_labels_and_wants_as_many_classes(small):
    config = replace(SMALL, model=MODELS["gated with classes"])
    model = build_model(config.model, 1).eval()
    shuffled = replace(small.test, labels=(small.test.labels + 1) % 10)
    options = {"rows": 60, "rule": "dynamic", "seed": 1}
    assert evaluate_likelihood(model, small.test, **options) != evaluate_likelihood(
        model, shuffled, **options
    )
    drawn = draw_images(model, None, range(20), 3)
    again = draw_images(model, None, range(10, 20), 3)  # class row % 10
    assert torch.equal(drawn[10:], again)
    few = replace(config, model=replace(config.model, condition_dim=3))
    with pytest.raises(ValueError, match=r"the model has 3 classes, but data set .* has 10"):
        prepare(few, small, device=CPU, precision="float32")


def test_a_configuration_of_another_version_is_refused():
    values = SMALL.to_json()
    with pytest.raises(ValueError, match="family must be one of"):
        LikelihoodConfig.from_json(values | {"family": "flow"})
    with pytest.raises(ValueError, match="unknown entry 'momentum'"):
        LikelihoodConfig.from_json(values | {"momentum": 1})


def test_families_have_a_config_each():
    kinds = (PixelCNNConfig, GatedPixelCNNConfig, VAEConfig, PixelVAEConfig, PixelVAETwoLevelConfig)
    assert all(any(isinstance(model, kind) for model in MODELS.values()) for kind in kinds)
