"""The wheel of server and training: every folder under its package, the studio's files, no more."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.clients.test_packages import build

ROOT = Path(__file__).parents[1]
FOLDERS = ("bundle", "models", "pictures", "program", "service", "training")
STUDIO = {"clients/web": "pentimento/service/studio", "clients/js/src": "pentimento/service/studio_client"}

# Run without `site`: the development environment's own paths lead to the checkout.
USE = """
import sys
sys.path[:0] = [sys.argv[1]]
sys.path.append(sys.argv[2])
import pentimento.service.app as app
import pentimento.training.families.table as table
from pentimento.service.http.page_files import find_folder
assert app.__file__.startswith(sys.argv[1]) and table.__file__.startswith(sys.argv[1])
assert str(find_folder("studio", "clients/web", "index.html")).startswith(sys.argv[1])
print(len(table.recipes()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, unpacked; built from a copy, as building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns(
        "*.egg-info", "node_modules", "build", "dist", ".*", "__pycache__", "tests"
    )
    for name in (*FOLDERS, "clients"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    with zipfile.ZipFile(build("wheel", source, folder / "dist")) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_it_has_every_module_and_the_studio_and_nothing_else(wheel):
    tracked = subprocess.run(["git", "ls-files", *FOLDERS, *STUDIO], cwd=ROOT, capture_output=True, text=True)
    wanted = set()
    for path in tracked.stdout.split():
        folder = next((folder for folder in STUDIO if path.startswith(f"{folder}/")), None)
        if folder is not None:
            wanted.add(STUDIO[folder] + path.removeprefix(folder))
        elif path.endswith((".py", ".html")):  # the page of a report lies beside its module
            wanted.add(f"pentimento/{path}")
    if not wanted:
        pytest.skip("not a checkout of git")
    found = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    found = {path for path in found if ".dist-info/" not in path}
    unpublished = {".md", ".ts", ".pyi"}  # for people and editors
    assert {p for p in found if Path(p).suffix not in unpublished} == {
        p for p in wanted if Path(p).suffix not in unpublished
    }


def test_it_works_without_the_checkout(wheel):
    command = [sys.executable, "-I", "-S", "-c", USE, str(wheel), sysconfig.get_path("purelib")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
