"""Starts servers in processes of their own, for benchmarks that measure over sockets."""

__all__ = ["ROOT", "free_port", "of_checkout", "served", "until_stopped"]

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]

_START_SECONDS = 240  # the zoo, measured anew on a busy machine, takes one minute
_STOP_SECONDS = 30


def free_port() -> int:
    """A port of 127.0.0.1 that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def until_stopped(
    command: list[str], environment: dict[str, str], ready: str, says: Path | None = None
) -> Iterator[int]:
    """Runs a server process, from when it answers at the URL `ready` until SIGTERM at the end of the context.

    Args:
        command: What to run, in the folder of the repository.
        environment: Variables besides those of this process.
        ready: Answers with a status below 400 as soon as the server is ready.
        says: File for what it writes to stdout.

    Yields:
        The process id.

    Raises:
        RuntimeError: It does not start.
    """
    with open(says or os.devnull, "w") as stdout:
        process = subprocess.Popen(command, env=os.environ | environment, cwd=ROOT, stdout=stdout)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                httpx.get(ready, trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server does not start: {' '.join(command)}") from None
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


@contextmanager
def served(bundles: Path, *, says: Path | None = None, **settings: object) -> Iterator[tuple[str, str, int]]:
    """Runs `pentimento serve` on free ports of 127.0.0.1, until the end of the context.

    Args:
        bundles: Folder of bundles.
        says: File for what the server writes to stdout.
        settings: Further settings, as `PENTIMENTO_...` variables.

    Yields:
        The HTTP address, the gRPC target, and the process id.
    """
    http_port, grpc_port = free_port(), free_port()
    chosen = {
        "bundles": bundles.resolve(),
        "http_port": http_port,
        "grpc_port": grpc_port,
        "log_level": "warning",
    }
    environment = {f"PENTIMENTO_{k.upper()}": str(v) for k, v in (chosen | settings).items()}
    command = [sys.executable, "-c", "from pentimento.service.cli.main import main; main()", "serve"]
    address = f"http://127.0.0.1:{http_port}"
    with until_stopped(command, environment, f"{address}/readyz", says) as pid:
        yield address, f"127.0.0.1:{grpc_port}", pid


@contextmanager
def of_checkout(folder: Path) -> Iterator[None]:
    """Servers that are started within are those of another checkout."""
    kept = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(folder.resolve() / "namespace")
    try:
        yield
    finally:
        os.environ.pop("PYTHONPATH")
        if kept is not None:
            os.environ["PYTHONPATH"] = kept
