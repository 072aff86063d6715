"""The programs that the images are built with."""

import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.service.live import LiveServer
from tests.service.toys import write_toys

ROOT = Path(__file__).parents[2]


def healthy(port):
    """The health check, as a container runs it."""
    command = [sys.executable, "-IS", str(ROOT / "deploy" / "healthy.py"), str(port)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def server(tmp_path):
    write_toys(tmp_path, ["toy-slow"])
    server = LiveServer(tmp_path, calibrate=False, drain_grace_s=60)  # a busy machine draws slowly
    yield server
    server.close()


def test_a_server_is_healthy_until_it_drains(server):
    assert healthy(server.server.http_port).returncode == 0
    with server.client() as client:
        asked = {"params": {"steps": 100}, "headers": {"Accept": "text/event-stream"}}
        with client.stream("POST", "/generate", **asked) as answer:
            lines = answer.iter_lines()
            next(lines)
            server.begin_stop()
            while (checked := healthy(server.server.http_port)).returncode == 0:
                pass
            assert checked.returncode == 1 and "not ready: b'HTTP/1.1 503" in checked.stderr
            assert "event: done" in lines, "the drawing was cut"


def test_no_server_is_not_healthy():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and does not listen
        assert healthy(free.getsockname()[1]).returncode == 1


@pytest.mark.parametrize("extras", [(), ("cpu",), ("cpu", "train")])
def test_requirements_are_those_of_the_project(extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(x for extra in extras for x in project["optional-dependencies"][extra]),
    ]
    command = [sys.executable, str(ROOT / "deploy" / "requirements.py"), *extras]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == wanted
