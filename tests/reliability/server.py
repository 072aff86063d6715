"""Runs a server in a process of its own, as people start it, and looks at it from outside only."""

__all__ = ["Place", "ServerProcess", "Snapshot", "eventually"]

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from prometheus_client.parser import text_string_to_metric_families

from tests.reliability.wire import HttpConnection

REPOSITORY = Path(__file__).parents[2]

_PATIENCE_S = 60.0  # for what takes a second on an idle machine


class Snapshot:
    """What /metrics said at one moment; `gauges` are Pentimento's own, by name and labels."""

    def __init__(self, text: str) -> None:
        families = list(text_string_to_metric_families(text))
        self._samples = [
            (sample.name, sample.labels, sample.value) for family in families for sample in family.samples
        ]
        self.gauges = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            if family.type == "gauge" and family.name.startswith("pentimento")
            for sample in family.samples
        }

    def total(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        return sum(
            value
            for found, has, value in self._samples
            if found == name and all(has.get(key) == wanted for key, wanted in labels.items())
        )

    @property
    def rows(self) -> int:
        """Number of rows in flight."""
        return int(self.total("pentimento_rows_in_flight"))

    def calls(self, bundle: str, graph: str = "step") -> int:
        """Number of calls of a bundle's graph so far."""
        return int(self.total("pentimento_graph_call_seconds_count", bundle=bundle, graph=graph))

    def outcomes(self, transport: str) -> dict[str, int]:
        """Number of finished requests for drawings, by how they ended."""
        found: dict[str, int] = {}
        for name, labels, value in self._samples:
            if name == "pentimento_requests_total" and value and labels["operation"] == "generate":
                if labels["transport"] == transport:
                    found[labels["outcome"]] = int(value)
        return found


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server listens."""

    host: str = "127.0.0.1"
    http_port: int
    grpc_port: int


class ServerProcess:
    """`pentimento serve` on free ports of 127.0.0.1; `place` says where.

    Args:
        bundles: Folder of bundles.
        files: The soft and the hard limit of files that it may open; None: as this process.
        settings: By the names of `service.settings`.
    """

    folder = REPOSITORY  # that it is started in
    program: tuple[str, ...] = ("-m", "pentimento.service.cli")

    def __init__(self, bundles: Path, *, files: tuple[int, int] | None = None, **settings: object) -> None:
        chosen = {"bundles": bundles, "http_port": 0, "grpc_port": 0, "workers": 1} | settings
        environment = {f"PENTIMENTO_{name.upper()}": str(value) for name, value in chosen.items()}
        self._log = self._open_log()
        self.popen = subprocess.Popen(
            [sys.executable, *self.program, "serve"],
            cwd=self.folder,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            preexec_fn=None if files is None else lambda: resource.setrlimit(resource.RLIMIT_NOFILE, files),
        )
        assert self.popen.stdout is not None
        if settings.get("log_format") == "json":  # then the ready line is an entry of the log, too
            line, ready = "", r'"http": "http://[\d.]+:(\d+)".*"grpc": "[\d.]+:(\d+)"'
            while (found := re.search(ready, self.log)) is None and self.popen.poll() is None:
                time.sleep(0.02)
        else:
            line = self.popen.stdout.readline()
            found = re.search(r"http://[\d.]+:(\d+), gRPC on [\d.]+:(\d+)", line)
        if found is None:
            said = line + self.log
            self.kill()
            raise AssertionError(f"the server did not start: {said}")
        self.place = Place(http_port=int(found[1]), grpc_port=int(found[2]))

    def _open_log(self) -> IO[str]:
        """Opens what stderr goes to."""
        return tempfile.NamedTemporaryFile("a")

    @property
    def http(self) -> str:
        """The address of the HTTP side."""
        return f"http://{self.place.host}:{self.http_port}"

    @property
    def http_port(self) -> int:
        """The port of the HTTP side."""
        return self.place.http_port

    @property
    def grpc(self) -> str:
        """The target of the gRPC side."""
        return f"{self.place.host}:{self.place.grpc_port}"

    @property
    def log(self) -> str:
        """What it has written to stderr."""
        # By its name: who reads through the file that the server writes to moves where it writes.
        return Path(self._log.name).read_text()

    @property
    def workers(self) -> list[int]:
        """The ids of its workers; none if it is one process."""
        return [
            int(pid)
            for pid in Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text().split()
        ]

    @property
    def rss(self) -> int:
        """Resident memory of the server with its workers, in bytes."""
        return self._memory("VmRSS")

    @property
    def peak_rss(self) -> int:
        """Highest resident memory since `forget_peak`, in bytes."""
        return self._memory("VmHWM")

    def forget_peak(self) -> None:
        """Starts the measurement of `peak_rss` anew."""
        for pid in (self.popen.pid, *self.workers):
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def _memory(self, name: str) -> int:
        told = [Path(f"/proc/{pid}/status").read_text() for pid in (self.popen.pid, *self.workers)]
        return sum(int(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) * 1024 for status in told)

    async def snapshot(self) -> Snapshot:
        """Reads /metrics."""
        return Snapshot((await self.get("/metrics")).text)

    async def get(self, path: str) -> "Answer":
        """Sends a GET on a connection of its own, and returns the answer."""
        async with HttpConnection(self.http_port) as connection:
            await connection.ask("GET", path)
            status, headers = await connection.head()
            return Answer(status, headers, await connection.body())

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Sends a signal."""
        self.popen.send_signal(number)

    def wait(self, seconds: float = _PATIENCE_S) -> int:
        """Waits for the end of the process, and returns its exit code."""
        return self.popen.wait(seconds)

    def stop(self) -> None:
        """Stops the server with SIGTERM, as an operator does; its exit code must be 0."""
        if self.popen.poll() is None:
            self.signal()
        try:
            code = self.wait()
        finally:
            self.kill()
        assert code == 0, f"exit code {code}"

    def kill(self) -> None:
        """Kills the process if it still runs, and closes its files."""
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        assert self.popen.stdout is not None
        self.popen.stdout.close()
        self._log.close()


class Answer:
    """An HTTP answer, read whole."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def code(self) -> str:
        """Error code in the problem that the body holds."""
        code: str = json.loads(self.body)["code"]
        return code


async def eventually(
    read: Callable[[], Awaitable[Snapshot]],
    true: Callable[[Snapshot], bool],
    what: str,
    seconds: float = 30.0,
) -> Snapshot:
    """Takes snapshots until `true` holds of one, and returns it; fails with `what` after so many seconds."""
    end = time.monotonic() + seconds
    while not true(seen := await read()):
        assert time.monotonic() < end, f"not in {seconds:.0f} s: {what}"
        await asyncio.sleep(0.005)
    return seen
