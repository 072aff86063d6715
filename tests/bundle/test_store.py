"""A folder that is not a bundle is refused with one sentence that says why."""

import json
import os

import pytest

from pentimento.bundle.store import BundleError, read_bundle, write_bundle
from tests.service.toys import write_toys


@pytest.fixture
def toy(tmp_path):
    write_toys(tmp_path, ["toy-steps"])
    return tmp_path / "toy-steps"


def edit(folder, change):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_what_is_written_is_read_again(toy, tmp_path):
    bundle = read_bundle(toy)
    copy = tmp_path / "elsewhere" / "toy-steps"
    write_bundle(copy, bundle.manifest, bundle.graphs, bundle.weights)
    assert read_bundle(copy) == bundle


def test_replacing_a_bundle_leaves_nothing_of_the_old_one(toy):
    bundle = read_bundle(toy)
    (toy / "left-over.onnx").write_bytes(b"old")
    write_bundle(toy, bundle.manifest, bundle.graphs, bundle.weights, overwrite=True)
    assert not (toy / "left-over.onnx").exists()
    assert [path.name for path in toy.parent.iterdir()] == ["toy-steps"]


def test_a_bundle_must_lie_in_a_folder_of_its_name(toy, tmp_path):
    bundle = read_bundle(toy)
    with pytest.raises(BundleError, match="must lie in a folder of that name"):
        write_bundle(tmp_path / "other", bundle.manifest, bundle.graphs)
    toy.rename(tmp_path / "other")
    with pytest.raises(BundleError, match="its folder is 'other'"):
        read_bundle(tmp_path / "other")


def test_writing_other_bytes_than_the_manifest_says_is_refused(toy):
    bundle = read_bundle(toy)
    with pytest.raises(BundleError, match="SHA-256"):
        write_bundle(toy, bundle.manifest, {**bundle.graphs, "step": b"other"})
    with pytest.raises(BundleError, match="manifest lists graphs"):
        write_bundle(toy, bundle.manifest, {"step": bundle.graphs["step"]})


def _missing_graph(folder):
    (folder / "step.onnx").unlink()


def _missing_manifest(folder):
    (folder / "manifest.json").unlink()


def _wrong_hash(folder):
    (folder / "step.onnx").write_bytes((folder / "step.onnx").read_bytes() + b" ")


def _link(folder):
    (folder / "step.onnx").rename(folder.parent / "outside.onnx")
    os.symlink(folder.parent / "outside.onnx", folder / "step.onnx")


def _directory(folder):
    (folder / "step.onnx").unlink()
    (folder / "step.onnx").mkdir()


def _pipe(folder):
    (folder / "step.onnx").unlink()
    os.mkfifo(folder / "step.onnx")


def _not_json(folder):
    (folder / "manifest.json").write_text("{")


def _deep(folder):
    (folder / "manifest.json").write_text('{"a":' * 100_000)


def _list(folder):
    (folder / "manifest.json").write_text("[]")


def _large(folder):
    (folder / "manifest.json").write_text(" " * (5 << 20))


def _edits(change):
    return lambda folder: edit(folder, change)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_missing_graph, "step.onnx is missing"),
        (_missing_manifest, "manifest.json is missing"),
        (_wrong_hash, "graph 'step': step.onnx has SHA-256"),
        (_link, "step.onnx is a symbolic link"),
        (_directory, "step.onnx cannot be read: Is a directory"),
        (_pipe, "step.onnx is not a regular file"),
        (_not_json, "manifest.json is not JSON"),
        (_deep, "manifest.json is not JSON"),
        (_list, "manifest.json must hold an object, got list"),
        (_large, "manifest.json has 5242880 bytes; the limit is 4194304"),
        (_edits(lambda m: m.update(schema_version=2)), "has schema_version 2; this program reads 1"),
        (_edits(lambda m: m.pop("schema_version")), "has schema_version None; this program reads 1"),
        (_edits(lambda m: m.update(surprise=1)), "wrong at surprise: is not known here"),
        (_edits(lambda m: m.pop("image")), "wrong at image: is missing"),
        (_edits(lambda m: m["graphs"]["step"].update(file="../step.onnx")), "wrong at graphs.step.file"),
        (_edits(lambda m: m["graphs"]["step"].update(file="/etc/step.onnx")), "wrong at graphs.step.file"),
    ],
)
def test_every_way_to_be_wrong_has_its_sentence(toy, spoil, sentence):
    spoil(toy)
    with pytest.raises(BundleError) as refusal:
        read_bundle(toy)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
