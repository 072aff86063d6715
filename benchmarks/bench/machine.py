"""Describes the machine that figures are measured on, and how busy it is."""

__all__ = ["describe", "others_share"]

import datetime
import platform
import re
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.serving import ROOT
from pentimento.service.settings import available_cpus

_LIBRARIES = ("onnxruntime", "numpy", "fastapi", "uvicorn", "uvloop", "httptools", "grpcio", "zlib-ng")

_WATCH_S = 1.0


def describe() -> dict[str, str]:
    """Processor, memory, system, libraries, date and commit, each as text for the report."""
    processor = _first(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.machine()
    kibibytes = int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0)
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return {
        "processor": f"{processor}, {available_cpus()} CPUs",
        "memory": f"{kibibytes / 2**20:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "libraries": libraries,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
    }


def others_share() -> float:
    """Share of all CPU time in use over the next second, in 0..1; called before anything is started."""
    before = _busy_and_all()
    time.sleep(_WATCH_S)
    busy, total = (b - a for a, b in zip(before, _busy_and_all(), strict=True))
    return busy / total


def _busy_and_all() -> tuple[int, int]:
    ticks = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)  # [3] idle, [4] waiting for a disk


def _first(pattern: str, file: str) -> str | None:
    found = re.search(pattern, Path(file).read_text())
    return found[1].strip() if found else None


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD")
    if not commit:
        return "unknown"
    changed = git("status", "--porcelain", "--", "service", "bundle", "benchmarks", "zoo")
    return f"{commit}, with changes that are not committed" if changed else commit
