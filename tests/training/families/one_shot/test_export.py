"""From a one-shot training to a bundle: graphs that draw and judge as torch does, figures to be had again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from pentimento.bundle.noise import draw
from pentimento.bundle.store import read_bundle, write_bundle
from pentimento.models.adversarial.architectures import build_one_shot
from pentimento.training.commands.main import register
from pentimento.training.export.bundle import EVALUATION_SEED, export_bundle, graph_entry
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.graphs import export_graph
from pentimento.training.export.parity import ParityError, Session, measure_parity
from pentimento.training.export.trained import Pair, Trained
from pentimento.training.families.one_shot.drawing import freeze_statistics
from pentimento.training.families.one_shot.export import draft_one_shot, load_one_shot
from pentimento.training.families.one_shot.graphs import one_shot_graphs
from pentimento.training.families.table import load_result
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures
from pentimento.training.loop.checkpoints import LATEST, CheckpointError, read_checkpoint, write_checkpoint
from tests.training.conftest import SLICE
from tests.training.families.one_shot.small_training import small
from tests.training.trainings import train

CPU = torch.device("cpu")
CLASSES = {"class_count": 10}
CASES = {
    "wgan_gp": small("wgan_gp", epochs=1),
    "cgan": small("gan", epochs=1, model=CLASSES | {"conditioning": "concat", "scorer_norm": "batch"}),
    "acgan": small("wgan_gp", epochs=1, model=CLASSES | {"conditioning": "classifier"}),
}


@pytest.fixture(scope="module", params=CASES)
def run_folder(request, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    train(
        CASES[request.param], dataset, Classifier(1, 28, 10).eval(), folder, device=CPU, precision="float32"
    )
    return folder


@pytest.fixture(scope="module")
def exported(run_folder, dataset, tmp_path_factory):
    """The training's networks, the bundle made of them, and the classifier that judged it."""
    classifier = Classifier(1, 28, 10).eval()
    trained = load_one_shot(run_folder / LATEST, CPU, statistics_rows=600)
    folder = tmp_path_factory.mktemp("zoo") / "small"
    manifest = export_bundle(trained, draft_one_shot(trained, dataset, classifier, 60), folder)
    loaded = read_bundle(folder)
    assert loaded.manifest == manifest
    return trained, loaded, classifier


def test_the_manifest_says_what_the_bundle_can(exported, dataset):
    trained, loaded, _ = exported
    config, manifest = trained.config, loaded.manifest
    conditional = config.model.class_count > 0
    name = next(name for name, case in CASES.items() if case == config)
    assert manifest.family == name and manifest.paper is not None
    assert [(phase.graph, phase.calls, phase.shows) for phase in manifest.drawing.phases] == [
        ("step", 1, True)
    ]
    assert manifest.drawing.steps.max == manifest.drawing.steps.trained == 1
    inputs = {graph: [t.name for t in spec.inputs] for graph, spec in manifest.graphs.items()}
    assert inputs["step"] == (["latent", "label"] if conditional else ["latent"])
    assert inputs["score"] == (["image", "label"] if name == "cgan" else ["image"])
    assert (manifest.labels is not None) == conditional
    if conditional:
        assert manifest.labels.names == dataset.class_names
    assert manifest.scorer.kind == ("discriminator" if name == "cgan" else "critic")
    assert manifest.scorer.group_size is None
    assert manifest.parity.torch_vs_onnxruntime <= 1e-4 and manifest.parity.batched_vs_single <= 1e-4
    told = manifest.provenance.config
    assert told == config.to_json() | {"dataset": dataset.name} and manifest.provenance.iterations == 4
    judged = manifest.provenance.evaluation
    assert ("label_accuracy" in judged) == conditional
    assert set(judged["scorer_loss"]) == {"train", "held_out"}
    assert set(judged["novelty"]) == {"drawn_median", "test_median", "copied_share"}


def test_the_bundle_draws_what_the_generator_draws_and_is_judged_the_same(exported, dataset):
    trained, loaded, classifier = exported
    classes = trained.config.model.class_count
    canvases = torch.cat(list(draw_bundle(loaded, rows=60, seed=EVALUATION_SEED)))
    latent = torch.from_numpy(draw(EVALUATION_SEED, "latent", (6,), rows=range(60)))
    with torch.no_grad():
        expected = trained.networks.generator(latent, torch.arange(60) % 10 if classes else None)
    torch.testing.assert_close(canvases[:, 0], expected, rtol=0, atol=1e-5)
    again = figures(iter([canvases]), classifier, dataset, EVALUATION_SEED, classes)
    recorded = loaded.manifest.provenance.evaluation
    assert again["class_shares"] == recorded["class_shares"]
    for name in ("kl_to_data", "confidence", *(("label_accuracy",) if classes else ())):
        assert again[name] == pytest.approx(recorded[name], abs=2e-5)


