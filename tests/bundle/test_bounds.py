"""A manifest may want so many numbers for one row, and no more."""

import json

import pytest
from pydantic import ValidationError

from pentimento.bundle.bounds import MAX_NOISE_VALUES, MAX_ROW_VALUES
from pentimento.bundle.manifest import Manifest
from tests.service.toys import write_toys


@pytest.fixture
def manifest(tmp_path):
    write_toys(tmp_path, ["toy-steps"])
    return json.loads((tmp_path / "toy-steps" / "manifest.json").read_text())


def noise(manifest, name, shape):
    """Gives a noise of the drawing another shape, wherever it is named."""
    specs = [*manifest["drawing"]["noise"], *(t for g in manifest["graphs"].values() for t in g["inputs"])]
    for each in specs:
        if each["name"] == name:
            each["shape"] = shape


def test_inputs_of_a_row(manifest):
    noise(manifest, "z", [1, 2048, 4097])
    text = rf"'step' has inputs of \d+ numbers a row, most of them 'z'; at most {MAX_ROW_VALUES} are served"
    with pytest.raises(ValidationError, match=text):
        Manifest.model_validate(manifest)


def test_outputs_of_a_row(manifest):
    step = manifest["graphs"]["step"]
    step["outputs"].append({"name": "next.more", "dtype": "float32", "shape": [64, 65536, 2]})
    with pytest.raises(ValidationError, match="graph 'step' has outputs of 8388704 numbers a row"):
        Manifest.model_validate(manifest)


def test_noise_of_a_drawing(manifest):
    """Each call draws its own, so what counts is the drawing of the most steps."""
    steps = manifest["drawing"]["steps"]["max"]
    noise(manifest, "z", [1, 1024, MAX_NOISE_VALUES // 1024 // steps + 1])
    with pytest.raises(ValidationError, match=f"the noise of a drawing of {steps} steps has [0-9]+ numbers"):
        Manifest.model_validate(manifest)
