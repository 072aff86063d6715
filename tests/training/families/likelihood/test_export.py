"""Bundles of likelihood models: they draw, complete, encode and judge as the models do."""

import numpy as np
import pytest
import torch

from pentimento.bundle.noise import draw
from pentimento.bundle.store import read_bundle
from pentimento.models.shared.likelihoods import importance_bound
from pentimento.training.data.binarise import binarise_for_evaluation, find_binarisation
from pentimento.training.export.bundle import EVALUATION_SEED, export_bundle
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.encodings import bundle_latent_neighbours, hash_of_bundle
from pentimento.training.export.likelihood import (
    bundle_importance,
    bundle_importance_curve,
    bundle_likelihood,
)
from pentimento.training.export.parity import Session
from pentimento.training.export.trained import Trained
from pentimento.training.families.likelihood.config import LikelihoodConfig, build_model, class_condition
from pentimento.training.families.likelihood.drawing import draw_images, prior_latent
from pentimento.training.families.likelihood.evaluation import importance_nats, neighbour_error
from pentimento.training.families.likelihood.export import draft_likelihood
from pentimento.training.loop.device import describe_device
from tests.training.families.likelihood.small_models import MODELS, SIZE, crop

RECORD = {
    "dataset": "slice", "dataset_sha256": "0" * 64, "history": [{}], "iteration": 10, "train_seconds": 1.0,
    "device": describe_device(torch.device("cpu"), "float32"),
}  # fmt: skip


@pytest.fixture(scope="module")
def small(dataset):
    return crop(dataset)


@pytest.fixture(scope="module", params=MODELS)
def exported(request, small, tmp_path_factory):
    """A model with random weights, and the bundle made of it."""
    config = LikelihoodConfig(recipe="small", model=MODELS[request.param], dataset="slice", epochs=1)
    model = build_model(config.model, 3)
    with torch.no_grad():
        for parameter in model.parameters():  # biases are zero at the start and would hide
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    folder = tmp_path_factory.mktemp("zoo") / "small"
    trained = Trained(config=config, networks=model.eval(), record=RECORD)
    manifest = export_bundle(trained, draft_likelihood(trained, small, rows=60, importance_rows=10), folder)
    return model, manifest, read_bundle(folder)


def test_a_bundle_is_asked_for_the_likelihood_of_a_data_set(exported, small):
    model, manifest, bundle = exported
    judged = bundle_likelihood(bundle, small, rows=60, seed=EVALUATION_SEED)
    rule = find_binarisation(small.train.images, manifest.image.levels)
    image = binarise_for_evaluation(
        torch.from_numpy(small.test.images[:60]).float() / 255, rule, EVALUATION_SEED, 0
    )
    with torch.no_grad():
        if judged.exact:
            labels = torch.from_numpy(small.test.labels[:60]).long()
            expected = model.log_likelihood(image, class_condition(model, labels))
        else:
            eps = torch.from_numpy(draw(EVALUATION_SEED, "eps", (model.latent_dim,), rows=range(60)))
            expected = model.log_weight(image, eps)
    assert judged.nats == pytest.approx(-expected.mean().item(), rel=1e-4)
    assert judged.rows == 60 and judged.binarisation == rule
    if judged.exact:
        assert judged.nats == pytest.approx(manifest.provenance.evaluation["likelihood"]["nats"], rel=1e-4)


def test_a_bound_is_tightened_on_the_same_random_images_in_torch_and_in_the_bundle(exported, small):
    model, manifest, bundle = exported
    if manifest.likelihood.kind == "exact":
        with pytest.raises(ValueError, match="has no bound that more latents could tighten"):
            bundle_importance(bundle, small, rows=10, samples=5, seed=1)
        return
    asked = {"rows": 10, "samples": 5, "seed": 1}
    rule = find_binarisation(small.train.images, manifest.image.levels)
    expected = importance_nats(model, small.test, rule=rule, **asked)
    found = bundle_importance(bundle, small, **asked)
    for name in ("nats", "elbo_nats"):
        assert found.pop(name) == pytest.approx(expected.pop(name), rel=1e-4)
    assert found["standard_error"] == pytest.approx(expected["standard_error"], rel=1e-2)
    recorded = manifest.provenance.evaluation["importance"]
    assert recorded["nats"] <= recorded["elbo_nats"] and recorded["rows"] == 10 and recorded["seed"] == 1


