"""From a training to a bundle: graphs that draw what torch draws, figures that can be had again."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from pentimento.bundle.store import read_bundle
from pentimento.models.recurrent.gran import GRAN, GRANDiscriminator, gran_config
from pentimento.training.export.bundle import EVALUATION_SEED, export_bundle, graph_entry
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.graphs import ExportedGraph, export_graph
from pentimento.training.export.parity import ParityError, ParityFigures, Session, measure_parity
from pentimento.training.families.recurrent.drawing import freeze_statistics, prior_latents
from pentimento.training.families.recurrent.export import draft_recurrent, load_recurrent, recurrent_drawing
from pentimento.training.families.recurrent.graphs import drawing_graphs, score_graph
from pentimento.training.judging.classifier import Classifier
from pentimento.training.judging.evaluation import figures
from pentimento.training.loop.checkpoints import (
    BEST,
    LATEST,
    CheckpointError,
    read_checkpoint,
    write_checkpoint,
)
from tests.training.small_training import SMALL
from tests.training.trainings import train

CPU = torch.device("cpu")
MODES = {
    "same": SMALL.model,
    "per_step": replace(SMALL.model, noise_mode="per_step", tied=True),
}


@pytest.fixture(scope="module", params=MODES)
def run_folder(request, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    config = replace(SMALL, model=MODES[request.param], epochs=1)
    train(config, dataset, Classifier(1, 28, 10).eval(), folder, device=CPU, precision="float32")
    return folder


@pytest.fixture(scope="module")
def exported(run_folder, dataset, tmp_path_factory):
    """The training's networks, the bundle made of them, and the classifier that judged it."""
    classifier = Classifier(1, 28, 10).eval()
    trained = load_recurrent(run_folder / BEST, CPU, statistics_rows=600)
    folder = tmp_path_factory.mktemp("zoo") / "small"
    manifest = export_bundle(trained, draft_recurrent(trained, dataset, classifier, 300), folder)
    loaded = read_bundle(folder)
    assert loaded.manifest == manifest
    return trained, loaded, classifier


def test_a_training_becomes_a_bundle(exported, dataset):
    trained, loaded, classifier = exported
    manifest = loaded.manifest
    same = trained.config.model.noise_mode == "same"
    assert manifest.drawing.steps.trained == 2 and manifest.drawing.steps.max == 16
    noise = manifest.drawing.noise[0]
    assert (noise.name, noise.per) == (("latent", "drawing") if same else ("noise", "call"))
    assert manifest.parity.torch_vs_onnxruntime <= 1e-4 and manifest.parity.batched_vs_single <= 1e-6
    assert manifest.provenance.dataset_sha256 == dataset.sha256
    assert manifest.provenance.epochs == 1 and manifest.provenance.iterations == 10
    assert manifest.provenance.libraries["torch"] == torch.__version__

    canvases = torch.cat(list(draw_bundle(loaded, rows=300, seed=EVALUATION_SEED)))
    latents = prior_latents(trained.networks.generator, range(300), EVALUATION_SEED)
    with torch.no_grad():
        torch.testing.assert_close(canvases, trained.networks.generator.draw(latents), rtol=0, atol=1e-5)
    again = figures(iter([canvases]), classifier, dataset, EVALUATION_SEED)
    recorded = manifest.provenance.evaluation
    assert again["class_shares"] == recorded["class_shares"]
    for name in ("kl_to_data", "confidence"):
        assert again[name] == pytest.approx(recorded[name], abs=2e-5)


def test_graphs_hold_their_weights_no_randomness_and_only_a_dynamic_batch(exported):
    for name, data in exported[1].graphs.items():
        model = onnx.load_from_string(data)
        onnx.checker.check_model(model)
        assert not [node.op_type for node in model.graph.node if "Random" in node.op_type], name
        pointers = [entry for tensor in model.graph.initializer for entry in tensor.external_data]
        files = {entry.value for entry in pointers if entry.key == "location"}
        assert files <= set(exported[1].weights), name
        for value in [*model.graph.input, *model.graph.output]:
            batch, *rest = value.type.tensor_type.shape.dim
            assert batch.dim_param and all(dim.dim_value > 0 for dim in rest), (name, value.name)


