"""Pipelines of diffusers as bundles: they draw what the pipeline draws; what cannot be said is refused."""

import json

import diffusers
import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from pentimento.bundle.store import read_bundle
from pentimento.training.commands.main import register
from pentimento.training.export.draw import draw_bundle
from pentimento.training.export.parity import Session
from pentimento.training.imports.diffusers import read_pipeline
from pentimento.training.imports.schedules import read_schedule

CLASSES = 3
SCHEDULERS = {
    "ddpm": (diffusers.DDPMScheduler, {}),
    "ddpm, large variance, v": (
        diffusers.DDPMScheduler,
        {"variance_type": "fixed_large", "prediction_type": "v_prediction", "clip_sample": False},
    ),
    "ddpm, log variance, sample": (
        diffusers.DDPMScheduler,
        {"variance_type": "fixed_small_log", "prediction_type": "sample", "timestep_spacing": "trailing"},
    ),
    "ddim": (diffusers.DDIMScheduler, {"beta_schedule": "squaredcos_cap_v2"}),
    "ddim, alpha 0, v": (
        diffusers.DDIMScheduler,
        {"set_alpha_to_one": False, "steps_offset": 1, "prediction_type": "v_prediction"},
    ),
    "ddim, sample": (diffusers.DDIMScheduler, {"prediction_type": "sample", "clip_sample_range": 2.0}),
    "euler": (diffusers.EulerDiscreteScheduler, {}),
    "euler, karras, v": (
        diffusers.EulerDiscreteScheduler,
        {"use_karras_sigmas": True, "prediction_type": "v_prediction"},
    ),
}


def run(*asked):
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, [str(each) for each in asked])


def network(**changes):
    torch.manual_seed(0)
    sizes = {
        "sample_size": 8,
        "in_channels": 1,
        "out_channels": 1,
        "layers_per_block": 1,
        "block_out_channels": (8, 8),
        "norm_num_groups": 4,
        "attention_head_dim": 4,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    }
    return diffusers.UNet2DModel(**(sizes | changes)).eval()


def save(folder, unet, scheduler):
    unet.save_pretrained(folder / "unet")
    scheduler.save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "DDPMPipeline",
        "unet": ["diffusers", "UNet2DModel"],
        "scheduler": ["diffusers", type(scheduler).__name__],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers
@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_step_by_the_tables_is_the_schedulers(name):
    """Of a network that says anything, at every step of several numbers of them."""
    kind, options = SCHEDULERS[name]
    scheduler = kind(**options)
    schedule = read_schedule(scheduler, 20)
    state, said = torch.randn(2, 1, 4, 4), torch.randn(2, 1, 4, 4)
    for steps in (1, 3, 20):
        scheduler.set_timesteps(steps)
        assert float(schedule.start[steps]) == pytest.approx(float(scheduler.init_noise_sigma))
        for t, time in enumerate(scheduler.timesteps):
            factor = {
                key: schedule.at(key, torch.tensor([steps]), torch.tensor([t])) for key in schedule.factors
            }
            scaled = scheduler.scale_model_input(state, time)
            assert float(factor["time"]) == pytest.approx(float(time))
            assert torch.allclose(scaled, factor["scale"] * state, atol=1e-5)
            fresh = torch.randn(state.shape, generator=torch.Generator().manual_seed(t))
            answer = scheduler.step(said, time, state, generator=torch.Generator().manual_seed(t))
            estimate = factor["a"] * state + factor["b"] * said
            if schedule.limit is not None:
                estimate = estimate.clamp(-schedule.limit, schedule.limit)
            after = factor["c"] * estimate + factor["d"] * state + factor["e"] * said + factor["s"] * fresh
            assert torch.allclose(estimate, answer.pred_original_sample, rtol=1e-4, atol=1e-4), (steps, t)
            assert torch.allclose(after, answer.prev_sample, rtol=1e-4, atol=1e-4), (steps, t)
    assert schedule.random == (kind is diffusers.DDPMScheduler)


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A DDPM pipeline of colours with classes, imported on the command line."""
    place = tmp_path_factory.mktemp("diffusers")
    folder = place / "classes"
    folder.mkdir()
    unet = network(in_channels=3, out_channels=3, num_class_embeds=CLASSES)
    save(folder, unet, diffusers.DDPMScheduler())
    asked = ["import", "diffusers", str(folder), "--zoo", str(place / "bundles"), "--steps", "4"]
    done = run(*asked, "--max-steps", "12", "--labels", "cat,dog,hen")
    assert done.exit_code == 0, done.output
    again = run(*asked)
    assert again.exit_code == 2 and "--overwrite" in again.output
    return folder, read_bundle(place / "bundles" / "classes")


def test_an_imported_bundle_says_what_it_is(imported):
    _, bundle = imported
    manifest = bundle.manifest
    assert manifest.labels.names == ("cat", "dog", "hen") and manifest.image.shape == (3, 8, 8)
    steps = manifest.drawing.steps
    assert (steps.min, steps.default, steps.max) == (1, 4, 12)
    assert [noise.name for noise in manifest.drawing.noise] == ["noise", "fresh"]
    assert manifest.provenance.evaluation["pipeline_difference"] < 1e-4
    assert manifest.provenance.config["scheduler"]["class"] == "DDPMScheduler"
    assert "/" not in json.dumps(manifest.provenance.config), "no path of whoever imported it"


def test_it_draws_what_the_loop_of_the_library_draws(imported):
    """Step by step: what is shown is the library's own estimate, and in the end its picture."""
    folder, bundle = imported
    read = read_pipeline(folder, 12)
    (canvases,) = draw_bundle(bundle, rows=CLASSES, seed=3, step_count=5)
    assert canvases.shape == (CLASSES, 5, 3, 8, 8)
    from pentimento.bundle.noise import draw_noise

    noise = draw_noise(bundle.manifest.drawing, bundle.manifest.graphs, seed=3, rows=range(CLASSES), steps=5)
    read.scheduler.set_timesteps(5)
    state, label = torch.from_numpy(noise["noise"]), torch.arange(CLASSES)
    own = read.scheduler
    original = diffusers.schedulers.scheduling_ddpm.randn_tensor
    try:
        for t, time in enumerate(own.timesteps):
            fresh = torch.from_numpy(noise["fresh"][:, t])
            diffusers.schedulers.scheduling_ddpm.randn_tensor = lambda *_, fresh=fresh, **__: fresh
            with torch.no_grad():
                answer = own.step(read.network(state, time, class_labels=label).sample, time, state)
            state = answer.prev_sample
            shown = state if t == 4 else answer.pred_original_sample
            assert torch.allclose(canvases[:, t], (shown / 2 + 0.5).clamp(0, 1), atol=1e-4), t
    finally:
        diffusers.schedulers.scheduling_ddpm.randn_tensor = original