def test_a_bundle_has_a_curve_of_bounds_and_encodings_as_in_torch(exported, small):
    model, manifest, bundle = exported
    if manifest.likelihood.kind == "exact":
        with pytest.raises(ValueError, match="has no bound that more latents could tighten"):
            bundle_importance_curve(bundle, small, rows=10, seed=1, samples=(1, 5))
        with pytest.raises(ValueError, match="does not encode to the mean of a latent"):
            bundle_latent_neighbours(bundle, small, seed=1)
        return
    one, five = bundle_importance_curve(bundle, small, rows=10, seed=1, samples=(1, 5))
    whole = bundle_importance(bundle, small, rows=10, samples=5, seed=1)
    assert (one.value, five.value) == pytest.approx((whole["elbo_nats"], whole["nats"]), abs=1e-4)
    found = bundle_latent_neighbours(bundle, small, seed=1)
    rule = find_binarisation(small.train.images, manifest.image.levels)
    expected = neighbour_error(model, small.train, small.test, rule=rule, seed=1)
    assert found == bundle_latent_neighbours(bundle, small, seed=1)
    # DRAW's later means follow the latents that it drew before, which are others in torch.
    if all(node.name != "eps" for node in manifest.graphs["encode"].inputs):
        assert found.value == pytest.approx(expected["error"], abs=2 / len(small.test.images))
    assert found.space == one.space == hash_of_bundle(bundle, small)


def given(rows, levels):
    image = np.random.default_rng(0).integers(levels, size=(rows, 1, SIZE, SIZE)) / (levels - 1)
    return image.astype(np.float32)


def test_the_manifest_says_what_the_bundle_can(exported, small):
    _, manifest, _ = exported
    assert manifest.image.levels in (2, 256)
    assert (manifest.image.binarisation == "sample") == (manifest.image.levels == 2)
    exact = manifest.likelihood.kind == "exact"
    assert exact == ("encode" not in manifest.graphs)
    assert manifest.parity.torch_vs_onnxruntime < 1e-4 and manifest.parity.batched_vs_single < 1e-4
    judged = manifest.provenance.evaluation["likelihood"]
    assert judged["rows"] == 60 and judged["exact"] == exact
    assert manifest.provenance.config["family"] == manifest.family
    assert (manifest.labels is not None) == (
        "label" in [i.name for i in manifest.graphs["likelihood"].inputs]
    )
    assert exact or manifest.provenance.evaluation["importance"]["importance_samples"] == 50


