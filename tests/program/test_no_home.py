"""Every command works for a user whom nobody knows: no HOME, no entry in passwd, as in many containers."""

import shutil
import subprocess

import pytest

from tests.program.real import PROGRAM, ROOT, in_pipe

NOBODY = [
    "unshare",
    "--user",
    "--map-user=23456",
    "--map-group=23456",
    "env",
    "-u",
    "HOME",
    "-u",
    "XDG_CACHE_HOME",
]
SLICE = ROOT / "tests" / "data" / "mnist-slice"


def _can() -> bool:
    return (
        bool(shutil.which("unshare"))
        and subprocess.run([*NOBODY, "true"], capture_output=True).returncode == 0
    )


pytestmark = pytest.mark.skipif(not _can(), reason="needs user namespaces: unshare --user")


def nobody(*arguments, **environment):
    return in_pipe(*arguments, command=[*NOBODY, *PROGRAM], **environment)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["serve", "--help"],
        ["models"],
        ["draw", "gran1-mnist"],
        ["recipes"],
        ["data"],
        ["data", SLICE],
        ["train", "gran1-mnist", "--dataset", SLICE, "--dry-run"],
    ],
    ids=lambda words: " ".join(map(str, words[:2])),
)
def test_it_works_without_a_home(arguments):
    done = nobody(*arguments)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_what_needs_a_cache_says_how_to_name_one(tmp_path):
    done = nobody("evaluate", "zoo/gran1-mnist", "--rows", 10, "--dataset", SLICE, OMP_NUM_THREADS="1")
    assert done.returncode == 2 and "name a folder with PENTIMENTO_CACHE" in done.stderr
    tmp_path.chmod(0o755)
    shutil.copytree(SLICE, tmp_path / "datasets" / "mnist")
    done = nobody("data", "mnist", "--json", PENTIMENTO_CACHE=str(tmp_path))
    assert done.returncode == 0 and '"train_images": 300' in done.stdout
