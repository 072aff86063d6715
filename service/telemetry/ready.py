"""What a server says when it is ready: lines that fit a terminal, or the same facts as JSON in the log."""

__all__ = ["Ready", "process_age_s"]

import logging
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

_log = logging.getLogger("pentimento")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """A server that has started."""

    start_s: float  # from the start of the process
    http: str  # URL
    grpc: str  # HOST:PORT
    models: int
    default_model: str | None
    device: str
    workers: str  # how many processes, and of what kind
    refused: tuple[tuple[str, str], ...]  # bundles that are not served, and why

    def replaced(self, *, start_s: float, workers: str) -> Self:
        """The same of a server that has several processes."""
        return replace(self, start_s=start_s, workers=workers)

    @property
    def text(self) -> str:
        """Lines for a person; which models there are, `pentimento models` says."""
        models = "no model" if not self.models else f"{self.models} model{'s' if self.models > 1 else ''}"
        default = f", by default {self.default_model}" if self.default_model else ""
        start = f"{self.start_s:.{1 if self.start_s < 10 else 0}f}"  # both fit a terminal
        lines = [
            f"Pentimento is ready after {start} s: {self.http}, gRPC on {self.grpc}",
            f"serves {models}{default}; {self.device}, {self.workers}",
        ]
        return "\n".join([*lines, *(f"refused {name}: {reason}" for name, reason in self.refused)])

    def say(self, form: Literal["text", "json"]) -> None:
        """Prints the lines; where the log is JSON, logs facts of the server and of each refused bundle."""
        if form == "text":
            print(self.text, flush=True)
            return
        names = ("http", "grpc", "models", "default_model", "device", "workers")
        fields = {"start_s": round(self.start_s, 1), **{name: getattr(self, name) for name in names}}
        _log.info("Pentimento is ready", extra={"fields": fields})
        for name, reason in self.refused:
            _log.warning("a bundle is refused", extra={"fields": {"model": name, "reason": reason}})


def process_age_s() -> float:
    """Seconds since this process started."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        return time.process_time()
