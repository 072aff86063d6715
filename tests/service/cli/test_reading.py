"""Commands that start from pictures: here and against a server, their files, their refusals."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from pentimento.service.cli import draw as cli_draw
from pentimento.service.cli import main as cli
from pentimento.service.operations import codec
from tests.service.live import LiveServer
from tests.service.reading_toys import write_reading_toys

GREY = (1, 6, 8)
LEVELS = np.arange(48, dtype=np.float32).reshape(GREY) / 48


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    write_reading_toys(folder)
    return folder


@pytest.fixture(scope="module")
def live(bundles):
    server = LiveServer(bundles, default_model="toy-code")
    yield server
    server.close()


@pytest.fixture(params=["here", "http", "grpc"])
def where(request, bundles, live):
    """The options that say where the work is done."""
    return {
        "here": ["--bundles", bundles],
        "http": ["--server", live.http],
        "grpc": ["--server", f"grpc://{live.grpc}"],
    }[request.param]


@pytest.fixture(autouse=True)
def pictures(monkeypatch, tmp_path):
    """A folder to work in, with pictures of the toys' size and one of another."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    upper = np.zeros(GREY, np.float32)
    upper[:, :3] = 1
    for name, array in (
        ("levels", LEVELS),
        ("white", np.ones(GREY, np.float32)),
        ("upper", upper),
        ("large", np.zeros((1, 60, 80), np.float32)),
    ):
        (tmp_path / f"{name}.png").write_bytes(codec.encode_png(array))


def run(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_autoencode_writes_a_strip_that_begins_with_the_picture(where, tmp_path):
    options = ["--model", "toy-code", "--samples", 3, "--steps", 2, "--seed", 7, "--scale", 1]
    result = run("autoencode", "levels.png", *options, "-o", "strip.png", *where)
    assert result.exit_code == 0, result.stderr
    assert "toy-code 1.0.0, seed 7" in result.stderr
    assert [line for line in result.stderr.splitlines() if line.startswith("step")] == [
        "step 1 of 2",
        "step 2 of 2",
    ]
    with Image.open(tmp_path / "strip.png") as image:
        assert image.size == (3 * 10 - 2, 3 * 8 - 2)
        strip = np.asarray(image)
    for top in (0, 8, 16):
        np.testing.assert_array_equal(strip[top : top + 6, :8], codec.to_uint8(LEVELS)[0])
    assert len({strip[top : top + 6, 20:28].tobytes() for top in (0, 8, 16)}) == 3


def test_the_strip_is_the_same_wherever_it_is_drawn(bundles, live):
    files = []
    for options in (["--bundles", bundles], ["--server", live.http], ["--server", f"grpc://{live.grpc}"]):
        arguments = ("--model", "toy-code", "--seed", 3, "-n", 2, "-o", "strip.png", "--overwrite", *options)
        assert run("autoencode", "levels.png", *arguments).exit_code == 0
        with open("strip.png", "rb") as file:
            files.append(file.read())
    assert files[0] == files[1] == files[2]


def test_complete_says_what_it_saw(where, tmp_path):
    options = ["-m", "toy-black", "-n", 4, "--seed", 2, "-o", "drawing.npy"]
    result = run("complete", "white.png", "upper.png", *options, *where)
    assert result.exit_code == 0, result.stderr
    assert "above it, and to its left" in result.stderr.replace("\n", " ")
    array = np.load(tmp_path / "drawing.npy")
    assert array.shape == (4, 3, *GREY)
    assert array[:, :, :, :3].all() and not array[:, -1, :, 3:].all()


def test_likelihoods_are_a_table(where):
    result = run("likelihood", "white.png", "upper.png", "--model", "toy-black", *where)
    assert result.exit_code == 0, result.stderr
    assert "toy-black 1.0.0, log-likelihood\n" in result.stdout
    assert re.search(r"white.png +-48.00 +1.4427\n", result.stdout)
    assert re.search(r"mean +-36.00 +1.0820", result.stdout)
    bound = run("likelihood", "levels.png", "--model", "toy-code", "-k", 20, "--seed", 8, *where)
    assert "lower bound of the log-likelihood from 20 draws, seed 8" in bound.stdout
    assert "mean" not in bound.stdout


def test_a_noise_has_a_seed_of_its_own(where, tmp_path):
    for name, options in (("a", ["--seed", 1, "--seed-of", "u=2"]), ("b", ["--seed", 2])):
        result = run("draw", "toy-black", *options, "-o", f"{name}.png", *where)
        assert result.exit_code == 0, result.stderr
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["autoencode", "levels.png", "-m", "toy-black"], "cannot autoencode; models that can: toy-code"),
        (["autoencode", "large.png", "-m", "toy-code"], "must be 8x6 pixels"),
        (["autoencode", "levels.png", "-m", "toy-code", "-n", 0], "samples must be 1.."),
        (["autoencode", "levels.png", "-o", "strip.jpg"], "--output must end in .png"),
        (["complete", "white.png", "white.png", "-m", "toy-black"], "nothing is left to draw"),
        (["complete", "white.png", "large.png", "-m", "toy-black"], "must be 8x6 pixels"),
        (["likelihood", "levels.png", "-m", "toy-code", "-k", 0], "--importance-samples must be 1.."),
        (["likelihood", "levels.png", "-m", "toy-black", "-k", 2], "is exact, got 2"),
        (["draw", "toy-black", "--seed-of", "v=1"], "--seed-of v is not a noise of model 'toy-black'"),
        (["draw", "toy-black", "--seed-of", "u"], "--seed-of must be NOISE=SEED"),
    ],
)
def test_a_refusal_is_one_sentence(where, arguments, says):
    result = run(*arguments, *where)
    assert (result.exit_code, says in result.stderr) == (2, True), result.stderr
    assert result.stderr.startswith("pentimento: ")
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_missing_file_is_named():
    for command in (["autoencode", "nowhere.png"], ["likelihood", "nowhere.png"]):
        result = run(*command)
        assert (result.exit_code, "nowhere.png" in result.stderr) == (2, True)


def test_the_picture_is_shown_beside_its_reconstructions(where, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(
        cli_draw,
        "make_console",
        lambda **_: Console(file=screen, force_terminal=True, color_system="truecolor", width=60, height=30),
    )
    monkeypatch.delenv("NO_COLOR")
    result = run("autoencode", "levels.png", "--model", "toy-code", "--samples", 2, *where)
    assert result.exit_code == 0, result.stderr
    text = screen.getvalue()
    assert "▀" in text and "step 2 of 2; first the given picture" in text
