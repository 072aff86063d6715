"""The process: ready, readiness, drain, signals, exit codes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from service.app import Server, StartError
from service.settings import Settings
from tests.service.live import LiveServer, sse_events, wait_until
from tests.service.test_http_generate import problem
from tests.service.toys import spoil_hash, write_toys

SSE = {"Accept": "text/event-stream"}
REPOSITORY = Path(__file__).parents[2]


class Process:
    """`service.app.run` in a process of its own, with settings from the environment."""

    def __init__(self, bundles: Path, **settings: object) -> None:
        chosen = {"bundles": bundles, "http_port": 0, "grpc_port": 0, "lanes": 2} | settings
        environment = {f"PENTIMENTO_{name.upper()}": str(value) for name, value in chosen.items()}
        self.popen = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from service.app import run; from service.settings import Settings; "
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


class Reader(threading.Thread):
    """Reads a slow stream to its end."""

    def __init__(self, address: str, steps: int) -> None:
        super().__init__()
        self.address, self.steps = address, steps
        self.started, self.names, self.steps_seen = threading.Event(), [], 0
        self.start()
        assert self.started.wait(20)

    def run(self) -> None:
        query = {"model": "toy-slow", "steps": self.steps}
        with (
            httpx.Client(base_url=self.address, timeout=30, trust_env=False) as client,
            client.stream("POST", "/generate", params=query, headers=SSE) as response,
        ):
            for name, data in sse_events(response.iter_lines()):
                self.names.append(name)
                self.steps_seen = data.get("step", self.steps_seen)
                self.started.set()


def test_ready_line_says_what_is_served_where(tmp_path):
    write_toys(tmp_path, ["toy-steps", "toy-slow", "toy-once"])
    spoil_hash(tmp_path / "toy-once")
    (tmp_path / "empty").mkdir()
    with Process(tmp_path) as process:
        line = process.ready()
        assert re.fullmatch(
            r"Pentimento is ready after \d+\.\d s: http://127\.0\.0\.1:\d+, gRPC on 127\.0\.0\.1:\d+; "
            r"serves toy-slow \(default\), toy-steps; cpu, 2 lanes\n",
            line,
        )
        assert process.popen.stdout.readline() == "refused empty: manifest.json is missing\n"
        assert process.popen.stdout.readline().startswith(
            "refused toy-once: graph 'step': step.onnx has SHA-256"
        )
        assert httpx.get(process.http + "/readyz", trust_env=False).status_code == 200
        process.popen.send_signal(signal.SIGTERM)
        code, stderr = process.end()
        assert code == 0
        assert re.fullmatch(r".*SIGTERM: no new work is admitted, running drawings finish\n", stderr)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cuts_no_stream(toys, number):
    with Process(toys) as process:
        process.ready()
        readers = [Reader(process.http, 60) for _ in range(3)]
        process.popen.send_signal(number)
        for reader in readers:
            reader.join(20)
            assert reader.names == ["frame"] * 60 + ["done"]
        assert process.end()[0] == 0


def test_the_grace_period_ends_with_one_error(toys):
    with Process(toys, drain_grace_s=0.3) as process:
        process.ready()
        reader = Reader(process.http, 1000)
        process.popen.send_signal(signal.SIGTERM)
        reader.join(20)
        assert reader.names[-1] == "error" and reader.names.count("error") == 1 and "done" not in reader.names
        assert process.end()[0] == 0


def test_a_second_signal_ends_at_once(toys):
    with Process(toys) as process:
        process.ready()
        connection = socket.create_connection(("127.0.0.1", int(process.http.rpartition(":")[2])))
        connection.sendall(
            b"POST /generate?model=toy-slow&steps=1000 HTTP/1.1\r\nHost: x\r\n"
            b"Accept: text/event-stream\r\n\r\n"
        )
        assert connection.recv(10)
        process.popen.send_signal(signal.SIGTERM)
        assert wait_until(lambda: httpx.get(process.http + "/readyz", trust_env=False).status_code == 503)
        assert process.popen.poll() is None
        process.popen.send_signal(signal.SIGTERM)
        assert process.end(5)[0] == -signal.SIGTERM
        connection.close()


def test_draining_refuses_new_work_and_finishes_the_old(toys):
    server = LiveServer(toys)
    try:
        reader = Reader(server.http, 100)
        with server.client() as client:
            server.begin_stop()
            assert wait_until(lambda: client.get("/readyz").status_code == 503)
            assert client.get("/healthz").status_code == 200
            refused = client.post("/generate?model=toy-once")
            assert problem(refused, 503)["code"] == "UNAVAILABLE"
            assert int(refused.headers["Retry-After"]) >= 1
            assert problem(client.post("/generate?model=toy-once", headers=SSE), 503)
        reader.join(20)
        assert reader.names == ["frame"] * 100 + ["done"]
    finally:
        server.close()


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
    chosen = {"bundles": toys, "http_port": 0, "grpc_port": 0} | settings
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
        assert "serves no bundle" in server.server.ready_text
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
