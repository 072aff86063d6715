"""The draw_gan family: losses, who learns from what and who waits, resuming, and the bundle."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pentimento.bundle.store import read_bundle
from pentimento.models.recurrent.draw_gan import DRAWGANConfig
from pentimento.training.export.bundle import EVALUATION_SEED, export_bundle
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.parity import Session
from pentimento.training.families.draw_gan.config import DRAWGANTrainConfig, build_draw_gan
from pentimento.training.families.draw_gan.export import draft_draw_gan, load_draw_gan
from pentimento.training.families.draw_gan.iteration import (
    adversarial_loss,
    feature_distance,
    play,
    scorer_costs,
)
from pentimento.training.families.draw_gan.judge import DRAWGANJudge, redraw
from pentimento.training.families.draw_gan.players import DRAWGANPlayers
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.checkpoints import BEST, LATEST, read_checkpoint
from tests.slice import SLICE
from tests.training.run_folders import timeless
from tests.training.trainings import train

CPU = torch.device("cpu")
SMALL = DRAWGANTrainConfig(
    recipe="small",
    model=DRAWGANConfig(
        step_count=2, step_latents=3, hidden=10, read_points=3, write_points=3, scorer_hidden=8
    ),
    dataset=str(SLICE),
    epochs=2,
    batch_rows=30,
    log_iterations=2,
    checkpoint_iterations=7,
    evaluation_rows=40,
    scorer_from=0.2,
    pixels_until=0.4,
)
PIXELS, SCORER_TOO, JOINT = 0.1, 0.3, 0.5  # progress in each part of the training


@pytest.fixture
def players():
    torch.manual_seed(0)
    return DRAWGANPlayers(SMALL, CPU)


@pytest.fixture
def image(dataset):
    return torch.from_numpy(dataset.train.images[:30]).float() / 255


def gradients(parameters):
    return [0.0 if each.grad is None else each.grad.abs().sum().item() for each in parameters]


def test_the_adversarial_loss_never_reaches_the_encoder(players, image):
    model, draw = players.model, players.model.draw
    latent, _, _ = draw.look_and_draw(image, torch.randn(30, draw.latent_dim))
    redrawn, drawn = model.redraw_and_draw(latent, torch.randn(30, draw.latent_dim))
    adversarial_loss(model, redrawn, drawn).backward()
    assert gradients(model.encoder_parameters()) == [0.0] * len(list(model.encoder_parameters()))
    assert draw.first_states.grad[:2].abs().sum() == 0  # the encoder's first states
    assert sum(gradients(model.decoder_parameters())) > 0


def test_the_distance_of_features_teaches_encoder_and_decoder(players, image):
    model = players.model
    _, _, canvas = model.draw.look_and_draw(image, torch.randn(30, model.draw.latent_dim))
    feature_distance(model.discriminator, image, torch.sigmoid(canvas)).backward()
    assert min(sum(gradients(part)) for part in (model.encoder_parameters(), model.decoder_parameters())) > 0


@pytest.mark.parametrize("progress", [SCORER_TOO, JOINT])
def test_no_loss_of_the_draw_reaches_the_discriminator(players, image, progress):
    """After an iteration it has the gradient of its own costs, and of nothing else."""
    model = players.model
    torch.manual_seed(5)
    play(players, replace(SMALL, scorer_rate=0.0), image, "float32", progress)
    torch.manual_seed(5)
    again = build_draw_gan(SMALL.model, SMALL.seed)
    noise = torch.randn(2, 30, again.draw.latent_dim)
    latent, _, _ = again.draw.look_and_draw(image, noise[0])
    redrawn, drawn = again.redraw_and_draw(latent, noise[1])
    costs = scorer_costs(again.discriminator, image, redrawn.detach(), drawn.detach())
    (costs.real + costs.drawn).backward()
    for found, expected in zip(
        model.discriminator.parameters(), again.discriminator.parameters(), strict=True
    ):
        assert torch.allclose(found.grad, expected.grad, atol=1e-6)


def test_costs_and_losses_are_the_formulas(players, image):
    model = players.model
    parts = image[:10], image[10:20], image[20:]
    real, again, new = (torch.sigmoid(model.discriminator(part)) for part in parts)
    costs = scorer_costs(model.discriminator, *parts)
    assert torch.allclose(costs.real, -real.log().mean(), atol=1e-6)
    drawn = -((1 - again).log().mean() + (1 - new).log().mean()) / 2
    assert torch.allclose(costs.drawn, drawn, atol=1e-6)
    assert torch.allclose(
        adversarial_loss(model, parts[1], parts[2]), -again.log().mean() - new.log().mean(), atol=1e-5
    )
    a, b = (model.discriminator.features(part) for part in parts[:2])
    expected = ((a - b) ** 2).sum(1).mean() / 2
    assert torch.allclose(feature_distance(model.discriminator, parts[0], parts[1]), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("progress", "learns"),
    [(PIXELS, {"draw"}), (SCORER_TOO, {"draw", "discriminator"}), (JOINT, {"draw", "discriminator"})],
)
def test_first_the_draw_learns_alone_then_the_discriminator_joins(players, image, progress, learns):
    before = {name: value.clone() for name, value in players.model.state_dict().items()}
    figures = play(players, SMALL, image, "float32", progress)
    changed = {
        name.split(".")[0]
        for name, value in players.model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == learns
    assert (figures["generator_loss"] > 0) == (progress == JOINT)
    assert all(np.isfinite(value) for value in figures.values())


@pytest.mark.parametrize(
    ("bias", "waits"),
    [(0.0, (0.0, 0.0)), (3.0, (0.0, 0.0))],
    ids=["nobody has won", "one answer is cheap and the other dear: both would, so none does"],
)
def test_at_the_equilibrium_nobody_waits(players, image, bias, waits):
    torch.nn.init.zeros_(players.model.discriminator.out.weight)
    torch.nn.init.constant_(players.model.discriminator.out.bias, bias)
    figures = play(players, SMALL, image, "float32", JOINT)
    assert (figures["scorer_waits"], figures["decoder_waits"]) == waits


@pytest.mark.parametrize(("margin", "equilibrium"), [(0.0, 10.0), (0.0, 0.01)], ids=["scorer", "decoder"])
def test_who_is_too_far_ahead_waits_and_the_encoder_never_does(players, image, margin, equilibrium):
    model = players.model
    config = replace(SMALL, margin=margin, equilibrium=equilibrium)
    parts = {
        "scorer": list(model.discriminator.parameters()),
        "decoder": list(model.decoder_parameters()),
        "encoder": list(model.encoder_parameters()),
    }
    before = {name: [weight.clone() for weight in weights] for name, weights in parts.items()}
    figures = play(players, config, image, "float32", JOINT)
    still = {
        name
        for name, weights in parts.items()
        if all(torch.equal(a, b) for a, b in zip(weights, before[name], strict=True))
    }
    assert still == ({"scorer"} if equilibrium > 1 else {"decoder"})
    assert figures["scorer_waits"] == float("scorer" in still)
    assert figures["decoder_waits"] == float("decoder" in still)


def test_the_rate_that_is_shared_between_two_parts_stays_the_recipes(players, image):
    play(players, SMALL, image, "float32", JOINT)
    for optimizer in (players.encoder_optimizer, players.decoder_optimizer):
        assert optimizer.param_groups[0]["lr"] == SMALL.rate


def test_killed_and_resumed_gives_the_log_and_weights_of_one_that_was_not(dataset, tmp_path, monkeypatch):
    options = {"device": CPU, "precision": "float32"}
    classifier = Classifier(1, 28, 10).eval()
    train(SMALL, dataset, classifier, tmp_path / "whole", **options)
    monkeypatch.setattr(DRAWGANJudge, "save_pictures", _killed)
    with pytest.raises(KeyboardInterrupt):
        train(replace(SMALL, sheet_iterations=11), dataset, classifier, tmp_path / "killed", **options)
    monkeypatch.undo()
    config = replace(SMALL, sheet_iterations=11)
    train(config, dataset, classifier, tmp_path / "killed", resume=True, **options)
    whole, killed = (read_checkpoint(tmp_path / name / LATEST)["players"] for name in ("whole", "killed"))
    for part in ("draw", "scorer", "average"):
        for name, value in whole[part].items():
            assert torch.equal(value, killed[part][name]), f"{part}.{name}"
    updates = [
        [line for line in timeless(tmp_path / name) if line["kind"] == "updates"]
        for name in ("whole", "killed")
    ]
    assert updates[0] == updates[1] and len(updates[0]) == 10


def _killed(self, folder, iteration):
    raise KeyboardInterrupt


@pytest.fixture(scope="module", params=["adversarial", "pixels alone"])
def exported(request, dataset, tmp_path_factory):
    """A training's networks, and the bundle made of them."""
    runs, zoo = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("zoo")
    config = replace(SMALL, epochs=1)
    if request.param == "pixels alone":
        config = replace(config, scorer_from=1.0, pixels_until=1.0)
    classifier = Classifier(1, 28, 10).eval()
    train(config, dataset, classifier, runs, device=CPU, precision="float32")
    trained = load_draw_gan(runs / BEST, CPU)
    export_bundle(trained, draft_draw_gan(trained, dataset, classifier, 50), zoo / "small")
    return trained, read_bundle(zoo / "small")