def test_a_drawing_may_go_on_with_the_last_steps_statistics(exported):
    loaded = exported[1]
    (long,) = draw_bundle(loaded, rows=3, seed=4, step_count=6)
    (short,) = draw_bundle(loaded, rows=3, seed=4, step_count=2)
    assert long.shape == (3, 6, 1, 28, 28)
    assert torch.equal(long[:, :2], short)
    with pytest.raises(ValueError, match=r"steps must be 1\.\.16, got 17"):
        next(draw_bundle(loaded, rows=3, seed=4, step_count=17))


def parity_of(graphs, model):
    entries = {name: graph_entry(name, graph) for name, graph in graphs.items()}
    images = np.zeros((1, 1, 28, 28), np.float32)
    return measure_parity(graphs, entries, recurrent_drawing(model), images)


@pytest.mark.parametrize("figure", ["torch_vs_onnxruntime", "batched_vs_single"])
def test_an_export_out_of_tolerance_is_refused(figure):
    """A network that looks across its batch must not become a bundle."""
    generator = GRAN(SMALL.model)
    freeze_statistics(generator, 60, seed=0)
    modules = drawing_graphs(generator)
    if figure == "batched_vs_single":
        generator.latent_norm.forward = lambda x, t: x - x.mean(0)
        graphs = {name: export_graph(module) for name, module in modules.items()}
        sentence = "a batch and its rows drawn alone differ by"
    else:
        graphs = {name: export_graph(module) for name, module in modules.items()}
        with torch.no_grad():
            generator.decoder.deconvs[-1].bias.add_(0.01)  # torch and the graph now differ
        sentence = "torch and ONNX Runtime differ by"
    with pytest.raises(ParityError, match=f"{sentence} .* the export is refused"):
        parity_of(graphs, SMALL.model)


def test_nothing_is_written_when_parity_fails(exported, dataset, tmp_path, monkeypatch):
    trained, loaded, classifier = exported
    written = iter(loaded.graphs.values())

    def fail(*args):
        raise ParityError("too far")

    monkeypatch.setattr(  # the graphs of the bundle itself: to export them again would take seconds
        "pentimento.training.export.shared_weights.export_graph",
        lambda module: ExportedGraph(source=module, data=next(written), weights=loaded.weights),
    )
    monkeypatch.setattr("pentimento.training.export.bundle.measure_parity", fail)
    with pytest.raises(ParityError):
        export_bundle(trained, draft_recurrent(trained, dataset, classifier, 20), tmp_path / "small")
    assert not (tmp_path / "small").exists()


def test_the_papers_model_for_28_pixels_is_batch_independent_bit_for_bit():
    generator = GRAN(gran_config(28, step_count=3))
    freeze_statistics(generator, 500, seed=0)
    graphs = {name: export_graph(module) for name, module in drawing_graphs(generator).items()}
    found = parity_of(graphs, generator.config)
    assert isinstance(found, ParityFigures)
    assert found.batched_vs_single == 0.0 and found.torch_vs_onnxruntime <= 1e-4
    step = Session(graphs["step"].data)
    assert [node.name for node in step.inputs] == ["t", "state.h_z", "state.h_c", "state.canvas_logits"]
    assert [node.name for node in step.outputs] == ["canvas", "next.h_c", "next.canvas_logits"]


def test_a_generator_in_training_mode_is_not_exported():
    with pytest.raises(ValueError, match="must be in inference mode"):
        drawing_graphs(GRAN(SMALL.model))


def test_checkpoints_that_do_not_fit(run_folder, tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        load_recurrent(tmp_path / LATEST, CPU)
    record = read_checkpoint(run_folder / LATEST)
    write_checkpoint(tmp_path / LATEST, {**record, "config": {**record["config"], "courage": 3}})
    with pytest.raises(CheckpointError, match="unknown entry 'courage'"):
        load_recurrent(tmp_path / LATEST, CPU)


def test_scores_in_onnx_are_those_of_torch():
    scorer = GRANDiscriminator(SMALL.model)
    graph = export_graph(score_graph(scorer, (1, 28, 28)))
    images = np.random.default_rng(0).random((5, 1, 28, 28), dtype=np.float32)
    logits = Session(graph.data).run({"image": images})["logit"]
    assert logits.shape == (5,)
    with torch.no_grad():
        np.testing.assert_allclose(logits, scorer(torch.from_numpy(images)).numpy(), atol=1e-5)
