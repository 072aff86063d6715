"""SIGHUP to a real process: a reload, one line of the log, and never its end, unless its terminal is gone."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from pentimento_client import Client

from tests.programs import missing
from tests.reliability.server import ServerProcess
from tests.service.live import wait_until
from tests.service.revisions import STEPS, draw, write_revision

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    write_revision(tmp_path / "bundles" / "a", 1)
    return tmp_path / "bundles"


@pytest.fixture
def server(folder):
    server = ServerProcess(folder, calibrate="false")
    yield server
    server.kill()


def served(server):
    models = httpx.get(f"{server.http}/models", trust_env=False).json()["models"]
    return {model["name"]: model["version"] for model in models}


def line_after(server, before):
    """What the log has more than `before`, when it has a line more."""
    assert wait_until(lambda: server.log.removeprefix(before).endswith("\n"))
    return server.log.removeprefix(before)


def test_a_hangup_reloads_and_says_so_in_one_line(server, folder):
    write_revision(folder / "a", 2)
    write_revision(folder / "b", 1)
    server.signal(signal.SIGHUP)
    said = line_after(server, "")
    assert said.count("\n") == 1 and said.endswith(
        " INFO pentimento.service.catalog.reloading: bundles reloaded: kept 0; added b 1.1.0; "
        "replaced a 1.1.0 by 1.2.0; "
        "default a\n"
    )
    assert served(server) == {"a": "1.2.0", "b": "1.1.0"}
    server.stop()


def test_what_goes_wrong_is_logged_and_everything_stays(server, folder):
    (folder / "a" / "step.onnx").write_bytes(b"half")
    server.signal(signal.SIGHUP)
    said = line_after(server, "")
    assert said.count("\n") == 1 and "WARNING" in said
    assert "refused a: graph 'step': step.onnx has SHA-256" in said
    assert "version 1.1.0, which was served before, still is" in said
    folder.rename(folder.with_name("elsewhere"))
    server.signal(signal.SIGHUP)
    gone = line_after(server, said)
    assert gone.count("\n") == 1 and "ERROR" in gone and "no bundle folder" in gone
    assert "what was served before still is" in gone and "Traceback" not in gone
    with Client(server.http) as client:
        assert draw(client, "a").k == 1
    server.stop()


def test_a_storm_of_hangups_cuts_no_stream(server, folder):
    with Client(server.http) as client:
        for k in range(2, 8):
            with client.stream("a", n=2) as stream:
                begun = stream.header.version
                write_revision(folder / "a", k)
                for _ in range(25):
                    server.signal(signal.SIGHUP)
                assert len(list(stream)) == STEPS
                assert stream.header.version == begun
        assert wait_until(lambda: served(server) == {"a": "1.7.0"})
        assert draw(client, "a").k == 7
    assert server.popen.poll() is None
    server.stop()


def test_while_draining_a_hangup_is_refused_in_the_log(folder):
    shutil.rmtree(folder / "a")
    write_revision(folder / "slow", 1, side=1024)
    server = ServerProcess(folder, calibrate="false")
    try:
        with Client(server.http) as client, client.stream("slow", n=2) as stream:
            next(stream)
            server.signal(signal.SIGTERM)
            assert wait_until(lambda: "SIGTERM" in server.log)
            server.signal(signal.SIGHUP)
            assert wait_until(lambda: "bundles were not reloaded" in server.log)
            assert len(list(stream)) == STEPS - 1
        assert server.wait() == 0
        assert "SIGHUP: bundles were not reloaded: the server admits no new work" in server.log
    finally:
        server.kill()


class Terminal:
    """A terminal of its own, with a server in it that ends with the `with`."""

    def __init__(self, folder, command='exec "$@"'):
        self.screen, inside = pty.openpty()
        # The first terminal that a session's leader opens is the session's.
        enter = f"exec 0<>{os.ttyname(inside)} 1>&0 2>&0; {command}"
        settings = {"bundles": folder, "http_port": 0, "grpc_port": 0, "calibrate": "false"}
        self.popen = subprocess.Popen(
            ["sh", "-c", enter, "sh", sys.executable, "-m", "pentimento.service.cli", "serve"],
            cwd=REPOSITORY,
            env=os.environ | {f"PENTIMENTO_{name.upper()}": str(value) for name, value in settings.items()},
            start_new_session=True,
            # Also where the tests run under nohup, whose children would ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
        os.close(inside)

    def read_until(self, words):
        """What it shows, up to these words."""
        text, end = b"", time.monotonic() + 30
        while words.encode() not in text and time.monotonic() < end:
            if select.select([self.screen], [], [], 0.1)[0]:
                try:
                    text += os.read(self.screen, 4096)
                except OSError:  # nobody has opened it yet
                    time.sleep(0.02)
        assert words.encode() in text, text
        return text.decode()

    def close(self):
        os.close(self.screen)
        self.screen = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.wait()
        if self.screen is not None:
            self.close()


def test_a_server_ends_with_its_terminal_by_a_drain(folder):
    with Terminal(folder) as terminal:
        address = terminal.read_until("default").partition("http")[2].partition(",")[0]
        terminal.popen.send_signal(signal.SIGHUP)  # the terminal is there: a reload
        terminal.read_until("bundles reloaded")
        with Client(f"http{address}") as client, client.stream("a", n=2) as stream:
            terminal.close()
            assert len(list(stream)) == STEPS
        assert terminal.popen.wait(20) == 0


@pytest.mark.skipif(shutil.which("nohup") is None, reason=missing("nohup"))
def test_under_nohup_it_outlives_its_terminal(folder, tmp_path):
    log = tmp_path / "log"
    log.touch()
    with Terminal(folder, f'exec nohup "$@" > {log} 2>&1') as terminal:
        assert wait_until(lambda: "is ready" in log.read_text(), 30)
        terminal.close()
        terminal.popen.send_signal(signal.SIGHUP)
        assert wait_until(lambda: "bundles reloaded" in log.read_text())
        assert terminal.popen.poll() is None
        terminal.popen.send_signal(signal.SIGTERM)
        assert terminal.popen.wait(20) == 0
