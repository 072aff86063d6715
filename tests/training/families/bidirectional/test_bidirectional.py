"""The bidirectional family: who learns from what, and bundles whose scorers judge pairs and groups."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pentimento.bundle.store import read_bundle
from pentimento.models.adversarial.bigan import BiGANConfig
from pentimento.models.adversarial.bigran import BiGRANConfig
from pentimento.training.export.bundle import EVALUATION_SEED, export_bundle
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.parity import Session
from pentimento.training.families.bidirectional import iteration
from pentimento.training.families.bidirectional.config import BidirectionalConfig
from pentimento.training.families.bidirectional.drawing import (
    encoder_noise,
    from_noise,
    prior_latents,
    to_noise,
)
from pentimento.training.families.bidirectional.export import draft_bidirectional, load_bidirectional
from pentimento.training.families.bidirectional.iteration import pair_logits, play
from pentimento.training.families.bidirectional.players import BidirectionalPlayers
from pentimento.training.families.table import recipe
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.checkpoints import BEST
from tests.slice import SLICE
from tests.training.trainings import train

CPU = torch.device("cpu")
MODELS = {
    "bigan": BiGANConfig(hidden=12, latent_dim=5),
    "bigran": BiGRANConfig(hidden=8, latent_dim=3, step_count=2, group_size=3),
}
SMALL = BidirectionalConfig(
    recipe="small",
    model=MODELS["bigan"],
    dataset=str(SLICE),
    epochs=1,
    batch_rows=30,
    scorer_updates=2,
    log_iterations=2,
    evaluation_rows=40,
    statistics_rows=60,
    l1_penalty=1e-6,
    l2_penalty=1e-5,
)


@pytest.fixture(params=MODELS)
def config(request):
    return replace(SMALL, model=MODELS[request.param])


@pytest.fixture
def players(config):
    torch.manual_seed(0)
    return BidirectionalPlayers(config, CPU)


@pytest.fixture
def real(dataset):
    return torch.from_numpy(dataset.train.images[:60]).float() / 255


def test_an_iteration_teaches_all_three(players, config, real):
    before = {name: value.clone() for name, value in players.model.state_dict().items()}
    figures = play(players, config, real, "float32")
    after = players.model.state_dict()
    for part in ("encoder", "generator", "discriminator"):
        weights = [name for name in before if name.startswith(part) and "weight" in name]
        assert any(not torch.equal(before[name], after[name]) for name in weights), part
    assert set(figures) == {"generator_loss", "scorer_loss", "scorer_accuracy"}
    assert all(np.isfinite(value) for value in figures.values())


def test_each_player_learns_on_its_own_turn_only(players, config, real, monkeypatch):
    """The discriminator's loss reaches neither encoder nor generator, and theirs not the discriminator."""
    model = players.model
    of_data, of_drawings = pair_logits(model, real[:30], learns=False)
    (of_data.sum() + of_drawings.sum()).backward()
    assert all(
        weight.grad is None for part in (model.encoder, model.generator) for weight in part.parameters()
    )
    assert any(weight.grad.abs().sum() > 0 for weight in model.discriminator.parameters())
    turns = []
    ask = iteration.pair_logits

    def watch(model, image, *, learns):
        turns.append((learns, all(w.requires_grad for w in model.discriminator.parameters())))
        return ask(model, image, learns=learns)

    monkeypatch.setattr(iteration, "pair_logits", watch)
    play(players, config, real, "float32")
    assert turns == [(False, True), (False, True), (True, False)]


def test_encoder_and_generator_are_taught_with_flipped_labels(players, config, real):
    """After some updates of theirs alone, data with encodings look drawn, and drawings look like data."""
    model = players.model
    frozen = replace(config, scorer_rate=1e-12, scorer_updates=1)
    players.scorer_optimizer.param_groups[0]["lr"] = 0.0
    players.generator_optimizer.param_groups[0]["lr"] = 5e-3
    torch.manual_seed(3)
    before = [logits.mean().item() for logits in pair_logits(model, real[:30], learns=False)]
    for _ in range(30):
        play(players, frozen, real[:30], "float32")
    after = [logits.mean().item() for logits in pair_logits(model, real[:30], learns=False)]
    assert after[0] < before[0] and after[1] > before[1]


