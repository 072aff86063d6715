"""The program `pentimento`: every command here and against a server, its files, its refusals, its end."""

import io
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from pentimento.service.cli import draw as cli_draw
from pentimento.service.cli import main as cli
from pentimento.service.operations import codec
from pentimento.service.settings import Settings
from tests.service.live import LiveServer

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def live(toys):
    server = LiveServer(toys, default_model="toy-steps")
    yield server
    server.close()


@pytest.fixture(params=["here", "http", "grpc"])
def where(request, toys, live) -> list[str]:
    """The options that say where the work is done."""
    return {
        "here": ["--bundles", str(toys)],
        "http": ["--server", live.http],
        "grpc": ["--server", f"grpc://{live.grpc}"],
    }[request.param]


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")


def run(*arguments: object):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_draw_writes_a_film_strip(where, tmp_path):
    path = tmp_path / "strip.png"
    result = run("draw", "toy-steps", "--n", 3, "--steps", 4, "--seed", 7, "--scale", 2, "-o", path, *where)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert [line for line in result.stderr.splitlines() if line.startswith("step")] == [
        f"step {i} of 4" for i in range(1, 5)
    ]
    assert "toy-steps 1.0.0, seed 7" in result.stderr
    with Image.open(path) as image:
        assert image.size == ((4 * 10 - 2) * 2, (3 * 8 - 2) * 2)


def test_the_file_is_the_same_wherever_it_is_drawn(toys, live, tmp_path):
    files = []
    for i, options in enumerate((["--bundles", toys], ["--server", live.http])):
        path = tmp_path / f"{i}.png"
        assert run("draw", "toy-color", "--seed", 3, "--n", 2, "-o", path, *options).exit_code == 0
        files.append(path.read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize("kind", ["gif", "apng", "npy"])
def test_draw_writes_every_format(where, tmp_path, kind):
    path = tmp_path / f"drawing.{kind}"
    assert run("draw", "--n", 2, "--steps", 3, "-o", path, "--seed", 1, *where[:2]).exit_code == 0
    if kind == "npy":
        array = np.load(path)
        assert (array.dtype, array.shape[:2]) == (np.float32, (2, 3))
    else:
        with Image.open(path) as image:
            assert image.n_frames == 3


def test_arrays_are_exact_here_and_over_grpc(toys, live, tmp_path):
    arrays = []
    for i, options in enumerate((["--bundles", toys], ["--server", f"grpc://{live.grpc}"])):
        path = tmp_path / f"{i}.npy"
        assert run("draw", "toy-steps", "--seed", 3, "-o", path, *options).exit_code == 0
        arrays.append(np.load(path))
    np.testing.assert_array_equal(*arrays)


def test_scores_and_labels(where):
    result = run("draw", "toy-steps", "--n", 2, "--score", *where)
    assert re.search(r"step 5 of 5; real\? \d+% \d+%", result.stderr)
    assert re.search(r"step 1 of 5; critic -?\d+\.\d\d", run("draw", "toy-color", "--score", *where).stderr)
    assert run("draw", "toy-labels", "--label", 2, *where).exit_code == 0


def test_models_are_listed(where):
    result = run("models", *where)
    assert result.exit_code == 0
    assert re.search(r"toy-steps.* 1\.0\.0 +toy +8x6 grey +1\.\.16 \(5\) +generate, score", result.stdout)
    assert re.search(r"toy-labels.*3 labels", result.stdout)
    assert "(default)" in result.stdout


def test_pictures_are_scored(where, tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, grey in zip(paths, (0.2, 0.9), strict=True):
        path.write_bytes(codec.encode_png(np.full((1, 6, 8), grey, np.float32)))
    result = run("score", *paths, "--model", "toy-steps", *where)
    assert "toy-steps 1.0.0, a discriminator" in result.stdout
    percents = [float(value) for value in re.findall(r"([\d.]+)%", result.stdout)]
    assert percents[0] < 50 < percents[1]
    critic = run("score", paths[0], "--model", "toy-color", "--fit", "resize", *where)
    assert "a critic" in critic.stdout and "%" not in critic.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["draw", "nobody"], 2, "model 'nobody' is not served here"),
        (["draw", "toy-steps", "--steps", 99], 2, "steps must be 1..16 for model 'toy-steps', got 99"),
        (["draw", "toy-steps", "--n", 0], 2, "n must be 1.."),
        (["draw", "toy-steps", "--seed", -1], 2, "seed must be 0.."),
        (["draw", "toy-rows", "--score"], 2, "cannot score"),
        (["draw", "-o", "strip.jpg"], 2, "--output must end in .png, .gif, .apng, .npy, got 'strip.jpg'"),
        (["draw", "-o", "no/where/strip.png"], 2, "--output is in a folder that does not exist"),
    ],
)
def test_a_refusal_is_one_sentence(where, arguments, code, says):
    result = run(*arguments, *where)
    assert (result.exit_code, says in result.stderr) == (code, True), result.stderr
    assert result.stderr.startswith("pentimento: ")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["models", "--bundles", "nowhere"], 2, "there is no bundle folder 'nowhere'"),
        (["models", "--server", "localhost:8000"], 2, "--server: a server's URL is http://HOST:PORT"),
        (["models", "--server", "http://127.0.0.1:1"], 1, "cannot reach http://127.0.0.1:1"),
        (["serve", "--http-port", 70000], 2, "--http-port must be 0..65535, got 70000"),
        (["serve", "--provider", "tpu"], 2, "tpu"),
        (["score", "nowhere.png"], 2, "nowhere.png"),
    ],
)
def test_other_refusals(arguments, code, says):
    result = run(*arguments)
    assert (result.exit_code, says in result.stderr) == (code, True), result.stderr
    assert "Traceback" not in result.stderr