def test_a_bundle_draws_redraws_and_scores_as_the_model(exported, dataset):
    trained, bundle = exported
    model = trained.networks
    manifest = bundle.manifest
    assert manifest.parity.torch_vs_onnxruntime < 1e-4 and manifest.parity.batched_vs_single < 1e-5
    assert [output.name for output in manifest.drawing.outputs] == ["read_box", "write_box"]
    latent = torch.from_numpy(_noise(model)).flatten(1)
    drawn = torch.cat(list(draw_bundle(bundle, rows=5, seed=EVALUATION_SEED)))
    with torch.no_grad():
        assert torch.allclose(drawn, model.draw.canvases(latent), atol=1e-5)
    image = torch.from_numpy(dataset.test.images[:4].astype(np.float32) / 255)
    eps = torch.randn(4, model.draw.latent_dim)
    found = Session(bundle.graphs["encode"], bundle.weights).run({"image": image.numpy(), "eps": eps.numpy()})
    with torch.no_grad():
        expected, posterior = model.draw.posterior(image, eps)
    assert np.allclose(found["noise"].reshape(4, -1), expected, atol=1e-4)
    assert np.allclose(found["mean"], posterior.mean, atol=1e-4)
    assert ("score" in bundle.graphs) == trained.config.adversarial == (manifest.scorer is not None)
    if trained.config.adversarial:
        logit = Session(bundle.graphs["score"], bundle.weights).run({"image": image.numpy()})["logit"]
        with torch.no_grad():
            assert np.allclose(logit, model.discriminator(image), atol=1e-4)


