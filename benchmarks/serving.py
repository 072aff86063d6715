"""A server in a process of its own, for benchmarks that measure over sockets."""

__all__ = ["served"]

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_START_SECONDS = 60


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(bundles: Path, **settings: object) -> Iterator[tuple[str, str, int]]:
    """`pentimento serve` on free ports of 127.0.0.1, stopped at the end.

    Args:
        bundles: Folder of bundles.
        settings: Further settings, as `PENTIMENTO_...` variables.

    Yields:
        The HTTP address, the gRPC target, and the process id.
    """
    http_port, grpc_port = _free_port(), _free_port()
    chosen = {"bundles": bundles, "http_port": http_port, "grpc_port": grpc_port, "log_level": "warning"}
    environment = os.environ | {f"PENTIMENTO_{k.upper()}": str(v) for k, v in (chosen | settings).items()}
    process = subprocess.Popen(
        [sys.executable, "-c", "from service.cli import main; main()", "serve"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{http_port}"
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                httpx.get(f"{address}/readyz", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the server does not start") from None
                time.sleep(0.1)
        yield address, f"127.0.0.1:{grpc_port}", process.pid
    finally:
        process.terminate()
        process.wait(30)
