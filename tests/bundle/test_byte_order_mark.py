"""A byte order mark before a manifest, which some editors write: left out, or refused in words."""

import codecs

import pytest

from pentimento.bundle.store import MANIFEST, BundleError, read_bundle, read_manifest
from tests.service.toys import write_toys


@pytest.fixture
def bundle(tmp_path):
    write_toys(tmp_path, ["toy-once"])
    return tmp_path / "toy-once"


def test_that_of_utf_8_is_left_out(bundle):
    plain, file = read_bundle(bundle), bundle / MANIFEST
    file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())
    marked = read_bundle(bundle)
    assert (marked.manifest, marked.graphs) == (plain.manifest, plain.graphs)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_that_of_utf_16_is_named(bundle, encoding):
    mark = "" if encoding == "utf-16" else "\ufeff"  # the former brings its own
    (bundle / MANIFEST).write_text(mark + "{}", encoding=encoding)
    with pytest.raises(
        BundleError, match=r"manifest\.json must be JSON in UTF-8, got the byte order mark of"
    ):
        read_manifest(bundle)


def test_two_are_one_too_many(bundle):
    file = bundle / MANIFEST
    file.write_bytes(codecs.BOM_UTF8 * 2 + file.read_bytes())
    with pytest.raises(BundleError, match="is not JSON"):
        read_manifest(bundle)