def test_scores_are_the_scorers_whatever_the_batch(exported, dataset):
    trained, loaded, _ = exported
    image = dataset.test.images[:20].astype(np.float32) / 255
    label = dataset.test.labels[:20]
    session = Session(loaded.graphs["score"], loaded.weights)
    together = session.run({"image": image, "label": label})["logit"]
    alone = [
        session.run({"image": image[i : i + 1], "label": label[i : i + 1]})["logit"][0] for i in range(20)
    ]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)
    told = torch.from_numpy(label) if trained.config.model.conditioning == "concat" else None
    with torch.no_grad():
        expected = trained.networks.scorer(torch.from_numpy(image), told).score
    np.testing.assert_allclose(together, expected.numpy(), atol=1e-4)
    if told is not None:
        other = session.run({"image": image, "label": (label + 1) % 10})["logit"]
        assert not np.allclose(together, other), "a scorer that is told the class listens"


def test_evaluate_asks_a_bundle_for_all_classes(exported, shared_cache, monkeypatch, tmp_path):
    trained, loaded, _ = exported
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))
    monkeypatch.setenv("COLUMNS", "200")
    write_bundle(tmp_path / "small", loaded.manifest, loaded.graphs, loaded.weights)
    app = typer.Typer()
    register(app)
    options = ["--rows", "20", "--dataset", str(SLICE)]
    judged = CliRunner().invoke(app, ["evaluate", str(tmp_path / "small"), *options])
    assert judged.exit_code == 0, judged.output
    assert "kl_to_data" in judged.output and "copied_share" in judged.output
    assert ("label_accuracy" in judged.output) == (trained.config.model.class_count > 0)


def test_results_of_all_kinds_are_told_apart(run_folder, monkeypatch):
    monkeypatch.setattr("pentimento.training.families.one_shot.export.freeze_statistics", lambda *args: None)
    assert load_result(run_folder / LATEST, CPU).config in CASES.values()


def test_a_checkpoint_that_does_not_fit(run_folder, tmp_path):
    record = read_checkpoint(run_folder / LATEST)
    write_checkpoint(tmp_path / LATEST, {**record, "config": {**record["config"], "courage": 3}})
    with pytest.raises(CheckpointError, match="unknown entry 'courage'"):
        load_one_shot(tmp_path / LATEST, CPU)


def players(config):
    generator, scorer = build_one_shot(config.model, 1)
    freeze_statistics(generator, 60, seed=0)
    return generator, scorer.eval()


def test_networks_in_training_mode_are_not_exported():
    config = CASES["cgan"]
    generator, scorer = players(config)
    with pytest.raises(ValueError, match="must be in inference mode"):
        one_shot_graphs(config, generator, scorer.train())
    with pytest.raises(ValueError, match="must be in inference mode"):
        one_shot_graphs(config, generator.train(), scorer.eval())


def trained_of(config):
    return Trained(config=config, networks=Pair(*players(config)), record={})


def test_a_scorer_of_groups_is_left_out():
    for size, graphs in ((1, {"step", "score"}), (2, {"step"})):
        config = small("gan", model={"group_size": size})
        assert set(one_shot_graphs(config, *players(config))) == graphs


def test_a_scorer_that_compares_its_batch_mates_is_left_out(dataset, classifier):
    config = small("gan", model={"minibatch_kernels": 3})
    assert set(one_shot_graphs(config, *players(config))) == {"step"}
    # Were it not, the parity would say so.
    blind = replace(config, model=replace(config.model, minibatch_kernels=0))
    graphs = {name: export_graph(module) for name, module in one_shot_graphs(blind, *players(config)).items()}
    entries = {name: graph_entry(name, graph) for name, graph in graphs.items()}
    images = np.random.default_rng(0).random((64, 1, 28, 28), dtype=np.float32)
    draft = draft_one_shot(trained_of(config), dataset, classifier)
    with pytest.raises(ParityError, match="a batch and its rows drawn alone differ by"):
        measure_parity(graphs, entries, draft.drawing, images)


def test_graphs_that_differ_from_the_networks_are_refused_and_nothing_is_written(
    dataset, classifier, tmp_path, monkeypatch
):
    def spoiled(module):
        graph = export_graph(module)
        if module.outputs == ("logit",):
            with torch.no_grad():
                module.module.network.head.score.bias.add_(0.01)
        return graph

    monkeypatch.setattr("pentimento.training.export.shared_weights.export_graph", spoiled)
    trained = trained_of(CASES["wgan_gp"])
    with pytest.raises(ParityError, match="torch and ONNX Runtime differ by"):
        export_bundle(trained, draft_one_shot(trained, dataset, classifier, 20), tmp_path / "small")
    assert not (tmp_path / "small").exists()
