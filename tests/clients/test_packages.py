"""What is published: the Python client's sdist and wheel, and the JavaScript client's package."""

import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.programs import missing
from tests.service.live import LiveServer

ROOT = Path(__file__).parents[2]
NPM = shutil.which("npm")

BUILD = """
import sys
from setuptools import build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""

# Run without `site`: the paths of the development environment lead to the sources of client and server.
USE = """
import sys
wheel, dependencies, http, grpc = sys.argv[1:]
sys.path[:0] = [wheel]
sys.path.append(dependencies)

import importlib.util
import pentimento_client
assert pentimento_client.__file__.startswith(wheel), pentimento_client.__file__
for url in (http, grpc):
    with pentimento_client.Client(url) as client:
        print(client.generate(n=2, steps=3, seed=1).arrays.shape)
assert importlib.util.find_spec("pentimento") is None
servers = {"torch", "onnxruntime", "fastapi", "pydantic", "uvicorn"}
assert not servers & set(sys.modules), servers & set(sys.modules)
"""


def build(what: str, source: Path, folder: Path) -> Path:
    """Builds as pip does, but with the setuptools that is here."""
    folder.mkdir()
    command = [sys.executable, "-c", BUILD, f"build_{what}", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked; built from a copy, as building leaves files behind."""
    folder = tmp_path_factory.mktemp("sdist")
    ignored = shutil.ignore_patterns("*.egg-info", "build", "dist", ".*", "__pycache__")
    shutil.copytree(ROOT / "clients" / "python", folder / "source", ignore=ignored)
    with tarfile.open(build("sdist", folder / "source", folder / "dist")) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return unpacked


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked; built from the sdist alone, as pip does where there is no wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(build("wheel", sdist, folder / "dist")) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_wheel_has_all_of_the_package_and_nothing_else(wheel: Path):
    source = ROOT / "clients" / "python" / "src"
    package = {
        path.relative_to(source) for path in source.glob("pentimento_client/**/*.py*") if path.is_file()
    }
    package = {path for path in package if path.suffix in (".py", ".pyi")}
    package |= {Path("pentimento_client/py.typed"), Path("pentimento_client/pb/canvas_service_pb2.pyi")}
    found = {path.relative_to(wheel) for path in wheel.rglob("*") if path.is_file()}
    assert {path for path in found if ".dist-info" not in path.parts[0]} == package
    (information,) = wheel.glob("*.dist-info")
    metadata = (information / "METADATA").read_text()
    assert "License-Expression: Apache-2.0" in metadata and "# pentimento-client" in metadata
    assert (information / "licenses" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert "Requires-Dist: pentimento" not in metadata


def test_the_wheel_works_without_the_server_s_packages(wheel: Path, live: LiveServer):
    dependencies = sysconfig.get_path("purelib")
    addresses = [live.http, f"grpc://{live.grpc}"]
    command = [sys.executable, "-I", "-S", "-c", USE, str(wheel), dependencies, *addresses]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(2, 3, 1, 6, 8)"] * 2


@pytest.mark.skipif(NPM is None, reason=missing("npm"))
def test_the_package_for_npm_has_what_it_needs_and_nothing_else():
    package = ROOT / "clients" / "js"
    command = [NPM, "pack", "--dry-run", "--json"]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = {file["path"] for file in json.loads(done.stdout)[0]["files"]}
    sources = {path.relative_to(package).as_posix() for path in package.glob("src/*")}
    assert found == {"LICENSE", "README.md", "package.json"} | sources
    assert (package / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    python = (ROOT / "clients" / "python" / "pyproject.toml").read_text()
    version = json.loads((package / "package.json").read_text())["version"]
    assert f'\nversion = "{version}"\n' in python, "the clients are published together"
