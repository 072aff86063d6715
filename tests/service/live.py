"""A real server on real sockets, on an event loop in a thread of its own."""

__all__ = ["LiveServer", "sse_events", "wait_until"]

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from pentimento.service.app import Server
from pentimento.service.settings import Settings


class LiveServer:
    """Serves `bundles` on free ports of 127.0.0.1 until closed.

    `server` is the running `service.app.Server`, to look into; `http` its address, `grpc` its gRPC target.
    """

    def __init__(self, bundles: Path, **settings: Any) -> None:
        chosen: dict[str, Any] = {"http_port": 0, "grpc_port": 0, "drain_grace_s": 10.0}
        self.settings = Settings(bundles=bundles, **(chosen | settings))
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run,
            name="live-server",
            daemon=True,  # one that never got ready holds up no exit
        )
        self._thread.start()
        assert self._ready.wait(180), "the server does not start"
        if self._error is not None:
            self._thread.join()
            raise self._error
        self.http = f"http://127.0.0.1:{self.server.http_port}"
        self.grpc = f"127.0.0.1:{self.server.grpc_port}"

    @property
    def rows(self) -> int:
        """Number of rows in flight."""
        return self.server.engine.rows_in_flight

    def client(self) -> httpx.Client:
        """An HTTP client of the server, which the caller closes; it has one connection at a time."""
        return httpx.Client(base_url=self.http, timeout=30, trust_env=False)

    def begin_stop(self) -> None:
        """Starts draining, as SIGTERM does, and returns at once."""
        self._loop.call_soon_threadsafe(self._stop.set)

    def close(self) -> None:
        """Drains, stops, and waits for the end."""
        if self._thread.is_alive():
            self.begin_stop()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the server does not stop"

    def _run(self) -> None:
        factory = uvicorn.Config("", log_config=None).get_loop_factory()
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            async with Server(self.settings) as self.server:
                self._ready.set()
                await self._stop.wait()
        except Exception as error:
            if self._ready.is_set():
                raise
            self._error = error
            self._ready.set()


def sse_events(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Parses server-sent events; yields the name and the data, as JSON, of each."""
    name = data = None
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = line.removeprefix("data: ")
        elif not line and name is not None and data is not None:
            yield name, json.loads(data)
            name = data = None


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Waits for a condition; returns whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True
