"""Starts the servers that are compared, the load generator and the bare loops, all side by side.

Those that have nothing to do cost nothing.
"""

__all__ = [
    "LABELS",
    "PLAIN_STREAMS",
    "PLAIN_WHOLE",
    "Arena",
    "Contender",
    "SERVER_SETTINGS",
    "prepare_bundles",
    "ready_words",
    "running",
]

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench.plain_handlers import BUNDLES, LANES
from benchmarks.bench.procs import Worker
from benchmarks.serving import free_port, served, until_stopped
from pentimento.bundle.manifest import Steps
from pentimento.bundle.store import read_bundle, write_bundle
from pentimento.service.settings import available_cpus

GRAN, ROWS, LONG = "gran5-mnist", "pixelvae-mnist", "gran64-mnist"
"""Names of the bundles: one that steps, one that draws row by row, and the first with up to 64 steps."""

_LONGEST = 64

SERVER_SETTINGS: dict[str, object] = {"max_rows_in_flight": 16_384}
"""Settings that are not the defaults: 128 clients may ask for 64 images each, and none is refused."""

LABELS = {
    "server": "Pentimento",
    "plain": "plain: a drawing for each request",
    "inline": "plain: inline, on the event loop",
    "batched": "plain: requests batched",
    "batched-workers": "plain: requests batched, a worker a CPU",
    "stream": "plain: NDJSON, a drawing in a thread",
    "inline-stream": "plain: NDJSON, inline, on the event loop",
    "constant": "constant answer, nothing drawn",
}

PLAIN_WHOLE = ("batched", "batched-workers", "inline", "plain")
"""All plain handlers that answer with whole drawings: the better one is the best of these."""

PLAIN_STREAMS = ("stream", "inline-stream")
"""All plain handlers that stream."""

_READY = re.compile(r"\w+, \d+ (?:workers?|lane process(?:es)?|lanes?)\b")


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A running server, and the HTTP path that is asked."""

    pid: int
    http_port: int
    path: str
    grpc_target: str = ""


@dataclass(frozen=True, kw_only=True)
class Arena:
    """All that runs: the servers by the keys of LABELS, the load generator, and the bare loops."""

    contenders: dict[str, Contender]
    load: Worker
    loops: list[Worker]
    server_says: str  # where it computes, and how many workers or lanes it chose
    cache: Path  # of the server's calibration


def prepare_bundles(zoo: Path, folder: Path) -> None:
    """Copies GRAN and ROWS into an empty folder, and makes LONG, which is GRAN with up to 64 steps.

    Args:
        zoo: Holds GRAN and ROWS.
        folder: Where the three go.
    """
    for name in (GRAN, ROWS):
        bundle = read_bundle(zoo / name)
        write_bundle(folder / name, bundle.manifest, bundle.graphs, bundle.weights)
    bundle = read_bundle(zoo / GRAN)
    drawing = bundle.manifest.drawing
    assert drawing is not None
    steps = Steps(**(drawing.steps.model_dump() | {"max": _LONGEST}))
    long = drawing.model_copy(update={"steps": steps})
    manifest = bundle.manifest.model_copy(update={"name": LONG, "drawing": long})
    write_bundle(folder / LONG, manifest, bundle.graphs, bundle.weights)


@contextmanager
def running(bundles: Path) -> Iterator[Arena]:
    """Starts everything, and stops it at the end of the context.

    Args:
        bundles: What `prepare_bundles` made; files of the run come to lie beside it.

    Yields:
        What runs.
    """
    workers, says = available_cpus(), bundles.parent / "server.txt"
    # The server measures its graphs anew, on the machine as it is now: the user's own cache may have been
    # filled while it was busy.
    cache = bundles.parent / "calibration"
    settings = SERVER_SETTINGS | {"cache": cache}
    with ExitStack() as stack:
        start = stack.enter_context
        loops = [start(Worker("benchmarks.bench.limit", str(bundles))) for _ in range(workers)]
        load = start(Worker("benchmarks.bench.load"))
        address, grpc_target, pid = start(served(bundles, says=says, **settings))
        port = int(address.rpartition(":")[2])
        contenders = {"server": Contender(pid=pid, http_port=port, path="/generate", grpc_target=grpc_target)}
        plain = start(plain_served("whole", bundles, workers=workers))
        batched = start(plain_served("batched", bundles, lanes=workers))
        spread = start(plain_served("batched", bundles, workers=workers))
        inline = start(plain_served("inline", bundles, workers=workers))
        for name, (pid, port), path in (
            ("plain", plain, "/generate"),
            ("stream", plain, "/stream"),
            ("inline", inline, "/generate"),
            ("inline-stream", inline, "/stream"),
            ("batched", batched, "/generate"),
            ("batched-workers", spread, "/generate"),
            ("constant", batched, "/constant"),
        ):
            contenders[name] = Contender(pid=pid, http_port=port, path=path)
        said = ready_words(says.read_text())
        yield Arena(contenders=contenders, load=load, loops=loops, server_says=said, cache=cache)


def ready_words(text: str) -> str:
    """What a server's ready line says of where it computes, such as `cpu, 2 workers`, or else all of it."""
    found = _READY.search(text)
    return found[0] if found else text


@contextmanager
def plain_served(app: str, bundles: Path, *, workers: int = 1, lanes: int = 1) -> Iterator[tuple[int, int]]:
    """Runs one of the applications of `plain_handlers` under uvicorn, until the end of the context.

    Args:
        app: Name of the function that makes it.
        bundles: Folder of bundles.
        workers: Processes.
        lanes: Threads that draw in each process of `batched`.

    Yields:
        Process id and port.
    """
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"benchmarks.bench.plain_handlers:{app}"]
    options = {"port": port, "workers": workers, "loop": "uvloop", "http": "httptools", "ws": "none"}
    command += [f"--{name}={value}" for name, value in options.items()]
    command += ["--log-level=warning", "--no-access-log", "--no-server-header"]
    environment = {BUNDLES: str(bundles.resolve()), LANES: str(lanes)}
    with until_stopped(command, environment, f"http://127.0.0.1:{port}/docs") as pid:
        yield pid, port
