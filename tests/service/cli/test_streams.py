"""The real program in pipes and terminals: nothing cut or decorated, files on stdout, JSON for programs."""

import errno
import io
import json
import os
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from pentimento.service.operations import codec
from tests.program.real import PROGRAM, ROOT, in_pipe, in_terminal
from tests.service.toys import write_toys

LONG = "a-model-of-a-name-that-is-longer-than-a-column-of-a-table.64-chars"[:64]
BOX = set("│╭╮╰╯─┃━")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Three toys; one of them under a name as long as names may be."""
    folder = tmp_path_factory.mktemp("toys")
    write_toys(folder, ["toy-steps", "toy-once", "toy-labels"])
    (folder / "toy-once").rename(folder / LONG)
    path = folder / LONG / "manifest.json"
    manifest = json.loads(path.read_text()) | {"name": LONG, "family": "[bold]"}
    path.write_text(json.dumps(manifest))
    shutil.copytree(folder / "toy-labels", folder / "[red]refused")
    return folder


@pytest.fixture
def picture(tmp_path):
    """A picture below a long path with brackets in it."""
    path = tmp_path / ("[/b]" + "long-" * 30) / "strip[final].png"
    path.parent.mkdir(parents=True)
    path.write_bytes(codec.encode_png(np.full((1, 6, 8), 0.5, np.float32)))
    return path


def test_names_of_models_are_whole_in_a_pipe(bundles):
    done = in_pipe("models", "--bundles", bundles)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and done.stderr == ""
    assert [line.split()[0] for line in lines] == [
        "model",
        LONG,
        "toy-labels",
        "toy-steps",
        "refused",
        "[red]refused",
    ]
    assert "[bold]" in lines[1]
    assert not BOX & set(done.stdout) and "…" not in done.stdout


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_names_of_models_are_whole_in_a_terminal(bundles, columns):
    code, text = in_terminal("models", "--bundles", bundles, columns=columns)
    assert code == 0 and LONG in text and "[bold]" in text and "[red]refused" in text
    assert "…" not in text


def test_models_as_json(bundles):
    done = in_pipe("models", "--bundles", bundles, "--json")
    document = json.loads(done.stdout)
    assert [model["name"] for model in document["models"]] == [LONG, "toy-labels", "toy-steps"]
    assert document["models"][2]["steps"] == {"min": 1, "max": 16, "default": 5}
    assert document["refused"][0]["name"] == "[red]refused"


def test_pictures_keep_their_path(bundles, picture):
    options = ("--model", "toy-steps", "--bundles", bundles)
    piped = in_pipe("score", picture, *options)
    assert piped.stdout.splitlines()[2].startswith(f"{picture}  ")
    code, text = in_terminal("score", picture, *options)
    assert code == 0 and str(picture) in text.replace("\n", "")
    (image,) = json.loads(in_pipe("score", picture, *options, "--json").stdout)["images"]
    assert image["image"] == str(picture) and 0 <= image["probability"] <= 1


def test_a_file_with_brackets_is_written_and_named(bundles, picture):
    done = in_pipe("draw", "toy-steps", "--bundles", bundles, "-o", picture, "--overwrite")
    assert done.returncode == 0 and done.stderr.splitlines()[-1] == f"wrote {picture}"
    code, text = in_terminal("draw", "toy-steps", "--bundles", bundles, "-o", picture, "--overwrite")
    assert code == 0 and f"wrote {picture}" in text.replace("\n", "")


@pytest.mark.parametrize("kind", [None, "gif", "npy"])
def test_a_drawing_goes_to_stdout(bundles, kind):
    options = [] if kind is None else ["--format", kind]
    done = in_pipe("draw", "toy-steps", "--n", 2, "--bundles", bundles, "-o", "-", *options, text=False)
    assert done.returncode == 0 and b"step 5 of 5" in done.stderr
    if kind == "npy":
        assert np.load(io.BytesIO(done.stdout)).shape == (2, 5, 1, 6, 8)
    else:
        with Image.open(io.BytesIO(done.stdout)) as image:
            assert image.format == ("GIF" if kind == "gif" else "PNG")


def test_a_reconstruction_goes_to_stdout_too(bundles, picture):
    done = in_pipe("autoencode", picture, "-m", "toy-steps", "--bundles", bundles, "-o", "-", text=False)
    assert (done.returncode, done.stdout) == (2, b"") and b"cannot autoencode" in done.stderr


def test_a_file_may_be_called_a_dash(bundles, tmp_path):
    done = in_pipe("draw", "toy-steps", "--bundles", bundles, "-o", "./-", "--format", "png", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == ""
    with Image.open(tmp_path / "-") as drawn:
        assert drawn.format == "PNG"


def test_a_terminal_gets_no_bytes_of_a_picture(bundles):
    code, text = in_terminal("draw", "toy-steps", "--bundles", bundles, "-o", "-")
    assert code == 2 and "--output - would write png to this terminal" in text and "> drawing.png" in text


def test_a_drawing_that_nobody_sees_says_how_it_is_kept(bundles):
    done = in_pipe("draw", "toy-steps", "--bundles", bundles)
    assert done.returncode == 0 and done.stdout == ""
    assert done.stderr.endswith(
        "Nothing is written: -o strip.png keeps the drawing, and -o - writes it to stdout.\n"
    )
    assert "Nothing is written" not in in_terminal("draw", "toy-steps", "--bundles", bundles)[1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-o", "a.png", "--format", "gif"], "--format must be png for --output 'a.png', got gif"),
        (["--format", "gif"], "--format needs a file to write, such as --output drawing.gif"),
        (["-o", "service"], "--output must end in .png, .gif, .apng, .npy, got 'service'; --format says it"),
        (["-o", "service", "--format", "png"], "--output must be a file, 'service' is a folder"),
        (["--steps", "99"], "--steps must be 1..16 for model 'toy-steps', got 99"),
        (["--scale", "99"], "must be at most 64, got '99'"),
        (["--n", "1.5"], "must be a whole number, got '1.5'"),
    ],
)
def test_refusals_name_flag_limit_and_value(bundles, options, says):
    done = in_pipe("draw", "toy-steps", "--bundles", bundles, *options)
    assert done.returncode == 2 and says in done.stderr
    assert not BOX & set(done.stderr)


def test_help_is_plain_in_a_pipe_and_has_an_option_a_line():
    text = in_pipe("serve", "--help").stdout
    assert not BOX & set(text) and "<bool>" not in text
    (line,) = [line for line in text.splitlines() if "--max-stall-s" in line]
    assert "Seconds over which a client must read" in line and "default: 30.0" in line
    assert "pentimento draw gran5-mnist --n 8" in in_pipe("--help").stdout


def test_help_in_a_terminal_is_in_panels_and_has_room_for_its_text():
    code, text = in_terminal("serve", "--help")
    assert code == 0 and "<" not in text.replace("<=", "")
    lines = text.splitlines()
    options = [line for line in lines if line.removeprefix("│").strip("* ").startswith("--")]
    assert max(map(len, lines)) <= 80 and len(lines) < 4.5 * len(options)
    for panel in ("Where, and what", "Computing", "Who may come in", "The log"):
        assert any(line.startswith(f"╭─ {panel} ─") for line in lines)
    texts = [line.rstrip("│ ") for line in lines if "--max-" in line]
    assert min(len(line) for line in texts) > 50, "a column of few characters"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("command", [["models"], ["models", "--json"], ["draw", "toy-steps", "-o", "-"]])
def test_a_full_disk_is_said(bundles, command):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PROGRAM, *command, "--bundles", bundles],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1 and os.strerror(errno.ENOSPC).lower() in done.stderr
    assert "Traceback" not in done.stderr


def test_whoever_reads_no_further_gets_no_complaint(bundles):
    done = subprocess.run(
        ["bash", "-c", f"{' '.join(PROGRAM)} models --json --bundles {bundles} | head -c 1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("{", "")


def test_bench_as_json_and_in_a_narrow_terminal(bundles, tmp_path):
    done = in_pipe("bench", "-m", "toy-steps", "--bundles", bundles, "--json", PENTIMENTO_CACHE=str(tmp_path))
    document = json.loads(done.stdout)
    assert {graph["graph"] for graph in document["graphs"]} >= {"toy-steps/init", "toy-steps/step"}
    code, text = in_terminal("bench", "-m", LONG, "--bundles", bundles, columns=60)
    assert code == 0 and f"{LONG}/step" in text.replace("\n", "")
