"""The site of docs/ builds without a warning, needs nobody else's server, and says what the manifests say."""

import os
import re
import subprocess
import sys

import pytest

from pentimento.bundle.store import read_manifest
from tests.docs.snippets import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pages_of(site):
    return {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob("*.html")}


def test_nothing_is_loaded_from_elsewhere(site):
    for name, text in pages_of(site).items():
        loaded = re.findall(r'<(?:script|img|iframe|source)[^>]* src="(?:https?:)?//[^"]*"', text)
        loaded += re.findall(
            r'<link[^>]*rel="(?:stylesheet|preconnect|icon)"[^>]*href="(?:https?:)?//[^"]*"', text
        )
        assert not loaded, f"{name} loads {loaded}"
    for path in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//", path.read_text()), f"{path} loads from elsewhere"


def test_no_marker_and_no_equation_is_left(site):
    for name, text in pages_of(site).items():
        assert "<!-- site:" not in text, f"{name} has a marker that was not filled"
        assert 'class="arithmatex"' not in text, f"{name} has an equation that was not drawn"


def test_every_bundle_has_a_page_with_its_figures(site):
    pages = pages_of(site)
    for folder in sorted((ROOT / "zoo").iterdir()):
        manifest = read_manifest(folder)
        found = re.search(
            rf'href="([\w.-]+)"><code>{re.escape(manifest.name)}</code>', pages["models/index.html"]
        )
        assert found, f"models/index.md does not lead to {manifest.name}"
        page = pages[f"models/{found[1]}"]
        figures = manifest.provenance.evaluation
        figure = (
            f"{figures['likelihood']['nats']:.2f} ±"
            if "likelihood" in figures
            else f"{figures['confidence']:.3f}"
        )
        assert f"<code>{manifest.name}</code>" in page and figure in page
        assert "aria-label" in page, f"{found[1]} has no equation"


def test_the_references_are_whole(site):
    from pentimento.service.grpc.pb.canvas_service_pb2 import DESCRIPTOR
    from pentimento.service.http.docs import CALLS

    pages = pages_of(site)
    for call in CALLS:
        assert re.search(rf">{re.escape(call)}<a ", pages["http.html"]), f"http.md lacks {call}"
    names = [*DESCRIPTOR.message_types_by_name, *DESCRIPTOR.enum_types_by_name]
    names += [method.name for method in DESCRIPTOR.services_by_name["CanvasService"].methods]
    for name in names:
        assert name in pages["grpc.html"], f"grpc.md lacks {name}"
    assert "Draws images and sends every canvas as it is drawn" in pages["grpc.html"]
