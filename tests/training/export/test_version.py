"""Versions of bundles: the same name and version never mean two contents; and nothing else is replaced."""

import shutil

import pytest

from pentimento.bundle.store import BundleError, read_bundle, write_bundle
from pentimento.training.export.version import choose_version
from tests.service.toys import write_toys


@pytest.fixture
def folder(tmp_path):
    write_toys(tmp_path, ("toy-steps",))
    return tmp_path / "toy-steps"


def others(graphs):
    """The same graphs with another content."""
    return {name: spec.model_copy(update={"sha256": "f" * 64}) for name, spec in graphs.items()}


def test_another_content_gets_another_version(folder, tmp_path):
    manifest = read_bundle(folder).manifest
    assert manifest.version == "1.0.0"
    assert choose_version(tmp_path / "new", manifest.graphs, None) == "1.0.0"
    assert choose_version(tmp_path / "new", manifest.graphs, "3.1.4") == "3.1.4"
    assert choose_version(folder, manifest.graphs, None) == "1.0.0"
    assert choose_version(folder, others(manifest.graphs), None) == "1.1.0"
    assert choose_version(folder, others(manifest.graphs), "1.0.1") == "1.0.1"
    for earlier in ("1.0.0", "0.9.9"):
        with pytest.raises(ValueError, match=rf"--version must be above 1\.0\.0, which .* got {earlier}$"):
            choose_version(folder, others(manifest.graphs), earlier)


def test_a_bundle_is_replaced_only_if_asked_and_nothing_else_ever(folder):
    bundle = read_bundle(folder)
    with pytest.raises(BundleError, match=r"there is a bundle .* already: add --overwrite"):
        write_bundle(folder, bundle.manifest, bundle.graphs, bundle.weights)
    write_bundle(folder, bundle.manifest, bundle.graphs, bundle.weights, overwrite=True)
    shutil.rmtree(folder)
    folder.mkdir()
    write_bundle(
        folder, bundle.manifest, bundle.graphs, bundle.weights
    )  # an empty folder holds nothing of anybody's
    (folder / "manifest.json").unlink()
    for overwrite in (False, True):
        with pytest.raises(BundleError, match=r"is there and is no bundle: it has no manifest\.json"):
            write_bundle(folder, bundle.manifest, bundle.graphs, bundle.weights, overwrite=overwrite)
    assert (folder / "step.onnx").is_file()


def test_when_the_new_one_cannot_be_put_in_place_the_old_one_stays(folder, monkeypatch):
    bundle = read_bundle(folder)
    rename = type(folder).rename

    def failing(path, target):
        if target == folder and not path.name.endswith(".old"):
            raise OSError("no")
        return rename(path, target)

    monkeypatch.setattr(type(folder), "rename", failing)
    with pytest.raises(OSError, match="no"):
        write_bundle(folder, bundle.manifest, bundle.graphs, bundle.weights, overwrite=True)
    monkeypatch.undo()
    assert read_bundle(folder) == bundle and [path.name for path in folder.parent.iterdir()] == [folder.name]
