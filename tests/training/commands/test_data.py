"""`pentimento data` says what it made of a folder; what cannot be one ends with a sentence."""

import json

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from pentimento.training.commands.main import register
from tests.training.data.folders import many, write


def run(*arguments):
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["data", *[str(argument) for argument in arguments]])


@pytest.fixture
def folder(tmp_path):
    files = {f"red [bold]/{index}.png": Image.new("RGB", (40, 30), (250, 0, 0)) for index in range(4)}
    return write(tmp_path / "set [1]", files | many("grey") | {"notes.txt": b"to do"})


def test_what_was_found_made_and_left_out(folder):
    result = run(folder)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("set [1]: 7 training and 1 test images of shape (1, 28, 28), 2 classes, ")
    assert lines[1:] == [
        "found: PNG; grey (4), RGB (4); 28x28 (4), 40x30 (4) pixels",
        "made: 28x28 grey with --fit crop: 4 made grey, 4 cropped to a square, 4 scaled",
        "the first of every 10 pictures tests",
        "left out: files that are no pictures (1): notes.txt",
    ]


def test_size_channels_and_fit_choose(folder):
    result = run(folder, "--size", 16, "--channels", 3, "--fit", "resize", "--json")
    said = json.loads(result.output)
    assert said["image_shape"] == [3, 16, 16]
    assert said["report"][1] == (
        "made: 16x16 RGB with --fit resize: 4 made RGB of grey, 4 stretched to a square, 8 scaled"
    )
    assert run(folder, "--channels", 2).exit_code == 2
    assert "got 40x30; --fit crop or --fit resize would scale it" in run(folder, "--fit", "exact").output


def test_no_traceback_for_what_is_no_data_set(tmp_path):
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4 and no more")
    for path in ("cut.zip", "nowhere"):
        result = run(tmp_path / path)
        assert result.exit_code in (1, 2) and isinstance(result.exception, SystemExit)
        assert path in result.output