def test_rows_of_other_steps_share_a_call(imported):
    _, bundle = imported
    session, generator = Session(bundle.graphs["step"], bundle.weights), np.random.default_rng(0)
    feeds = {
        "state.picture": generator.normal(size=(3, 3, 8, 8)).astype(np.float32),
        "fresh": generator.normal(size=(3, 3, 8, 8)).astype(np.float32),
        "t": np.array([0, 3, 11]),
        "steps": np.array([1, 7, 12]),
        "label": np.array([0, 2, 1]),
    }
    together = session.run(feeds)
    for row in range(3):
        alone = session.run({name: value[row : row + 1] for name, value in feeds.items()})
        assert np.allclose(together["canvas"][row], alone["canvas"][0], atol=1e-5)


@pytest.fixture
def pipeline(tmp_path):
    return save(tmp_path, network(), diffusers.DDPMScheduler())


def change(folder, **parts):
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | parts))


@pytest.mark.parametrize(
    ("scheduler", "sentence"),
    [
        (diffusers.PNDMScheduler(), "scheduler must be one of DDPMScheduler, DDIMScheduler, Euler"),
        (diffusers.DDPMScheduler(thresholding=True), "has thresholding"),
        (diffusers.DDPMScheduler(variance_type="learned_range"), "a variance that the network puts out"),
    ],
)
def test_schedulers_that_a_bundle_cannot_express_are_refused(tmp_path, scheduler, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_pipeline(save(tmp_path, network(), scheduler), 5)


def test_text_and_other_networks_are_refused(pipeline):
    change(pipeline, text_encoder=["transformers", "CLIPTextModel"])
    with pytest.raises(ValueError, match="also has text_encoder: only a U-Net in pixel space"):
        read_pipeline(pipeline, 5)


@pytest.mark.parametrize(
    ("unet", "sentence"),
    [
        (["diffusers", "UNet2DConditionModel"], "must be a UNet2DModel, got UNet2DConditionModel"),
        (["diffusers", "Other"], "must be a UNet2DModel, got Other"),
    ],
)
def test_other_networks_are_refused(pipeline, unet, sentence):
    change(pipeline, unet=unet)
    with pytest.raises(ValueError, match=sentence):
        read_pipeline(pipeline, 5)


def test_a_network_that_puts_out_a_variance_is_refused(tmp_path):
    folder = save(tmp_path, network(out_channels=2), diffusers.DDPMScheduler())
    with pytest.raises(ValueError, match="must put out the 1 or 3 channels that it takes, got 1 and 2"):
        read_pipeline(folder, 5)


def test_a_folder_that_is_none_and_weights_that_are_missing_are_refused(pipeline, tmp_path):
    with pytest.raises(ValueError, match="is no pipeline of diffusers: it has no model_index"):
        read_pipeline(tmp_path / "unet", 5)
    for file in (pipeline / "unet").glob("*.safetensors"):
        file.unlink()
    with pytest.raises(ValueError, match="cannot be read"):
        read_pipeline(pipeline, 5)
    (pipeline / "model_index.json").write_text("[]")
    with pytest.raises(ValueError, match="is not the index of a pipeline"):
        read_pipeline(pipeline, 5)


def test_wrong_labels_and_steps_are_said_by_the_command(pipeline, tmp_path):
    asked = ["import", "diffusers", str(pipeline), "--name", "plain", "--zoo", str(tmp_path / "bundles")]
    labels = run(*asked, "--labels", "a,b")
    assert labels.exit_code == 2 and "labels must name the 0 classes of the U-Net, got 2" in labels.output
    steps = run(*asked, "--steps", "30", "--max-steps", "20")
    assert steps.exit_code == 2 and "steps must lie in 1..20, got 30" in steps.output
    assert not (tmp_path / "bundles" / "plain").exists()