def test_noise_of_the_server_and_latents_are_each_others_inverse(players):
    model = players.model
    latent = prior_latents(model, range(6), 4)
    assert latent.shape == (6, model.step_count, model.latent_dim)
    assert torch.allclose(from_noise(model, to_noise(model, latent)), latent, atol=1e-6)


@pytest.fixture(scope="module", params=MODELS)
def exported(request, dataset, tmp_path_factory):
    """A training's networks, and the bundle made of them."""
    runs, zoo = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("zoo")
    config = replace(SMALL, model=MODELS[request.param])
    classifier = Classifier(1, 28, 10).eval()
    train(config, dataset, classifier, runs, device=CPU, precision="float32")
    trained = load_bidirectional(runs / BEST, CPU)
    export_bundle(trained, draft_bidirectional(trained, dataset, classifier, 50), zoo / "small")
    return trained.networks, read_bundle(zoo / "small")


def test_a_bundle_draws_encodes_and_redraws_as_the_model(exported, dataset):
    model, bundle = exported
    drawn = torch.cat(list(draw_bundle(bundle, rows=7, seed=EVALUATION_SEED)))
    with torch.no_grad():
        expected = model.draw(prior_latents(model, range(7), EVALUATION_SEED))
    assert torch.allclose(drawn, expected, atol=1e-5)
    image, eps = dataset.test.images[:4].astype(np.float32) / 255, encoder_noise(model, range(4), 9)
    output = Session(bundle.graphs["encode"], bundle.weights).run(
        {"image": image, "eps": eps.flatten(1).numpy()}
    )
    (noise,) = output.values()
    with torch.no_grad():
        encoded = model.encode(torch.from_numpy(image), eps)
    assert torch.allclose(from_noise(model, torch.from_numpy(noise)), encoded, atol=1e-4)
    parity = bundle.manifest.parity
    assert parity.torch_vs_onnxruntime < 1e-4 and parity.batched_vs_single < 1e-5


def test_a_bundle_scores_pairs_at_each_step_as_the_model(exported, dataset):
    model, bundle = exported
    image = torch.from_numpy(dataset.test.images[:4].astype(np.float32) / 255)
    latent = prior_latents(model, range(4), 2)
    name = bundle.manifest.drawing.noise[0].name
    session = Session(bundle.graphs["score"], bundle.weights)
    for step in range(model.step_count):
        feeds = {"image": image.numpy(), name: to_noise(model, latent).numpy(), "t": np.full(4, step)}
        with torch.no_grad():
            expected = model.judge(image[:, None], latent, 1)[:, 0, step]
        assert np.allclose(session.run(feeds)["logit"], expected.numpy(), atol=1e-4)


@pytest.mark.parametrize("exported", ["bigran"], indirect=True)
def test_a_bundle_scores_groups_as_the_model(exported, dataset):
    model, bundle = exported
    size = bundle.manifest.scorer.group_size
    image = torch.from_numpy(dataset.test.images[: 2 * size].astype(np.float32) / 255)
    latent = prior_latents(model, range(2 * size), 2)
    feeds = {"image": image.unflatten(0, (2, size)).numpy(), "noise": latent.unflatten(0, (2, size)).numpy()}
    with torch.no_grad():
        expected = model.judge(image[:, None], latent)[:, :, -1]
    found = Session(bundle.graphs["score_group"], bundle.weights).run(feeds)["logit"]
    assert np.allclose(found, expected.numpy(), atol=1e-4)


def test_the_manifest_has_figures_of_reconstructions(exported):
    _, bundle = exported
    judged = bundle.manifest.provenance.evaluation
    assert judged["reconstruction"]["rows"] == 50 and judged["reconstruction"]["ratio"] > 0
    assert ("neighbours" in judged) == (bundle.manifest.family == "bigan")
    assert bundle.manifest.scorer.group_size == (3 if bundle.manifest.family == "bigran" else None)
    assert bundle.manifest.provenance.config["family"] == bundle.manifest.family


def test_batches_are_whole_groups():
    with pytest.raises(ValueError, match="batch_rows must be a multiple of the group of 3, got 20"):
        replace(SMALL, model=MODELS["bigran"], batch_rows=20)


def test_the_rate_falls_exponentially_after_its_share():
    config = recipe("bigan-mnist")
    assert config.rate_factor(0.5) == 1 and config.rate_factor(1) == pytest.approx(0.01)
    assert config.rate_factor(0.75) == pytest.approx(0.1)