def test_a_picture_of_another_size_is_named(toys, tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(codec.encode_png(np.zeros((1, 60, 80), np.float32)))
    result = run("score", path, "--model", "toy-steps", "--bundles", toys)
    assert result.exit_code == 2
    assert "large.png must be 8x6 pixels" in result.stderr
    assert "; --fit resize would scale it" in result.stderr


def test_a_missing_client_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pentimento_client", None)
    result = run("models", "--server", "http://127.0.0.1:1")
    assert (result.exit_code, "pip install ./clients/python" in result.stderr) == (2, True)


def test_serve_has_an_option_for_each_setting(monkeypatch):
    texts = run("serve", "--help").stdout
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')}" in texts
        assert field.description
    seen: list[Settings] = []
    monkeypatch.setattr("pentimento.service.workers.run.run", lambda settings: seen.append(settings) or 3)
    monkeypatch.setenv("PENTIMENTO_GRPC_PORT", "5")
    monkeypatch.setenv("PENTIMENTO_WORKERS", "7")
    result = run("serve", "--http-port", 0, "--bundles", "here", "--workers", 2, "--drain-grace-s", 1.5)
    assert result.exit_code == 3
    settings = seen[0]
    assert (settings.http_port, settings.grpc_port, settings.workers) == (0, 5, 2)
    assert (settings.bundles, settings.drain_grace_s) == (Path("here"), 1.5)
    assert settings.max_images == Settings().max_images


def test_commands_of_other_packages_join(monkeypatch, capsys):
    def register(app: typer.Typer) -> None:
        @app.command("knit")
        def knit() -> None:
            print("knitted")

    good = EntryPoint("knitting", "knitting:register", cli.COMMANDS)
    bad = EntryPoint("broken", "no_such_module:register", cli.COMMANDS)
    monkeypatch.setattr(EntryPoint, "load", lambda self: register if self is good else _missing())
    monkeypatch.setattr(cli, "entry_points", lambda group: EntryPoints([good, bad]))
    monkeypatch.setattr(cli, "app", typer.Typer(epilog="", no_args_is_help=True))
    for arguments, says in ((["--help"], "The broken commands are missing"), (["knit"], "knitted")):
        cli.app.command("purl")(lambda: None)
        monkeypatch.setattr(sys, "argv", ["pentimento", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert caught.value.code == 0
        assert says in capsys.readouterr().out


def _missing():
    raise ModuleNotFoundError("No module named 'no_such_module'")


def test_help_is_quick_to_load_and_has_examples():
    code = (
        "import sys; import pentimento.service.cli.main; "
        "heavy = {'onnxruntime', 'grpc', 'torch', 'fastapi', 'httpx', 'uvicorn'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    text = run("--help").stdout
    assert "pentimento draw gran5-mnist --n 8" in text
    assert all(command in text for command in ("serve", "models", "draw", "score"))


def test_the_version():
    assert run("--version").stdout.startswith("pentimento ")


def test_a_server_process_from_start_to_sigterm(toys):
    arguments = ["serve", "--http-port", "0", "--grpc-port", "0", "--bundles", str(toys), "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pentimento.service.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        found = re.search(r"http://127.0.0.1:(\d+), gRPC on 127.0.0.1:(\d+)", ready)
        assert found, ready
        for url in (f"http://127.0.0.1:{found[1]}", f"grpc://127.0.0.1:{found[2]}"):
            assert run("draw", "toy-steps", "--server", url).exit_code == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_drawing_is_shown_in_a_terminal(toys, tmp_path, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(
        cli_draw,
        "make_console",
        lambda **_: Console(file=screen, force_terminal=True, color_system="truecolor", width=60, height=30),
    )
    monkeypatch.delenv("NO_COLOR")
    result = run("draw", "toy-steps", "--n", 2, "--steps", 2, "--bundles", toys)
    assert result.exit_code == 0
    text = screen.getvalue()
    assert "▀" in text and "\x1b[38;2;" in text
    assert "step 1 of 2" in text and "step 2 of 2" in text


def test_a_file_that_is_there_is_replaced_only_if_asked(toys, tmp_path):
    path = tmp_path / "mine.png"
    path.write_bytes(b"a holiday")
    command = ["draw", "toy-steps", "--bundles", toys, "-o", path]
    refused = run(*command)
    assert refused.exit_code == 2 and "is there already" in refused.output and "--overwrite" in refused.output
    assert path.read_bytes() == b"a holiday"
    assert run(*command, "--overwrite").exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
