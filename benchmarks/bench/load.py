"""The load generator: a process of its own that does one job after another.

    python -m benchmarks.bench.load

A job says where to, which groups of clients, and for how long; the result is that of `window.Window.measure`.
"""

__all__ = ["Job", "run_load"]

import asyncio
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from typing import Any, Self

import uvloop

from benchmarks.bench.asks import ACCEPT, Ask, Group
from benchmarks.bench.load_grpc import grpc_client
from benchmarks.bench.load_http import http_client
from benchmarks.bench.procs import do_jobs, tree
from benchmarks.bench.window import PATIENCE_S, Tally, Window

_MAX_REQUESTS = 200_000
"""Most requests of one window: bounds the memory of the times; no server answers as many in some seconds."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One load: which server, which clients, for how long.

    Args:
        http_port: Where HTTP is answered, on 127.0.0.1.
        path: Of the HTTP requests.
        grpc_target: Where gRPC is answered; empty for a server without.
        pid: The server's process; CPU time and memory are measured of it and its descendants.
        groups: The clients, all at the same time.
        warm_s: Seconds before anything counts.
        seconds: Seconds that count.
    """

    http_port: int
    path: str
    grpc_target: str
    pid: int
    groups: tuple[Group, ...]
    warm_s: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The job as JSON values, to be sent to the worker."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Rebuilds a job from what `to_json` gave."""
        groups = tuple(Group(ask=Ask(**g["ask"]), clients=g["clients"]) for g in content["groups"])
        return cls(**(content | {"groups": groups}))


async def run_load(job: Job) -> dict[str, Any]:
    """Runs all clients of a job for its window, and returns what was seen: see `Window.measure`.

    Raises:
        TimeoutError: An answer does not come.
        RuntimeError: The load itself is at fault.
    """
    tallies = [Tally(group) for group in job.groups]
    window = Window(warm_s=job.warm_s, seconds=job.seconds, pids=tree(job.pid), max_requests=_MAX_REQUESTS)

    def client(tally: Tally) -> Coroutine[Any, Any, None]:
        if tally.group.ask.form in ACCEPT:
            return http_client(window, tally, port=job.http_port, path=job.path)
        return grpc_client(window, tally, target=job.grpc_target)

    clients = [asyncio.create_task(client(tally)) for tally in tallies for _ in range(tally.group.clients)]
    result = await window.measure(tallies)
    # Those whose last request began after the close still wait for its answer: the next load shall not share
    # the machine with them.
    await asyncio.wait_for(asyncio.gather(*clients), PATIENCE_S)
    return result


def main() -> None:
    """Runs the worker, until its standard input ends."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        do_jobs(lambda content: runner.run(run_load(Job.from_json(content))))


if __name__ == "__main__":
    main()