def _noise(model):
    from pentimento.bundle.noise import draw

    shape = (model.draw.step_count, model.draw.config.step_latents)
    return draw(EVALUATION_SEED, "noise", shape, rows=range(5))


def test_the_manifest_has_figures_of_drawings_and_reconstructions(exported, dataset):
    trained, bundle = exported
    judged = bundle.manifest.provenance.evaluation
    assert judged["rows"] == judged["reconstruction"]["rows"] == 50
    image = torch.from_numpy(dataset.test.images[:50].astype(np.float32) / 255)
    again = redraw(trained.networks.draw, image, 0, EVALUATION_SEED)
    own = (image - again).flatten(1).norm(dim=1).mean().item()
    assert judged["reconstruction"]["l2"] == pytest.approx(own, abs=1e-4)
    assert bundle.manifest.family == ("draw_gan" if trained.config.adversarial else "draw")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"scorer_from": 0.6}, "scorer_from must be at most pixels_until, 0.4, got 0.6"),
        ({"pixels_until": 1.5}, "pixels_until must lie in 0..1, got 1.5"),
        ({"margin": 0.9}, "margin must lie in 0..0.68, the equilibrium, got 0.9"),
        ({"gamma": 0.0}, "gamma must be above 0, got 0.0"),
    ],
)
def test_values_that_cannot_train_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(SMALL, **values)


def test_a_configuration_comes_back_from_json():
    assert DRAWGANTrainConfig.from_json(SMALL.to_json()) == SMALL
