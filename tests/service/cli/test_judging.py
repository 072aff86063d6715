"""The program `pentimento` with labels and with another model's scorer: here, over HTTP, over gRPC."""

import re

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.noise import draw
from pentimento.service.operations import codec
from tests.service.cli.test_main import plain, run  # noqa: F401  # plain: a fixture
from tests.service.judging_toys import one_shot


@pytest.fixture(params=["here", "http", "grpc"])
def where(request, judging_toys, judging) -> list[str]:
    return {
        "here": ["--bundles", str(judging_toys)],
        "http": ["--server", judging.http],
        "grpc": ["--server", f"grpc://{judging.grpc}"],
    }[request.param]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(codec.encode_png(np.full((1, 6, 8), 0.9, np.float32)))
    return path


def test_another_models_critic_judges_every_canvas(where):
    result = run("draw", "toy-steps", "--score-by", "toy-critic", "--seed", 7, "--n", 2, *where)
    assert result.exit_code == 0, result.stderr
    title, *steps, note = result.stderr.splitlines()
    assert note == "Nothing is written: -o strip.png keeps the drawing, and -o - writes it to stdout."
    assert title == (
        "toy-steps 1.0.0, seed 7; scored by toy-critic 2.3.0, a critic: more is more real, no probability"
    )
    assert len(steps) == 5
    for line in steps:
        assert re.fullmatch(r"step \d of 5; critic -?\d+\.\d\d -?\d+\.\d\d", line)
    own = run("draw", "toy-steps", "--score", *where).stderr
    assert "scored by toy-steps 1.0.0, a discriminator\n" in own and re.search(r"real\? \d+%", own)
    assert "scored" not in run("draw", "toy-steps", *where).stderr


def test_pictures_that_are_drawn_again_are_judged_too(where, picture, tmp_path):
    by = ["--score-by", "toy-critic", *where]
    again = run("autoencode", picture, "--model", "toy-code", "--samples", 2, *by)
    assert "scored by toy-critic 2.3.0" in again.stderr and "; critic " in again.stderr
    mask = tmp_path / "mask.png"
    Image.fromarray(np.repeat([[255], [0]], 3, axis=0).repeat(8, axis=1).astype(np.uint8)).save(mask)
    rest = run("complete", picture, mask, "--model", "toy-black", *by)
    assert "scored by toy-critic 2.3.0" in rest.stderr and "; critic " in rest.stderr


def test_one_class_or_a_class_for_each_image(where, tmp_path):
    path = tmp_path / "digits.npy"
    for options, labels in ((["--label", 7, "--n", 3], [7, 7, 7]), (["--labels", "0,1,2"], [0, 1, 2])):
        result = run("draw", "toy-digits", *options, "--seed", 3, "-o", path, "--overwrite", *where)
        assert result.exit_code == 0, result.stderr
        want = one_shot(draw(3, "latent", (4,), rows=range(3)), np.asarray(labels))[:, None]
        assert np.abs(np.load(path) - want).max() <= 0.5 / 255 + 1e-6


def test_models_tell_the_kind_of_scorer_and_the_classes(where):
    text = run("models", *where).stdout
    assert re.search(r"toy-critic .*generate, score \(critic\) *$", text, re.MULTILINE)
    assert re.search(
        r"toy-digits .*score \(discriminator\), 10 labels \(zero \.\. nine\) *$", text, re.MULTILINE
    )
    assert re.search(r"toy-labels .*generate, 3 labels \(black, grey, white\) *$", text, re.MULTILINE)
    assert re.search(r"toy-group .*generate *$", text, re.MULTILINE)


def test_a_critics_score_is_called_one(where, picture):
    critic = run("score", picture, "--model", "toy-critic", *where).stdout
    assert "toy-critic 2.3.0, a critic: scores without bounds, more is more real" in critic
    assert re.search(r"image +score", critic) and "%" not in critic and "logit" not in critic
    aware = run("score", picture, "--model", "toy-aware", "--label", 2, *where).stdout
    assert "toy-aware 1.0.0, a discriminator\n" in aware
    assert re.search(r"image +logit +real", aware) and "%" in aware


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["draw", "toy-digits"], "label is needed by model 'toy-digits': 0..9, one of 10 classes"),
        (
            ["draw", "toy-digits", "--label", 10],
            "label must be 0..9 for model 'toy-digits' of 10 classes, got 10",
        ),
        (
            ["draw", "toy-digits", "--labels", "1,,2"],
            "--labels must be classes with commas between, such as 0,1,2, got",
        ),
        (["draw", "toy-digits", "--labels", "1,x"], "labels[1] must be one of the 10 classes of model"),
        (["draw", "toy-digits", "--labels", "1,12"], "labels[1] must be 0..9"),
        (["draw", "toy-digits", "--labels", "1,2", "--n", 3], "labels must have 3 entries"),
        (
            ["draw", "toy-critic", "--steps", 5],
            "steps must be 1 for model 'toy-critic', which draws in one step",
        ),
        (["draw", "--score-by", "nobody"], "--score-by 'nobody' is not served here"),
        (
            ["draw", "--score-by", "toy-once"],
            "--score-by 'toy-once' cannot score; models that can: toy-aware, ",
        ),
        (
            ["draw", "--score-by", "toy-color"],
            "judges images of shape (3, 4, 5), but model 'toy-steps' draws",
        ),
    ],
)
def test_a_refusal_is_one_sentence(where, arguments, says):
    if where[0] == "--bundles" and arguments[1] == "--score-by":
        arguments = [arguments[0], "toy-steps", *arguments[1:]]  # without a server there is no default here
    result = run(*arguments, *where)
    assert (result.exit_code, says in result.stderr) == (2, True), result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_help_tells_of_both():
    text = run("draw", "--help").stdout
    assert "--score-by" in text and "--labels" in text
    assert "--score-by gran3-mnist" in run("--help").stdout
