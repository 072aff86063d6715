"""The catalog reads its folder again: what changes, what stays and what is refused."""

import hashlib
import json
import shutil
import threading
import time

import pytest

from pentimento.bundle.store import MANIFEST, BundleError
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.runtime import Runtime
from pentimento.service.errors import PentimentoError
from tests.service.live import wait_until
from tests.service.revisions import names, reloaded, version, write_in_place, write_revision
from tests.service.toys import spoil_hash


@pytest.fixture
def folder(tmp_path):
    """Two bundles: `a` in version 1, `b` in version 2."""
    write_revision(tmp_path / "bundles" / "a", 1)
    write_revision(tmp_path / "bundles" / "b", 2)
    return tmp_path / "bundles"


@pytest.fixture
def catalog(folder):
    return Catalog.load(folder, Runtime())


def test_a_reload_says_what_it_changed(folder, catalog):
    write_revision(folder / "b", 3)
    write_revision(folder / "c", 1)
    (folder / "d").mkdir()
    done = reloaded(catalog)
    assert [(each.name, each.version, each.previous_version) for each in done.added] == [("c", "1.1.0", None)]
    assert [(each.name, each.version, each.previous_version) for each in done.replaced] == [
        ("b", "1.3.0", "1.2.0")
    ]
    assert (done.removed, done.kept, done.default) == ((), ("a",), "a")
    assert [(each.name, each.reason) for each in done.refused] == [("d", "manifest.json is missing")]
    assert catalog.refused == done.refused and names(catalog) == ["a", "b", "c"]

    shutil.rmtree(folder / "b")
    (folder / "d").rmdir()
    done = reloaded(catalog)
    assert (done.added, done.replaced, done.removed, done.kept) == ((), (), ("b",), ("a", "c"))
    assert done.refused == catalog.refused == ()
    with pytest.raises(PentimentoError, match="model 'b' is not served here; served are: a, c"):
        catalog.get("b")


def test_what_did_not_change_is_not_loaded_again(folder, catalog, monkeypatch):
    loaded = []
    load = Runtime.load
    monkeypatch.setattr(
        Runtime, "load", lambda self, bundle, *_: loaded.append(bundle.manifest.name) or load(self, bundle)
    )
    before = {name: catalog.get(name).graphs["step"] for name in ("a", "b")}
    write_revision(folder / "a", 1)  # written again, and the same
    assert reloaded(catalog).kept == ("a", "b") and loaded == []
    write_revision(folder / "b", 5)
    reloaded(catalog)
    assert loaded == ["b"]
    assert catalog.get("a").graphs["step"] is before["a"]
    assert catalog.get("b").graphs["step"] is not before["b"]


def put_graph(bundle, data):
    """Other contents for `init`, with the right checksum."""
    path = bundle / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["graphs"]["init"]["sha256"] = hashlib.sha256(data).hexdigest()
    path.write_text(json.dumps(manifest))
    (bundle / "init.onnx").write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_hash, "graph 'init': init.onnx has SHA-256"),
        (lambda bundle: (bundle / "step.onnx").write_bytes(b""), "graph 'step': step.onnx has SHA-256"),
        (lambda bundle: (bundle / "step.onnx").unlink(), "step.onnx is missing"),
        (lambda bundle: (bundle / MANIFEST).unlink(), "manifest.json is missing"),
        (lambda bundle: (bundle / MANIFEST).write_text("{"), "manifest.json is not JSON"),
        (lambda bundle: put_graph(bundle, b"no graph"), "graph 'init' cannot be loaded"),
        (
            lambda bundle: put_graph(bundle, (bundle / "score.onnx").read_bytes()),
            "graph 'init' has inputs ['image'], the manifest says ['latent']",
        ),
    ],
)
def test_a_broken_replacement_is_refused_and_the_old_version_stays(folder, catalog, spoil, sentence):
    before = catalog.get("b")
    write_revision(folder / "b", 9)
    spoil(folder / "b")
    done = reloaded(catalog)
    (refusal,) = done.refused
    assert refusal.name == "b" and sentence in refusal.reason
    assert refusal.reason.endswith("; version 1.2.0, which was served before, still is")
    assert done.kept == ("a", "b") and catalog.get("b").graphs is before.graphs
    write_revision(folder / "b", 9)  # and once it is sound, it is taken
    assert [each.version for each in reloaded(catalog).replaced] == ["1.9.0"] and catalog.refused == ()


def test_the_folder_itself_may_be_gone(folder, catalog):
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(BundleError, match="there is no bundle folder"):
        catalog.read()
    assert names(catalog) == ["a", "b"]


def test_the_default_stays_while_it_can(folder):
    catalog = Catalog.load(folder, Runtime())
    assert catalog.default == "a"
    write_revision(folder / "0", 1)  # before it by name, and would be the default at a start
    write_revision(folder / "gran5-mnist", 1)  # likewise
    assert reloaded(catalog).default == "a"
    shutil.rmtree(folder / "a")
    assert reloaded(catalog).default == "gran5-mnist"
    write_revision(folder / "a", 1)
    shutil.rmtree(folder / "gran5-mnist")
    assert reloaded(catalog).default == "0"
    for name in ("0", "a", "b"):
        shutil.rmtree(folder / name)
    assert reloaded(catalog).default is None
    with pytest.raises(PentimentoError, match="no bundle that draws is served here"):
        catalog.get(None)


def test_a_default_that_was_asked_for_is_it_again_when_it_is_back(folder):
    catalog = Catalog.load(folder, Runtime(), default="b")
    shutil.rmtree(folder / "b")
    assert reloaded(catalog).default == "a"
    write_revision(folder / "b", 4)
    assert reloaded(catalog).default == "b"


@pytest.mark.parametrize("manifest_first", [True, False])
def test_a_half_written_bundle_is_never_served(folder, catalog, manifest_first):
    states = 0
    for _ in write_in_place(folder / "a", 8, manifest_first=manifest_first):
        states += 1
        done = reloaded(catalog)
        assert names(catalog) == ["a", "b"] and catalog.info("a").manifest.version == version(1)
        assert [each.name for each in done.refused] == ["a"]
    assert states == 7  # four files, of which the last half completes the bundle
    assert [each.version for each in reloaded(catalog).replaced] == [version(8)]


def test_a_folder_that_is_missing_for_a_moment_is_not_taken_for_removed(folder, catalog, monkeypatch):
    """Between the two renames that replace a folder there is none; and a reader may begin in the old one."""
    write_revision(folder / "new" / "a", 7)
    (folder / "a").rename(folder / ".a.old")
    wait = time.sleep

    def put_back(seconds):
        (folder / "new" / "a").rename(folder / "a")
        monkeypatch.setattr(time, "sleep", wait)

    monkeypatch.setattr(time, "sleep", put_back)
    done = reloaded(catalog)
    assert done.removed == () and [each.version for each in done.replaced] == [version(7)]


def test_a_bundle_is_whole_however_often_it_is_replaced_meanwhile(folder, catalog):
    stop, writes = threading.Event(), []

    def write():
        while not stop.is_set():
            write_revision(folder / "a", len(writes) % 30)
            writes.append(None)

    def reload():
        done = reloaded(catalog)
        assert done.removed == () and names(catalog) == ["a", "b"]
        replaced.extend(done.replaced)
        return len(replaced) >= 8

    replaced = []
    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert wait_until(reload, 30)
    finally:
        stop.set()
        writer.join()
