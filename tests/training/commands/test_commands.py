"""The commands as a user meets them."""

import json
import shlex
import subprocess
import sys

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from pentimento.training.commands.main import register
from tests.training.conftest import SLICE


@pytest.fixture
def run(shared_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))
    monkeypatch.delenv("PENTIMENTO_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)

    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


def test_help_needs_no_torch():
    program = (
        "import sys, typer; from pentimento.training.commands.main import register\n"
        "app = typer.Typer(); register(app)\n"
        "try: app(['--help'])\n"
        "except SystemExit: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")
    for command in ("recipes", "data", "train", "export", "evaluate"):
        assert command in done.stdout


@pytest.mark.parametrize("command", [["recipes"], ["data"], ["train", "gran1-mnist"], ["evaluate", "zoo/x"]])
def test_without_the_training_extra_one_sentence(command, run, monkeypatch):

    monkeypatch.setattr("pentimento.training.commands.options.find_spec", lambda name: None)
    result = run(*command)
    assert result.exit_code == 1
    said = result.output.strip()
    wanted = "in a checkout of Pentimento, pip install -e '.[cpu,train]'"
    assert said == f"pentimento: This needs the training extra: {wanted}"


def test_recipes_and_data_are_listed(run, tmp_path):
    listed = run("recipes")
    assert listed.exit_code == 0 and "gran5-mnist-per-step" in listed.output
    (tmp_path / "mine" / "mnist").mkdir(parents=True)
    for file in SLICE.glob("*.gz"):
        (tmp_path / "mine" / "mnist" / file.name).write_bytes(file.read_bytes())
    listed = run("data", "--data", tmp_path / "mine")
    assert listed.exit_code == 0 and "mine/mnist" in listed.output
    shown = run("data", "mnist", "--data", tmp_path / "mine")
    assert "300 training and 100 test images of shape (1, 28, 28), 10 classes" in shown.output


def test_dry_run_shows_everything_and_trains_nothing(run, tmp_path):
    result = run(
        "train", "gran3-mnist", "--dataset", SLICE, "--epochs", "2", "--batch-rows", "10", "--dry-run"
    )
    assert result.exit_code == 0, result.output
    shown = json.loads(result.output[: result.output.index("\n}") + 2])
    assert shown["epochs"] == 2 and shown["model"]["step_count"] == 3
    assert "generator: 883,601 parameters" in result.output
    assert "60 iterations, about" in result.output
    assert not (tmp_path / "runs").exists()


def test_train_export_evaluate(run, tmp_path):
    """Nothing is mislabelled or overwritten on the way."""
    options = ["--dataset", SLICE, "--epochs", "1", "--device", "cpu"]
    trained = run("train", "gran1-mnist", *options)
    assert trained.exit_code == 0, trained.output
    name = "gran1-mnist-mnist-slice"  # on other data than the recipe's
    assert f"Next: pentimento export runs/{name}\n" in trained.output
    other = run("train", "vae2d-mnist", *options, "--resume", "--out", f"runs/{name}")
    assert other.exit_code == 2
    assert "made with another recipe: 'gran1-mnist' there, 'vae2d-mnist' here" in other.output
    again = run("train", "gran1-mnist", *options)
    assert again.exit_code != 0 and "add --resume or --overwrite" in again.output
    resumed = run("train", "gran1-mnist", *options, "--resume")
    assert resumed.exit_code == 0 and "Going on after iteration 3." in resumed.output
    exported = run("export", f"runs/{name}", "--rows", "50", "--strip", tmp_path / "strip.png")
    assert exported.exit_code == 0, exported.output
    manifest = tmp_path / "zoo" / name / "manifest.json"
    assert f"zoo/{name} 1.0.0: " in exported.output and (tmp_path / "strip.png").is_file()
    before = manifest.read_bytes()
    refused = run("export", f"runs/{name}", "--rows", "50")
    assert refused.exit_code != 0 and f"a bundle zoo/{name} already: add --overwrite" in refused.output
    assert manifest.read_bytes() == before
    compared = run(
        "compare", f"zoo/{name}", "--rows", "20", "--parts", "3", "--dataset", SLICE, "--out", "compared"
    )
    assert compared.exit_code == 0, compared.output
    table = (tmp_path / "compared" / "comparison.md").read_text()
    assert f"| measure | {name} | training images |" in table and table in compared.output
    again = run("compare", f"zoo/{name}", "--out", "compared")
    assert again.exit_code == 2 and "holds a comparison already" in again.output
    twice = run("compare", f"zoo/{name}", f"zoo/{name}")
    assert twice.exit_code == 2 and f"two bundles are called '{name}'" in twice.output
    asked = ("sweep", f"zoo/{name}", "--dataset", SLICE, "--rows", "20")
    swept = run(*asked, "--steps", "1", "--out", "swept")
    assert swept.exit_code == 0 and (tmp_path / "swept" / "sweep.md").read_text() in swept.output, (
        swept.output
    )
    for more, sentence in (
        (("--out", "swept"), "holds a sweep already"),
        (("--steps", "1,x"), "--steps must be numbers with commas, got '1,x'"),
        (("--set", "guidance"), "--set must be a control and its values"),
        (("--set", "guidance=1"), "has no control 'guidance'; it has: none"),
    ):
        refused = run(*asked, *(("--steps", "1") if "--steps" not in more else ()), *more)
        assert refused.exit_code == 2 and sentence in refused.output, refused.output
    for version in ("banana", "", "1.2"):
        wrong = run("export", f"runs/{name}", "--overwrite", "--version", version)
        assert wrong.exit_code == 2
        assert f"--version must be three numbers such as 1.2.0, got {version!r}" in wrong.output
    told = json.loads(manifest.read_text())["provenance"]
    assert told["dataset"] == told["config"]["dataset"] == "mnist-slice", "a user's path is told to nobody"
    own = run("evaluate", f"zoo/{name}", "--rows", "50")
    assert own.exit_code == 2 and "was trained on 'mnist-slice'" in own.output and "--dataset" in own.output
    asked = ("evaluate", f"zoo/{name}", "--rows", "30", "--dataset", SLICE)
    judged = run(*asked, "--without", "birthday", "--neighbours", tmp_path / "nearest.png")
    assert judged.exit_code == 0, judged.output
    assert "kl_to_data" in judged.output and "copied_share" in judged.output
    assert "test images" in judged.output and "\nprecision " in judged.output
    assert "\nbirthday" not in judged.output and (tmp_path / "nearest.png").is_file()
    told = json.loads(run(*asked, "--json", "--rows", "12").stdout)["measures"]
    assert told["drawings"]["frechet"]["rows"] == told["test_images"]["frechet"]["rows"] == 12
    assert told["drawings"]["frechet"]["space"] == told["test_images"]["frechet"]["space"]
    assert told["left_out"]["classifier_score"] == "classifier_score needs at least 20 images of data, got 12"
    unknown = run(*asked, "--without", "inception")
    assert unknown.exit_code == 2 and "--without must be one of mmd, " in unknown.output


def test_a_folder_whose_name_no_bundle_can_have_is_exported_as_the_hint_says(run, tmp_path):
    folder = tmp_path / "my [runs]"
    options = ["--dataset", SLICE, "--epochs", "1", "--device", "cpu", "--batch-rows", "150"]
    trained = run("train", "vae2d-mnist", *options, "--out", folder)
    assert trained.exit_code == 0, trained.output
    hint = next(line for line in trained.output.splitlines() if line.startswith("Next: "))
    assert hint == f"Next: pentimento export '{folder}' --name my-runs"
    exported = run(*shlex.split(hint.partition("pentimento ")[2]), "--rows", "20")
    assert exported.exit_code == 0 and (tmp_path / "zoo" / "my-runs").is_dir(), exported.output
    (folder / "best.pt").write_text("garbage")
    damaged = run("export", folder, "--name", "other")
    assert damaged.exit_code == 2 and "best.pt is damaged, or is none" in damaged.output
    assert "weights_only" not in damaged.output


def test_what_cannot_be_trained_is_refused_before_a_classifier_is_trained(run, tmp_path):
    """And leaves no folder."""
    pictures = tmp_path / "two"
    for name in ("a", "b"):
        (pictures / name).mkdir(parents=True)
        for index in range(10):
            Image.new("L", (28, 28), 20 * index).save(pictures / name / f"{index}.png")
    for arguments, sentence in (
        (["acgan-mnist", "--batch-rows", "2"], "the model has 10 classes, but data set 'two' has 2"),
        (["gran1-mnist"], "fewer than the 100 of an iteration; take smaller batches with --batch-rows"),
        (["gran1-mnist", "--resume", "--batch-rows", "2"], "there is no checkpoint"),
    ):
        for more in ([], ["--dry-run"]) if "--resume" not in arguments else ([],):
            refused = run("train", *arguments, "--dataset", pictures, "--device", "cpu", *more)
            assert refused.exit_code == 2 and sentence in refused.output, refused.output
            assert "The classifier's accuracy" not in refused.output
    assert not (tmp_path / "runs").exists()
    nowhere = run("train", "gran1-mnist", "--dataset", tmp_path / "nothing", "--dry-run")
    assert nowhere.exit_code == 2 and "nor an existing path" in nowhere.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "gran9"], "there is no recipe 'gran9'"),
        (["train", "gran1-mnist", "--dataset", "nowhere"], "'nowhere' is neither a known data set"),
        (
            ["train", "gran1-mnist", "--precision", "int3"],
            "--precision must be float32 or bfloat16, got 'int3'",
        ),
        (["export", "runs/none"], "there is no checkpoint runs/none/best.pt"),
        (["evaluate", "zoo/none"], "manifest.json is missing"),
        (["compare", "zoo/none"], "manifest.json is missing"),
    ],
)
def test_wrong_input_is_one_sentence(arguments, sentence, run):
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.output and "Traceback" not in result.output
