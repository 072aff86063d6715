"""With --log-format json every line that a server process writes is JSON, whatever happens to it."""

import json
import signal
import subprocess

import pytest

from tests.program.real import PROGRAM, ROOT, in_pipe
from tests.service.toys import write_toys

JSON = ["serve", "--log-format", "json", "--http-port", "0", "--grpc-port", "0"]


def entries(text):
    return [json.loads(line) for line in text.splitlines()]


def test_from_start_to_end(tmp_path):
    write_toys(tmp_path, ["toy-steps", "toy-once"])
    (tmp_path / "[empty]").mkdir()
    process = subprocess.Popen(
        [*PROGRAM, *JSON, "--bundles", tmp_path, "--workers", "1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = json.loads(process.stderr.readline())
    assert ready["message"] == "Pentimento is ready" and ready["http"].startswith("http://127.0.0.1:")
    assert (ready["models"], ready["default_model"], ready["level"]) == (2, "toy-once", "info")
    refused = json.loads(process.stderr.readline())
    assert (refused["model"], refused["level"]) == ("[empty]", "warning")
    assert refused["reason"] == "manifest.json is missing"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert out == "" and process.returncode == 0
    assert "SIGTERM" in entries(err)[0]["message"]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--bundles", "/nowhere"], 2, "there is no bundle folder '/nowhere'"),
        (["--workers", "900"], 2, "--workers must be 1..256, got 900"),
        (["--workers", "x"], 2, "'--workers': must be a whole number, got 'x'"),
        (["--brush"], 2, "No such option"),
    ],
)
def test_what_keeps_it_from_starting(options, code, says):
    done = in_pipe(*JSON, *options)
    (entry,) = entries(done.stderr)
    assert (done.returncode, done.stdout, entry["level"]) == (code, "", "critical")
    assert says in entry["message"]


def test_defects_and_warnings_are_entries_too():
    script = (
        "import threading, warnings\n"
        "from pentimento.service.telemetry.request_log import configure_logging\n"
        "configure_logging('info', 'json')\n"
        "warnings.warn('careful')\n"
        "thread = threading.Thread(target=lambda: 1 / 0)\n"
        "thread.start(); thread.join()\n"
        "raise LookupError('a defect')\n"
    )
    done = in_pipe("-c", script, command=PROGRAM[:1])
    warning, thread, defect = entries(done.stderr)
    assert "careful" in warning["message"] and warning["level"] == "warning"
    assert "ZeroDivisionError" in thread["error"] and "a defect" in defect["error"]
