"""The process: ready, readiness, drain, signals, exit codes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from pentimento.service.app import Server, StartError
from pentimento.service.settings import Settings
from tests.service.http.test_generate import problem
from tests.service.live import LiveServer
from tests.service.toys import spoil_hash, write_toys

REPOSITORY = Path(__file__).parents[2]


class Process:
    """`service.workers.run.run` in a process of its own, with settings from the environment."""

    def __init__(self, bundles: Path, **settings: object) -> None:
        chosen = {
            "bundles": bundles,
            "http_port": 0,
            "grpc_port": 0,
        } | settings
        environment = {f"PENTIMENTO_{name.upper()}": str(value) for name, value in chosen.items()}
        self.popen = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from pentimento.service.workers.run import run; "
                "from pentimento.service.settings import Settings; "
                "sys.exit(run(Settings()))",
            ],
            cwd=REPOSITORY,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> str:
        """The line that says so; sets `http`."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, (line, self.popen.stderr and self.popen.stderr.read())
        self.http = found.group()
        return line

    def end(self, seconds: float = 20) -> tuple[int, str]:
        """Exit code and stderr."""
        _, stderr = self.popen.communicate(timeout=seconds)
        return self.popen.returncode, stderr

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.communicate()


def test_ready_line_says_what_is_served_where(tmp_path):
    write_toys(tmp_path, ["toy-steps", "toy-slow", "toy-once"])
    spoil_hash(tmp_path / "toy-once")
    (tmp_path / "empty").mkdir()
    with Process(tmp_path) as process:
        line = process.ready()
        assert re.fullmatch(
            r"Pentimento is ready after [\d.]+ s: http://127\.0\.0\.1:\d+, gRPC on 127\.0\.0\.1:\d+\n",
            line,
        )
        assert len(line) <= 81
        second = process.popen.stdout.readline()
        assert second == "serves 2 models, by default toy-slow; cpu, 2 workers\n"
        assert process.popen.stdout.readline() == "refused empty: manifest.json is missing\n"
        assert process.popen.stdout.readline().startswith(
            "refused toy-once: graph 'step': step.onnx has SHA-256"
        )
        assert httpx.get(process.http + "/readyz", trust_env=False).status_code == 200
        process.popen.send_signal(signal.SIGTERM)
        code, stderr = process.end()
        assert code == 0
        assert re.fullmatch(r".*SIGTERM: no new work is admitted, running drawings finish\n", stderr)


@pytest.mark.alone
def test_an_idle_server_stops_at_once_in_spite_of_open_connections(toys):
    server = LiveServer(toys)
    with server.client() as client:
        client.get("/healthz")
        began = time.monotonic()
        server.close()
    assert time.monotonic() - began < 5


def test_a_port_in_use_is_one_sentence(toys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with Process(toys, http_port=port) as process:
            code, stderr = process.end()
            assert code == 1
            assert stderr == (
                f"pentimento cannot start: HTTP cannot listen on 127.0.0.1:{port}: Address already in use\n"
            )
        with Process(toys, grpc_port=port) as process:
            code, stderr = process.end()
            assert code == 1
            assert f"pentimento cannot start: gRPC cannot listen on 127.0.0.1:{port}" in stderr
            assert "Traceback" not in stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bundles": Path("nowhere")}, "there is no bundle folder 'nowhere'"),
        ({"default_model": "gran9"}, "the default model 'gran9' is not among the served"),
        ({"host": "no-such-host.invalid"}, "HTTP cannot listen on 'no-such-host.invalid'"),
        ({"provider": "cuda"}, "provider cuda was asked for"),
    ],
)
async def test_what_keeps_a_server_from_starting_is_one_sentence(toys, settings, words):
    chosen = {"bundles": toys, "http_port": 0, "grpc_port": 0, "workers": 2} | settings
    with pytest.raises(StartError, match=words):
        async with Server(Settings(**chosen)):
            pytest.fail("it started")


def test_two_servers_do_not_share_a_port(toys):
    server = LiveServer(toys)
    try:
        for port in ({"http_port": server.server.http_port}, {"grpc_port": server.server.grpc_port}):
            with pytest.raises(StartError, match="cannot listen"):
                LiveServer(toys, **port)
    finally:
        server.close()


def test_no_bundle_is_still_a_server(tmp_path):
    server = LiveServer(tmp_path)
    try:
        assert "serves no model" in server.server.ready.text
        with server.client() as client:
            assert client.get("/models").json() == {"models": [], "refused": []}
            assert problem(client.post("/generate"), 404)["detail"] == "no bundle that draws is served here"
    finally:
        server.close()


def test_a_defect_is_a_problem_without_internals(toys, monkeypatch, caplog):
    server = LiveServer(toys)
    try:
        monkeypatch.setattr(server.server.operations, "models", lambda: json.loads("internal secret"))
        with server.client() as client:
            response = client.get("/models", headers={"X-Request-Id": "trace-me"})
            body = problem(response, 500)
            assert body["code"] == "INTERNAL" and "secret" not in response.text
            assert body["detail"] == "internal error; the server's log has the reason"
            assert "trace-me" in caplog.text and "JSONDecodeError" in caplog.text
            assert client.get("/healthz").status_code == 200
    finally:
        server.close()
