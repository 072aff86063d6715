"""The programs that the images are built with."""

import importlib.util
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


@pytest.mark.parametrize("runtime", ["cpu", "gpu"])
def test_the_lock_has_all_that_is_wanted_with_hashes(runtime):
    text = (ROOT / "deploy" / f"requirements-{runtime}.txt").read_text()
    entries = text.replace("\\\n", " ").splitlines()
    locked = {}
    for entry in entries:
        requirement, *hashes = entry.split()
        assert hashes and all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", each) for each in hashes), (
            requirement
        )
        name, _, version = requirement.partition("==")
        locked[canonicalize_name(name)] = version
    assert "torch" not in locked and not re.search("://|--index|--find", text), "no index is named"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    client = tomllib.loads((ROOT / "clients" / "python" / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"][runtime], *client["dependencies"]]
    for each in map(Requirement, wanted):
        version = locked[canonicalize_name(each.name)]
        assert each.specifier.contains(version), f"{each} is locked as {version}: make lock"


def test_the_build_imports_what_there_is():
    """Its last step imports the server, so that what was taken out too much fails it."""
    imports = re.findall(r'python -c "import ([^"]+)"', (ROOT / "Dockerfile").read_text())
    modules = [name.strip() for line in imports for name in line.split(",")]
    assert "pentimento.service.catalog.trial" in modules and "pentimento.service.workers.worker" in modules
    for module in modules:
        assert importlib.util.find_spec(module) is not None, module


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
