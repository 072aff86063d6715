"""The snippets of README.md and docs/ run as written, against a server of the zoo."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bundle.store import read_manifest
from tests.service.live import LiveServer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
GUIDES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("likelihood", "one-shot")}


def blocks(text):
    """(language, code) of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


BLOCKS = blocks(README)


def commands(*starts, text=README):
    """Command lines of the bash blocks that begin with one of these words, comments cut off."""
    lines = [line for language, block in blocks(text) if language == "bash" for line in block.splitlines()]
    return [
        shlex.join(shlex.split(line, comments=True))
        for line in lines
        if line.split(" ")[0] in starts and line.strip()
    ]


@pytest.fixture(scope="module")
def live():
    server = LiveServer(ROOT / "zoo")
    yield server
    server.close()


def run(command, live, folder):
    """Runs with the addresses of the running server in place of the README's, in an empty folder."""
    command = command.replace("localhost:8000", live.http.removeprefix("http://"))
    command = command.replace("localhost:50051", live.grpc)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PENTIMENTO_BUNDLES": str(ROOT / "zoo"),
    }
    return subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, timeout=60, check=True
    ).stdout


CURLS = commands("curl")


def test_there_are_snippets_to_run():
    assert len(CURLS) >= 3
    assert any(language == "python" for language, _ in BLOCKS)
    assert commands("pentimento")


def test_the_json_has_five_frames(live, tmp_path):
    answer = run(next(c for c in CURLS if "Accept" not in c), live, tmp_path)
    assert answer.count(b'"step":') == 5


def test_the_film_strip_is_a_png(live, tmp_path):
    run(next(c for c in CURLS if "image/png" in c), live, tmp_path)
    assert (tmp_path / "strip.png").read_bytes().startswith(b"\x89PNG")


def test_the_stream_has_five_frames_and_one_end(live, tmp_path):
    answer = run(next(c for c in CURLS if "event-stream" in c), live, tmp_path)
    events = re.findall(rb"^event: (\w+)", answer, re.MULTILINE)
    assert events == [b"frame"] * 5 + [b"done"]


@pytest.mark.parametrize("block", [block for language, block in BLOCKS if language == "python"])
def test_python_snippets_run(block, live, tmp_path):
    (tmp_path / "snippet.py").write_text(
        block.replace("localhost:8000", live.http.removeprefix("http://")).replace(
            "localhost:50051", live.grpc
        )
    )
    output = run(f"{shlex.quote(sys.executable)} snippet.py", live, tmp_path)
    assert len(output.splitlines()) == 5
    assert (tmp_path / "strip.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("command", commands("pentimento"))
def test_command_lines_run(command, live, tmp_path):
    words = shlex.split(command)
    if words[1] in ("train", "export", "evaluate"):
        command = f"pentimento {words[1]} --help"  # hours: the tests of training run them on a slice of MNIST
    assert run(command, live, tmp_path).strip() or list(tmp_path.iterdir())


@pytest.fixture
def guide_folder(tmp_path):
    """Where the guide's snippets run: beside a picture."""
    shutil.copy(ROOT / "docs" / "images" / "digit.png", tmp_path)
    return tmp_path


def of_guides(take):
    """Parameters (guide's name, item) for whatever is taken from each guide."""
    return [
        pytest.param(item, id=f"{name}-{k}")
        for name, text in GUIDES.items()
        for k, item in enumerate(take(text))
    ]


@pytest.mark.parametrize("command", of_guides(lambda text: commands("curl", "pentimento", text=text)))
def test_the_guides_commands_run(command, live, guide_folder):
    if command.startswith(("pentimento train", "pentimento stability")):
        command += " --help"  # hours: the tests of training run them on a slice of MNIST
    answer = run(command, live, guide_folder)
    written = [path for path in guide_folder.iterdir() if path.name != "digit.png"]
    if "/likelihood" in command:
        assert b'"nats"' in answer
    assert answer.strip() or any(path.read_bytes().startswith(b"\x89PNG") for path in written)


@pytest.mark.parametrize(
    "block", of_guides(lambda text: [block for language, block in blocks(text) if language == "python"])
)
def test_the_guides_python_runs(block, live, guide_folder):
    (guide_folder / "snippet.py").write_text(block.replace("http://localhost:8000", live.http))
    assert run(f"{shlex.quote(sys.executable)} snippet.py", live, guide_folder).strip()
    pictures = re.findall(r'save\("(\w+\.png)"\)', block)
    assert pictures or "Client" not in block
    for picture in pictures:
        assert (guide_folder / picture).read_bytes().startswith(b"\x89PNG")


def test_the_table_of_the_zoo_is_what_the_manifests_say():
    rows = []
    for folder in sorted((ROOT / "zoo").iterdir()):
        if not (folder / "manifest.json").is_file():
            continue
        manifest = read_manifest(folder)
        figures = manifest.provenance.evaluation
        if "likelihood" in figures:
            likelihood = figures["likelihood"]
            kl = f"{sum(likelihood['kl']):.1f}" if likelihood["kl"] else "-"
            neighbours = f"{figures['neighbours']['error']:.1%}" if "neighbours" in figures else "-"
            rows.append(f"| `{manifest.name}` | {likelihood['nats']:.2f} | {kl} | {neighbours} |")
            continue
        rows.append(
            f"| `{manifest.name}` | {manifest.drawing.steps.trained} | {figures['kl_to_data']:.3f} | "
            f"{min(figures['class_shares'].values()):.1%} | {figures['confidence']:.3f} | "
            f"{manifest.provenance.train_seconds / 60:.0f} min |"
        )
    for row in rows:
        assert row in README, f"README.md lacks the row\n{row}"
