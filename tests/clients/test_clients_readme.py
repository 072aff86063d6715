"""clients/README.md runs as it stands, and its four languages are told the same."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs import missing
from tests.service.live import LiveServer

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(
    r"^```(bash|python|js)\n(.*?)^```$", (ROOT / "clients" / "README.md").read_text(), re.M | re.S
)
TOOLS = ("curl", "grpcurl", "python", "js")

assert len(BLOCKS) == 12, "three calls in four languages"
DRAWING, RECONSTRUCTION, LIKELIHOOD = (dict(zip(TOOLS, BLOCKS[i : i + 4], strict=True)) for i in (0, 4, 8))


@pytest.fixture
def run(zoo: LiveServer, tmp_path: Path) -> Callable[[tuple[str, str]], str]:
    """Runs a block in a folder with digit.png, at the addresses of this server; gives what it prints."""
    shutil.copy(ROOT / "docs" / "images" / "digit.png", tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "pentimento-client").symlink_to(ROOT / "clients" / "js")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # grpcurl is there
        "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
    }

    def run_block(block: tuple[str, str]) -> str:
        language, code = block
        code = code.replace("localhost:8000", zoo.http.removeprefix("http://"))
        code = code.replace("localhost:50051", zoo.grpc)
        command = {
            "bash": ["bash", "-eo", "pipefail", "-c", code],
            "python": [sys.executable, "-c", code],
            "js": ["node", "--input-type=module", "--eval", code],
        }[language]
        for program in (command[0], *(["grpcurl"] if "grpcurl" in code else [])):
            if shutil.which(program, path=environment["PATH"]) is None:
                pytest.skip(missing(program))
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_block


def messages(text: str) -> list[dict]:
    """JSON values, one after the other."""
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def test_a_drawing_over_http_and_grpc_is_the_same(run):
    *frames, done = messages(run(DRAWING["curl"]))
    assert [(frame["type"], frame["step"]) for frame in frames] == [("frame", step) for step in (1, 2, 3)]
    assert (done["type"], done["seed"], done["model"]) == ("done", 7, "gran5-mnist")
    header, *others, summary = messages(run(DRAWING["grpcurl"]))
    assert header["header"]["seed"] == "7" and "summary" in summary
    for frame, other in zip(frames, others, strict=True):
        assert frame["images"] == other["frame"]["images"]
        assert base64.b64decode(frame["images"][0]).startswith(b"\x89PNG")


def test_a_drawing_in_python(run):
    assert run(DRAWING["python"]).splitlines() == [f"{step} (2, 1, 28, 28)" for step in (1, 2, 3)]


def test_a_drawing_in_javascript(run):
    assert run(DRAWING["js"]).splitlines() == ["1 2", "2 2", "3 2"]


def test_a_reconstruction_over_http_and_grpc_is_the_same(run):
    (whole,) = messages(run(RECONSTRUCTION["curl"]))
    answers = messages(run(RECONSTRUCTION["grpcurl"]))
    frames = [answer["frame"]["images"] for answer in answers if "frame" in answer]
    assert [frame["images"] for frame in whole["frames"]] == frames
    assert (len(frames), len(frames[0])) == (3, 2)


def test_a_reconstruction_in_python(run, tmp_path):
    assert run(RECONSTRUCTION["python"]) == "3 (2, 16)\n"
    assert (tmp_path / "again.png").stat().st_size > 200


def test_a_reconstruction_in_javascript(run):
    assert run(RECONSTRUCTION["js"]) == "3 2\n"


@pytest.mark.parametrize("tool", TOOLS[1:])
def test_a_likelihood_is_the_same_everywhere(run, tool):
    (over_http,) = messages(run(LIKELIHOOD["curl"]))
    assert over_http["kind"] == "exact"
    said = run(LIKELIHOOD[tool])
    if tool == "grpcurl":
        (answer,) = messages(said)
        assert answer["kind"] == "LIKELIHOOD_KIND_EXACT"
        (nats,) = answer["nats"]
    else:
        found = re.fullmatch(r"exact \[ *(-?[\d.]+) *\]\n", said)
        assert found, said
        nats = float(found[1])
    assert nats == pytest.approx(over_http["likelihoods"][0]["nats"], abs=1e-4)


def test_grpcurl_says_what_goes_wrong(run):
    with pytest.raises(AssertionError, match=r"Code: NotFound\s+Message: model 'no-such-model'"):
        run(("bash", DRAWING["grpcurl"][1].replace("gran5-mnist", "no-such-model")))
