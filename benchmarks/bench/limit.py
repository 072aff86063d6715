"""The limit of this machine: ONNX Runtime and the server's PNG encoder in a bare loop, no server around them.

    python -m benchmarks.bench.limit BUNDLES

A worker, one for each CPU; `drawing_rate` adds up what all of them did. A job asks for `rows` drawings of
`steps` canvases at a time, for some seconds. Noise is drawn beforehand.
"""

__all__ = ["bare_loop", "drawing_rate"]

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench.painting import Painter, encode, read_painters
from benchmarks.bench.procs import Worker, do_jobs


def bare_loop(painter: Painter, *, rows: int, steps: int, seconds: float) -> dict[str, float]:
    """Draws and encodes as PNG until the time is over, once at least.

    Args:
        painter: The bundle to draw with.
        rows: Drawings at a time.
        steps: Canvases of each.
        seconds: How long.

    Returns:
        `drawings`, `wall_s`, and CPU seconds: `graph_cpu_s` and `png_cpu_s`.
    """
    noise = painter.noise(rows, steps, seed=1)
    drawings, graph_s, png_s = 0, 0.0, 0.0
    began = time.perf_counter()
    while True:
        start = time.thread_time()
        canvases = list(painter.draw(noise, steps))
        drawn = time.thread_time()
        encode(canvases)
        graph_s += drawn - start
        png_s += time.thread_time() - drawn
        drawings += rows
        wall_s = time.perf_counter() - began
        if wall_s >= seconds:
            return {"drawings": drawings, "wall_s": wall_s, "graph_cpu_s": graph_s, "png_cpu_s": png_s}


def drawing_rate(workers: Sequence[Worker], job: dict[str, Any]) -> dict[str, float]:
    """Gives all workers the same job at the same time.

    Returns:
        `drawings_per_s` of all together, and CPU milliseconds a drawing: `graph_ms` and `png_ms`.
    """
    for worker in workers:
        worker.send(job)
    results = [worker.result() for worker in workers]
    drawings = sum(result["drawings"] for result in results)
    return {
        "drawings_per_s": sum(result["drawings"] / result["wall_s"] for result in results),
        "graph_ms": 1000 * sum(result["graph_cpu_s"] for result in results) / drawings,
        "png_ms": 1000 * sum(result["png_cpu_s"] for result in results) / drawings,
    }


def main() -> None:
    """Runs the worker, until its standard input ends."""
    painters = read_painters(Path(sys.argv[1]))

    def work(job: dict[str, Any]) -> dict[str, Any]:
        painter, shape = painters[job["model"]], {"rows": job["rows"], "steps": job["steps"]}
        bare_loop(painter, **shape, seconds=0)  # the first call of a new size allocates
        return bare_loop(painter, **shape, seconds=job["seconds"])

    do_jobs(work)


if __name__ == "__main__":
    main()
