"""The manifest refuses drawings that could not run."""

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.schema import schema_text
from tests.service.box_toys import write_box_toy
from tests.service.pair_toys import write_pair_toy
from tests.service.toys import write_toys


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    write_toys(folder)
    write_box_toy(folder)
    write_pair_toy(folder)
    return {path.name: json.loads((path / "manifest.json").read_text()) for path in folder.iterdir()}


LABEL = {"name": "label", "dtype": "int64", "shape": []}


def _score_inputs(manifest):
    return manifest["graphs"]["score"]["inputs"]


def _step(manifest):
    return manifest["graphs"]["step"]


def _boxes(count):
    return [{"name": f"box{i}", "meaning": "box", "points": 2} for i in range(count)]


def _output(manifest, name):
    return next(tensor for tensor in _step(manifest)["outputs"] if tensor["name"] == name)


def _rename(tensors, old, new):
    next(tensor for tensor in tensors if tensor["name"] == old)["name"] = new


@pytest.mark.parametrize(
    ("toy", "change", "sentence"),
    [
        ("toy-steps", lambda m: m["drawing"]["phases"].pop(), "exactly one phase of a drawing shows"),
        ("toy-steps", lambda m: m["drawing"]["phases"].append({"graph": "paint"}), "does not list"),
        ("toy-steps", lambda m: m["drawing"]["phases"].append({"graph": "init"}), "serve one phase only"),
        ("toy-steps", lambda m: m["drawing"]["phases"].reverse(), "no earlier graph puts out 'next.canvas'"),
        (
            "toy-steps",
            lambda m: m["drawing"]["noise"].pop(),
            "takes 'z', which nothing in a drawing provides",
        ),
        ("toy-steps", lambda m: m["drawing"]["noise"].append({"name": "u", "shape": [1]}), "no phase takes"),
        ("toy-steps", lambda m: m["drawing"]["noise"].append(m["drawing"]["noise"][0]), "the same name"),
        ("toy-steps", lambda m: m["drawing"]["noise"][0].update(shape=[9]), "differs from the noise"),
        ("toy-steps", lambda m: m["drawing"]["noise"][0].update(name="image"), "cannot be called 'image'"),
        ("toy-steps", lambda m: m["drawing"]["steps"].update(default=99), "min <= default <= max"),
        ("toy-steps", lambda m: _rename(_step(m)["outputs"], "canvas", "picture"), "needs 'canvas'"),
        ("toy-steps", lambda m: _rename(_step(m)["outputs"], "next.canvas", "state.canvas"), "next.canvas"),
        ("toy-steps", lambda m: m["image"].update(height=7), "'canvas' must have shape (1, 7, 8)"),
        ("toy-steps", lambda m: m.pop("scorer"), "come together"),
        ("toy-steps", lambda m: m["graphs"].pop("score"), "come together"),
        ("toy-steps", lambda m: m["graphs"]["init"].update(file="step.onnx"), "name the same file"),
        ("toy-steps", lambda m: _step(m)["inputs"][0].update(dtype="float32"), "'t' must be int64"),
        ("toy-labels", lambda m: m.pop("labels"), "lists no labels"),
        ("toy-steps", lambda m: _score_inputs(m).append(LABEL), "graph 'score' takes a label"),
        (
            "toy-steps",
            lambda m: _score_inputs(m).append(LABEL | {"dtype": "float32"}),
            "'label' must be int64",
        ),
        ("toy-rows", lambda m: m["drawing"]["steps"].update(max=7), "makes only 6 calls"),
        ("toy-looks", lambda m: _rename(_step(m)["outputs"], "age", "years"), "needs 'age'"),
        ("toy-looks", lambda m: _output(m, "write_box").update(shape=[3]), "must have shape (4,) a row"),
        ("toy-looks", lambda m: _output(m, "age").update(dtype="int64"), "'age' must be float32"),
        (
            "toy-looks",
            lambda m: _output(m, "age").update(shape=[64, 65]),
            "has 4160 numbers a row; at most 256",
        ),
        ("toy-looks", lambda m: m["drawing"]["outputs"][0].pop("points"), "says its points"),
        (
            "toy-looks",
            lambda m: m["drawing"]["outputs"][1].update(name="canvas"),
            "cannot be called 'canvas'",
        ),
        ("toy-looks", lambda m: m["drawing"]["outputs"][1].update(name="logit"), "cannot be called 'logit'"),
        ("toy-looks", lambda m: m["drawing"]["outputs"][1].update(name="z"), "are both called 'z'"),
        ("toy-looks", lambda m: m["drawing"]["outputs"].extend(_boxes(5)), "at most 4 boxes, got 6"),
        ("toy-pairs", lambda m: m["scorer"].update(group_size=4), "must be float32 of shape (4, 1, 6, 8)"),
        ("toy-pairs", lambda m: m["scorer"].update(group_size=65), "at most 64 images together"),
        ("toy-pairs", lambda m: m["scorer"].pop("group_size"), "needs `scorer.group_size`"),
        (
            "toy-pairs",
            lambda m: _score_inputs(m)[2].update(shape=[3, 2]),
            "'z' must be float32 of shape (2, 2)",
        ),
        ("toy-steps", lambda m: _score_inputs(m)[0].update(dtype="int64"), "'image' must be float32"),
        ("toy-looks", lambda m: m["drawing"]["outputs"].append(m["drawing"]["outputs"][1]), "the same name"),
        ("toy-steps", lambda m: m.update(name="Not A Name"), "name"),
        ("toy-steps", lambda m: m.update(version="one"), "version"),
    ],
)
def test_a_drawing_that_cannot_run_is_refused(valid, toy, change, sentence):
    manifest = json.loads(json.dumps(valid[toy]))
    Manifest.model_validate(manifest)
    change(manifest)
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        Manifest.model_validate(manifest)


def test_the_json_schema_in_the_docs_is_the_manifests():
    assert Path("docs/manifest.schema.json").read_text() == schema_text(), "run: make schema"
