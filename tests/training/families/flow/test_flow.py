"""The flow family: what is taught, resuming, and a bundle whose steps and guidance are the request's."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pentimento.bundle.store import read_bundle
from pentimento.models.flow.flow_likelihood import follow_back, parts_of, start_of, total
from pentimento.models.flow.unet import UNetConfig
from pentimento.training.export.bundle import EVALUATION_SEED, export_bundle
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.likelihood import bundle_estimate
from pentimento.training.export.parity import Session
from pentimento.training.families.flow.config import FlowConfig
from pentimento.training.families.flow.export import ETA, NOISY, draft_flow, load_flow
from pentimento.training.families.flow.iteration import fit
from pentimento.training.families.flow.judge import FlowJudge, draw_chunks
from pentimento.training.families.flow.players import FlowPlayers
from pentimento.training.families.table import prepare
from pentimento.training.judging.classifier import Classifier
from pentimento.training.loop.checkpoints import BEST, LATEST, read_checkpoint
from tests.slice import SLICE
from tests.training.run_folders import timeless
from tests.training.trainings import train

CPU = torch.device("cpu")
SMALL = FlowConfig(
    recipe="small",
    model=UNetConfig(widths=(4, 8), embedding=8, groups=2, class_count=10),
    dataset=str(SLICE),
    epochs=2,
    batch_rows=30,
    log_iterations=2,
    checkpoint_iterations=7,
    evaluation_rows=30,
    draw_steps=2,
    guidance=1.5,
    encode_parts=8,
    likelihood_parts=4,
)


@pytest.fixture
def batch(dataset):
    image = torch.from_numpy(dataset.train.images[:30]).float() / 255
    return image, torch.from_numpy(dataset.train.labels[:30])


@pytest.mark.parametrize("method", ["flow_matching", "ddpm"])
def test_an_iteration_teaches_the_network(batch, method):
    torch.manual_seed(0)
    players = FlowPlayers(replace(SMALL, rate=1e-2, method=method), CPU)
    losses = [fit(players, SMALL, *batch, "float32")["loss"] for _ in range(30)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


@pytest.mark.parametrize("dropped", [0.0, 1.0])
def test_labels_are_hidden_in_the_share_that_is_set(batch, dropped):
    players = FlowPlayers(replace(SMALL, dropped_labels=dropped), CPU)
    seen = []
    field = players.model.field.forward
    players.model.field.forward = lambda x, time, label: seen.append(label) or field(x, time, label)
    fit(players, replace(SMALL, dropped_labels=dropped), *batch, "float32")
    wanted = torch.full((30,), players.model.nobody) if dropped else batch[1]
    assert torch.equal(seen[0], wanted)


def test_killed_and_resumed_gives_the_log_and_weights_of_one_that_was_not(dataset, tmp_path, monkeypatch):
    options = {"device": CPU, "precision": "float32"}
    classifier = Classifier(1, 28, 10).eval()
    train(SMALL, dataset, classifier, tmp_path / "whole", **options)
    monkeypatch.setattr(FlowJudge, "save_pictures", _killed)
    config = replace(SMALL, sheet_iterations=11)
    with pytest.raises(KeyboardInterrupt):
        train(config, dataset, classifier, tmp_path / "killed", **options)
    monkeypatch.undo()
    train(config, dataset, classifier, tmp_path / "killed", resume=True, **options)
    whole, killed = (read_checkpoint(tmp_path / name / LATEST)["players"] for name in ("whole", "killed"))
    for part in ("model", "average"):
        assert all(torch.equal(value, killed[part][name]) for name, value in whole[part].items()), part
    updates = [
        [line for line in timeless(tmp_path / name) if line["kind"] == "updates"]
        for name in ("whole", "killed")
    ]
    assert updates[0] == updates[1] and len(updates[0]) == 10
    assert FlowConfig.from_json(read_checkpoint(tmp_path / "whole" / LATEST)["config"]) == SMALL


def _killed(self, folder, iteration):
    raise KeyboardInterrupt


@pytest.fixture(scope="module", params=["flow_matching", "ddpm"])
def exported(request, dataset, tmp_path_factory):
    """A training's network, whose last weights are no longer zero, and the bundle made of it.

    Flow matching is told classes; diffusion is not, and has one level, whose graphs are exported sooner.
    """
    runs, zoo = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("zoo")
    config = replace(SMALL, epochs=1, rate=1e-2, method=request.param)
    if request.param == "ddpm":
        config = replace(config, model=replace(SMALL.model, widths=(4,), class_count=0))
    classifier = Classifier(1, 28, 10).eval()
    train(config, dataset, classifier, runs, device=CPU, precision="float32")
    trained = load_flow(runs / BEST, CPU)
    export_bundle(trained, draft_flow(trained, dataset, classifier, 50), zoo / "small")
    return trained, read_bundle(zoo / "small")


def test_a_bundle_draws_as_the_network_in_as_many_steps_as_are_asked_for(exported):
    trained, bundle = exported
    manifest, config = bundle.manifest, trained.config
    assert manifest.parity.torch_vs_onnxruntime < 1e-4 and manifest.parity.batched_vs_single < 1e-5
    for steps in (1, 2, 5):
        drawn = torch.cat(list(draw_bundle(bundle, rows=12, seed=EVALUATION_SEED, step_count=steps)))
        judged = draw_chunks(trained.networks, replace(config, draw_steps=steps), 12, EVALUATION_SEED)
        assert torch.allclose(drawn, torch.cat(list(judged)), atol=1e-4) and drawn.shape[1] == steps
    first, second = manifest.drawing.controls
    assert second == NOISY and manifest.drawing.completion == "everywhere"
    if config.method == "flow_matching":
        assert (first.name, first.default) == ("guidance", config.guidance)
    else:
        assert first == ETA
    assert (manifest.labels is not None) == bool(config.class_count)
    assert (manifest.likelihood is not None) == (config.method == "flow_matching")
    judged = manifest.provenance.evaluation
    assert judged["rows"] == 50 and ("label_accuracy" in judged) == bool(config.class_count)


def feeds_of(bundle, rows):
    """Inputs of a step of `rows` rows, none of which is completed."""
    generator = torch.Generator().manual_seed(4)
    feeds = {"t": torch.tensor([0, 1, 3])[:rows], "steps": torch.tensor([1, 2, 7])[:rows]}
    for tensor in bundle.manifest.graphs["step"].inputs:
        if tensor.name in ("known", "known_mask"):
            feeds[tensor.name] = torch.zeros(rows, *tensor.shape)
        elif tensor.name not in feeds and tensor.dtype == "float32":
            feeds[tensor.name] = torch.rand(rows, *tensor.shape, generator=generator)
    feeds["label"] = torch.tensor([0, 4, 9])[:rows]
    return feeds


def step(bundle, feeds):
    return Session(bundle.graphs["step"], bundle.weights).run(
        {name: value.numpy() for name, value in feeds.items()}
    )


def test_rows_of_other_steps_classes_and_controls_share_a_call(exported):
    trained, bundle = exported
    feeds = feeds_of(bundle, 3)
    found = step(bundle, feeds)
    for row in range(3):
        alone = step(bundle, {name: value[row : row + 1] for name, value in feeds.items()})
        for name in ("canvas", "next.picture"):
            assert np.allclose(found[name][row], alone[name][0], atol=1e-5)
    if trained.config.class_count:
        asked = (feeds[name] for name in ("state.picture", "t", "steps", "label", "guidance"))
        with torch.no_grad():
            estimate, after = trained.networks.step(*asked)
        shown = feeds["noisy"][:, None, None, None]
        wanted = (1 - shown) * estimate + shown * ((after + 1) / 2).clamp(0, 1)
        assert np.allclose(found["canvas"], wanted, atol=1e-4)
        assert np.allclose(found["next.picture"], after, atol=1e-4)


def test_pixels_that_are_given_stay_and_are_seen_at_every_step(exported):
    trained, bundle = exported
    feeds = feeds_of(bundle, 2)
    mask = torch.zeros(2, 1, 28, 28)
    mask[..., :14] = 1
    known = torch.rand(2, 1, 28, 28) * mask
    found = step(bundle, feeds | {"known": known, "known_mask": mask})
    assert torch.equal(torch.from_numpy(found["canvas"]) * mask, known)
    state = torch.where(
        mask > 0,
        trained.networks.mix(known, feeds["noise"], feeds["t"], feeds["steps"]),
        feeds["state.picture"],
    )
    seen = step(bundle, feeds | {"state.picture": state})
    assert np.allclose(found["next.picture"], seen["next.picture"], atol=1e-5)
    elsewhere = 1 - mask.numpy()
    assert np.allclose(found["canvas"] * elsewhere, seen["canvas"] * elsewhere, atol=1e-5)


def test_an_encoding_is_that_of_the_network_and_draws_the_picture_again(exported, dataset):
    trained, bundle = exported
    image = torch.from_numpy(dataset.test.images[:3]).float() / 255
    label = torch.tensor([0, 4, 9])
    feeds = {"image": image.numpy(), "label": label.numpy()}
    noise = torch.from_numpy(Session(bundle.graphs["encode"], bundle.weights).run(feeds)["noise"])
    told = label if trained.config.class_count else None
    with torch.no_grad():
        assert torch.allclose(
            noise, trained.networks.encode(image, trained.config.encode_parts, told), atol=1e-3
        )
        again = trained.networks.follow(noise, 64, told)[:, -1]
    # A network that has hardly learned to tell noise errs more at the ends of its levels.
    assert (again - image).abs().mean() < {"flow_matching": 0.1, "ddpm": 0.2}[trained.config.method]


@pytest.mark.parametrize("exported", ["flow_matching"], indirect=True)
def test_the_likelihood_of_a_bundle_is_that_of_the_network(exported, dataset):
    trained, bundle = exported
    image, label = torch.from_numpy(dataset.test.images[:2]).float() / 255, torch.tensor([0, 4])
    eps = torch.randn(2, 2, 1, 28, 28, generator=torch.Generator().manual_seed(5))
    feeds = {"image": image.numpy(), "label": label.numpy(), "eps": eps.numpy()}
    found = Session(bundle.graphs["likelihood"], bundle.weights).run(feeds)["log_likelihood"]
    at = start_of(image, torch.special.ndtr(eps[:, 0]))
    with torch.no_grad():
        for part in parts_of(trained.config.likelihood_parts):
            at = follow_back(trained.networks, at, eps[:, 1].sign(), part, label)
        assert np.allclose(found, total(at), rtol=1e-4)
    measured = bundle.manifest.provenance.evaluation["likelihood_estimate"]
    assert measured["rows"] == 50 and measured["nats"] == pytest.approx(
        bundle_estimate(bundle, dataset, rows=50, seed=EVALUATION_SEED)["nats"], rel=1e-4
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"draw_steps": 65}, "draw_steps must lie in 1..64, got 65"),
        ({"method": "score"}, "method must be flow_matching or ddpm, got 'score'"),
        ({"method": "ddpm", "heun": True}, "heun is a method of flow_matching, got method 'ddpm'"),
        ({"dropped_labels": 1.5}, "dropped_labels must lie in 0..1, got 1.5"),
        ({"warm_share": 0.0}, "warm_share must lie in 0..1, above 0, got 0.0"),
    ],
)
def test_values_that_cannot_train_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(SMALL, **values)


def test_another_number_of_classes_is_refused(dataset):
    odd = replace(SMALL, model=replace(SMALL.model, class_count=7))
    with pytest.raises(ValueError, match="the model has 7 classes, but data set 'mnist-slice' has 10"):
        prepare(odd, dataset, Classifier(1, 28, 10), device=CPU, precision="float32")
