"""Processes: their CPU time and memory, and workers that do one job after another."""

__all__ = ["Worker", "cpu_seconds", "do_jobs", "resident_mib", "together_mib", "tree"]

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.serving import ROOT

_TICKS = os.sysconf("SC_CLK_TCK")

_STOP_SECONDS = 10

_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ (?P<offset>\S+) (?P<device>\S+) (?P<inode>\d+)")
"""The line of /proc/PID/smaps that begins a mapping; inode 0 is no file's."""


def tree(pid: int) -> list[int]:
    """The ids of a process and of all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU seconds of processes so far, all threads, user and system; counted in ticks of 10 ms.

    What a child used that has ended counts for its parent: a worker that is replaced takes nothing with it.
    """
    return sum(sum(map(int, fields[11:15])) for pid in pids if (fields := _stat(pid))) / _TICKS


def resident_mib(pids: Iterable[int]) -> float:
    """Sum of the processes' resident memory in MiB; memory that they share counts for each."""
    return sum(_kilobytes(line) for pid in pids for line in _lines(pid, "status") if "VmRSS:" in line) / 1024


def together_mib(pids: Iterable[int]) -> float:
    """Resident memory of processes in MiB, where what they share counts once.

    Memory that is no file's counts in parts, for each process its share: only parent and children have it in
    common. Of a file, which strangers may use too, each mapping counts as in the process that has most of it.
    """
    own, files = 0, Counter[tuple[str, ...]]()
    for pid in pids:
        own += sum(_kilobytes(line) for line in _lines(pid, "smaps_rollup") if line.startswith("Pss_Anon:"))
        files |= _mapped(pid)  # for each mapping the larger
    return (own + files.total()) / 1024


def _mapped(pid: int) -> Counter[tuple[str, ...]]:
    """Kilobytes of files that a process has in memory, by offset, device and inode of their mappings."""
    found: Counter[tuple[str, ...]] = Counter()
    mapping, resident = None, 0
    for line in _lines(pid, "smaps"):
        if begins := _MAPPING.match(line):
            mapping = begins
        elif line.startswith("Rss:"):
            resident = _kilobytes(line)
        elif line.startswith("Anonymous:") and mapping is not None and mapping["inode"] != "0":
            found[mapping.groups()] += resident - _kilobytes(line)  # copied when written to
    return found


def _kilobytes(line: str) -> int:
    """The number of a line such as `Rss:  12 kB`."""
    return int(line.split()[1])


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on: [0] state, [1] parent; empty for a process that is gone."""
    return "".join(_lines(pid, "stat")).rpartition(")")[2].split()


def _lines(pid: int, file: str) -> list[str]:
    """Lines of a file of /proc/PID; none for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []


def do_jobs(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Runs a worker: a job a line from stdin, its result as a line to stdout, until stdin ends."""
    for line in sys.stdin:
        print(json.dumps(work(json.loads(line))), flush=True)


class Worker:
    """A process that does one job after another; started once, so that no measurement holds a start.

    Args:
        module: Its main calls `do_jobs`.
        arguments: Of its command line.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._module = module

    def send(self, job: dict[str, Any]) -> None:
        """Gives the worker a job, and returns at once."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """Waits for the result of the job that was sent last.

        Raises:
            RuntimeError: The process ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended with code {self._process.wait()}")
        result: dict[str, Any] = json.loads(line)
        return result

    def do(self, job: dict[str, Any]) -> dict[str, Any]:
        """Sends a job and waits for its result."""
        self.send(job)
        return self.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        if kind is not None:
            self._process.terminate()  # it may be in the middle of a job that nobody waits for
        self._process.wait(_STOP_SECONDS)
        self._process.stdout.close()
