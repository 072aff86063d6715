"""The flow family: what is taught, resuming, and a bundle whose steps and guidance are the request's."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pentimento.bundle.noise import draw
from pentimento.bundle.store import read_bundle
from pentimento.models.flow.unet import UNetConfig
from pentimento.training.export.bundle import EVALUATION_SEED, export_bundle
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.parity import Session
from pentimento.training.families.flow.config import FlowConfig
from pentimento.training.families.flow.export import GUIDANCE, draft_flow, load_flow
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
)


@pytest.fixture
def batch(dataset):
    image = torch.from_numpy(dataset.train.images[:30]).float() / 255
    return image, torch.from_numpy(dataset.train.labels[:30])


def test_an_iteration_teaches_the_field(batch):
    torch.manual_seed(0)
    players = FlowPlayers(replace(SMALL, rate=1e-2), CPU)
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


@pytest.fixture(scope="module", params=[10, 0], ids=["classes", "no classes"])
def exported(request, dataset, tmp_path_factory):
    """A training's field, whose last weights are no longer zero, and the bundle made of it."""
    runs, zoo = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("zoo")
    sizes = replace(SMALL.model, class_count=request.param)
    if not request.param:
        sizes = replace(sizes, widths=(4,))  # of one level, whose graphs take half as long to export
    config = replace(SMALL, epochs=1, rate=1e-2, model=sizes)
    classifier = Classifier(1, 28, 10).eval()
    train(config, dataset, classifier, runs, device=CPU, precision="float32")
    trained = load_flow(runs / BEST, CPU)
    export_bundle(trained, draft_flow(trained, dataset, classifier, 50), zoo / "small")
    return trained, read_bundle(zoo / "small")


def test_a_bundle_draws_as_the_field_in_as_many_steps_as_are_asked_for(exported):
    trained, bundle = exported
    manifest = bundle.manifest
    assert manifest.parity.torch_vs_onnxruntime < 1e-4 and manifest.parity.batched_vs_single < 1e-5
    for steps in (1, 2, 5):
        drawn = torch.cat(list(draw_bundle(bundle, rows=12, seed=EVALUATION_SEED, step_count=steps)))
        config = replace(trained.config, draw_steps=steps)
        expected = torch.cat(list(draw_chunks(trained.networks, config, 12, EVALUATION_SEED)))
        assert torch.allclose(drawn, expected, atol=1e-4) and drawn.shape[1] == steps
    assert manifest.drawing.controls == ((GUIDANCE,) if trained.config.class_count else ())
    assert (manifest.labels is not None) == bool(trained.config.class_count)
    judged = manifest.provenance.evaluation
    assert judged["rows"] == 50 and ("label_accuracy" in judged) == bool(trained.config.class_count)


@pytest.mark.parametrize("exported", [10], indirect=True, ids=["classes"])
def test_rows_of_other_steps_classes_and_guidance_share_a_call(exported):
    trained, bundle = exported
    noise = torch.from_numpy(draw(1, "noise", (1, 28, 28), rows=range(3)))
    t, steps = torch.tensor([0, 1, 3]), torch.tensor([1, 2, 7])
    label, guidance = torch.tensor([0, 4, 9]), torch.tensor([0.0, 1.0, 3.5])
    feeds = {"state.picture": noise, "t": t, "steps": steps, "label": label, "guidance": guidance}
    found = Session(bundle.graphs["step"]).run({name: value.numpy() for name, value in feeds.items()})
    with torch.no_grad():
        for row in range(3):
            at = slice(row, row + 1)
            canvas, after = trained.networks.step(noise[at], t[at], steps[at], label[at], guidance[at])
            assert np.allclose(found["canvas"][at], canvas, atol=1e-4)
            assert np.allclose(found["next.picture"][at], after, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"draw_steps": 65}, "draw_steps must lie in 1..64, got 65"),
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
