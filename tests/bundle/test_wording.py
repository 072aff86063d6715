"""What is wrong with a manifest is said in words of our own: field, limit, value."""

import json

import pytest

from pentimento.bundle.manifest import Manifest
from pentimento.bundle.store import BundleError, read_manifest
from pentimento.bundle.wording import PATTERNS
from tests.service.toys import write_toys


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m["image"].update(height=4000), "at image.height: must be at most 1024, got 4000"),
        (lambda m: m["image"].update(height="x"), "at image.height: must be a whole number, got 'x'"),
        (lambda m: m["image"].update(height=None), "at image.height: must be a whole number, got None"),
        (lambda m: m["image"].update(channels=2), "at image.channels: must be 1 or 3, got 2"),
        (lambda m: m["drawing"].update(steps=3), "at drawing.steps: must be an object, got 3"),
        (lambda m: m["drawing"]["steps"].pop("min"), "at drawing.steps.min: is missing"),
        (
            lambda m: m["drawing"]["phases"][0].update(calls="many"),
            "at drawing.phases[0].calls: must be a whole number or 'steps', got 'many'",
        ),
        (
            lambda m: m["drawing"]["phases"][0].update(shows="perhaps"),
            "at drawing.phases[0].shows: must be true or false, got 'perhaps'",
        ),
        (lambda m: m.update(graphs={}), "at graphs: must have at least 1 entry, got 0"),
        (lambda m: m.update(graphs=[]), "at graphs: must be an object, got a list of 0 entries"),
        (
            lambda m: m["graphs"].update({"A B": m["graphs"]["step"]}),
            "at graphs.A B: must be 1 to 32 lower-case letters, digits and _, first a letter, got 'A B'",
        ),
        (lambda m: m.update(version=1), "at version: must be a text, got 1"),
        (
            lambda m: m.update(version="1"),
            "at version: must be three numbers with dots between, such as 1.0.0, got '1'",
        ),
        (lambda m: m.update(summary="x" * 501), "at summary: must have at most 500 characters, got 501"),
        (lambda m: m.update(family="[bold]"), None),
        (
            lambda m: m["drawing"]["steps"].update(min=9),
            "at drawing.steps: steps need min <= default <= max, got 9, 5, 16",
        ),
        (
            lambda m: m.pop("scorer"),
            "manifest.json is wrong: a `score` graph and the `scorer` entry come together",
        ),
    ],
)
def test_a_fault_names_field_limit_and_value(tmp_path, change, sentence):
    write_toys(tmp_path, ["toy-steps"])
    path = tmp_path / "toy-steps" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    if sentence is None:
        read_manifest(path.parent)
        return
    with pytest.raises(BundleError) as refusal:
        read_manifest(path.parent)
    assert str(refusal.value).endswith(sentence)


def test_every_pattern_of_a_manifest_has_words():
    def patterns(schema):
        if isinstance(schema, dict):
            for name, value in schema.items():
                yield from [value] if name == "pattern" else ()
                yield from patterns(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from patterns(value)

    found = set(patterns(Manifest.model_json_schema()))
    assert found and found <= set(PATTERNS)
