"""The server as process 1, as in a container without an init: the kernel gives it no default actions."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.programs import missing
from tests.reliability.puppets import write_puppets

REPOSITORY = Path(__file__).parents[2]
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child"]


def hindrance():
    """Why these tests cannot run here; empty where they can."""
    if shutil.which("unshare") is None:
        return missing("unshare")
    allowed = subprocess.run([*NAMESPACE, "true"], check=False).returncode == 0
    return "" if allowed else "needs `unshare --pid`: Linux, and root"


pytestmark = pytest.mark.skipif(bool(hindrance()), reason=hindrance())


@pytest.fixture
def start(tmp_path):
    write_puppets(tmp_path)
    started = []

    def begin(workers=1):
        options = ["--bundles", str(tmp_path), "--http-port", "0", "--grpc-port", "0"]
        options += ["--workers", str(workers)]
        options += ["--default-model", "toy-puppet"]
        command = [*NAMESPACE, sys.executable, "-m", "pentimento.service.cli", "serve", *options]
        popen = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(popen)
        children = Path(f"/proc/{popen.pid}/task/{popen.pid}/children")
        end = time.monotonic() + 20
        while not (found := children.read_text().split()):
            assert time.monotonic() < end
            time.sleep(0.01)
        return popen, int(found[0])

    yield begin
    for popen in started:
        popen.kill()
        popen.communicate()


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_ends_it_while_it_loads(start, workers):
    popen, server = start(workers)
    end = time.monotonic() + 60
    while popen.poll() is None:  # deaf while Python itself begins
        assert time.monotonic() < end
        with contextlib.suppress(ProcessLookupError):  # it may just have ended
            os.kill(server, signal.SIGTERM)
        time.sleep(0.02)
    # By its own hand, or now and then, in its first moments, by the kernel's.
    assert popen.returncode in (128 + signal.SIGTERM, -signal.SIGTERM), popen.stderr.read()
    assert "ready" not in popen.stdout.read()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_it_at_once(start, workers):
    popen, server = start(workers)
    address = popen.stdout.readline().partition("http://")[2].partition(",")[0]
    ask = {"steps": 100, "latents": {"work": [[600.0]], "mood": [[0.0]]}}  # ten seconds
    headers = {"Accept": "text/event-stream"}
    with httpx.stream("POST", f"http://{address}/generate", json=ask, headers=headers, timeout=30) as drawing:
        lines = drawing.iter_lines()  # kept: who lets go of it closes the connection
        next(lines)
        os.kill(server, signal.SIGTERM)
        # Two that come before the first is answered are one to the kernel: on a busy machine that takes long.
        assert any("no new work is admitted" in line for line in popen.stderr)
        assert popen.poll() is None
        os.kill(server, signal.SIGTERM)
        assert popen.wait(10) == 128 + signal.SIGTERM