def test_it_draws_what_the_model_draws(exported):
    model, manifest, bundle = exported
    steps, rowwise = manifest.drawing.steps.max, manifest.drawing.completion == "raster"
    drawn = torch.cat(list(draw_bundle(bundle, rows=5, seed=11, step_count=steps)))
    if manifest.family != "pixelvae_two_level":  # there the maps' noise comes call by call
        rows = range(5)
        expected = draw_images(model, prior_latent(model, rows, 11), rows, 11)
        assert (drawn[:, -1] - expected).abs().max() < 1e-5
    if steps > 1:
        for t in range(steps if rowwise else 0):
            assert torch.equal(drawn[:, t, :, : t + 1], drawn[:, -1, :, : t + 1]), "drawn rows are final"
            assert not drawn[:, t, :, t + 1 :].any(), "rows below are empty"
        few = torch.cat(list(draw_bundle(bundle, rows=5, seed=11, step_count=2)))
        assert torch.equal(few[:, 0], drawn[:, steps // 2 - 1]) and torch.equal(few[:, 1], drawn[:, -1])


@pytest.mark.parametrize("exported", ["draw"], indirect=True)
def test_each_canvas_of_a_draw_comes_with_the_boxes_of_its_step(exported):
    model, manifest, bundle = exported
    names = [output.name for output in manifest.drawing.outputs]
    assert names == ["read_box", "write_box"]
    session = Session(bundle.graphs["step"], bundle.weights)
    state = model.initial_state(2)
    noise = torch.randn(2, model.config.step_latents, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        canvas, after = model.step(noise, state)
        expected = model.boxes(state, after)
    feeds = {f"state.{name}": value.detach().numpy() for name, value in state._asdict().items()}
    found = session.run(feeds | {"noise": noise.numpy()})
    assert np.allclose(found["canvas"], canvas.numpy(), atol=1e-5)
    for name in names:
        assert np.allclose(found[name], expected[name].numpy(), atol=1e-4)


def sessions_and_values(bundle, rows):
    sessions = {name: Session(data, bundle.weights) for name, data in bundle.graphs.items()}
    generator = np.random.default_rng(1)
    values = {"t": np.zeros(rows, np.int64), "label": np.arange(rows) % 10}
    for noise in bundle.manifest.drawing.noise:
        if noise.per == "drawing":
            values[noise.name] = generator.standard_normal((rows, *noise.shape)).astype(np.float32)
    return sessions, values, generator


def run(bundle, rows, known, mask, noises=None):
    """Draws by hand: the last canvas and all values."""
    sessions, values, generator = sessions_and_values(bundle, rows)
    values |= {"known": known, "known_mask": mask} | {k: v for k, v in (noises or {}).items() if v.ndim == 2}
    shown = []
    for phase in bundle.manifest.drawing.phases:
        for t in range(phase.calls):
            values["t"] = np.full(rows, t)
            for tensor in bundle.manifest.graphs[phase.graph].inputs:
                if tensor.name == "noise":
                    values["noise"] = generator.random((rows, *tensor.shape), dtype=np.float32)
                if tensor.name == "map_noise":
                    values["map_noise"] = noises["map_noise"][:, t]
            outputs = sessions[phase.graph].run(values)
            values |= {"state." + k[5:]: v for k, v in outputs.items() if k.startswith("next.")}
        shown.append(outputs.get("canvas"))
    return shown[-1], values


def test_given_pixels_stay_and_count_for_those_after_them(exported):
    _, manifest, bundle = exported
    if manifest.drawing.completion is None:
        assert manifest.family in ("vae", "draw")
        return
    rows = 16
    known = given(rows, manifest.image.levels)
    mask = np.zeros_like(known)
    mask[:, :, 2:4] = 1
    noises = {"map_noise": np.zeros((rows, 2, 2, 2), np.float32)}  # (B, h, M1, w) of the two-level model
    completed, _ = run(bundle, rows, known, mask, noises)
    assert np.array_equal(completed[:, :, 2:4], known[:, :, 2:4])
    free, _ = run(bundle, rows, np.zeros_like(known), np.zeros_like(known), noises)
    assert np.array_equal(completed[:, :, :2], free[:, :, :2]), "what comes before cannot see them"
    assert not np.array_equal(completed[:, :, 4:], free[:, :, 4:]), "what comes after does"


def test_encodings_draw_and_weights_are_the_models(exported):
    model, manifest, bundle = exported
    image = given(4, manifest.image.levels)
    sessions = {name: Session(data, bundle.weights) for name, data in bundle.graphs.items()}
    torch_image = torch.from_numpy(image)
    with torch.no_grad():
        if manifest.likelihood.kind == "exact":
            label = np.array([3, 1, 4, 1])
            ours = sessions["likelihood"].run({"image": image, "label": label})
            theirs = model.log_likelihood(torch_image, class_condition(model, torch.from_numpy(label)))
            assert np.allclose(ours["log_likelihood"], theirs.numpy(), atol=1e-3)
            total = ours["pixel_log_likelihood"].sum((1, 2, 3))
            assert np.allclose(total, ours["log_likelihood"], atol=1e-3)
            return
        eps = np.random.default_rng(2).standard_normal((3, 4, model.latent_dim)).astype(np.float32)
        ours = np.stack(
            [sessions["likelihood"].run({"image": image, "eps": e})["log_likelihood"] for e in eps]
        )
        theirs = torch.stack([model.log_weight(torch_image, torch.from_numpy(e)) for e in eps])
    assert np.allclose(ours, theirs.numpy(), rtol=1e-4, atol=1e-3)
    assert (importance_bound(torch.from_numpy(ours)) <= torch.from_numpy(ours).max(0).values).all()
    encoding = sessions["encode"].run({"image": image, "eps": eps[0]})
    with torch.no_grad():
        latent, posterior = model.posterior(torch_image, torch.from_numpy(eps[0]))
    assert np.allclose(encoding["mean"], posterior.mean.numpy(), atol=1e-4)
    if manifest.family == "draw":
        by_step = latent.numpy().reshape(4, model.step_count, -1)
        assert np.allclose(encoding["noise"], by_step, atol=1e-4)
        return
    if manifest.family != "pixelvae_two_level":
        assert np.allclose(encoding["latent"], latent.numpy(), atol=1e-4)
        return
    vector, maps = model.split(latent)
    assert np.allclose(encoding["latent"], vector.numpy(), atol=1e-4)
    zeros = np.zeros_like(image)
    _, values = run(bundle, 4, zeros, zeros, encoding)
    assert np.allclose(values["state.prior_canvas"], maps.numpy(), atol=1e-3), (
        "the prior draws the encoded maps"
    )
