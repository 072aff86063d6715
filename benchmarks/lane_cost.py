"""What a lane does besides the graph calls: deciding, putting rows together, taking them apart, telling.

    python -m benchmarks.lane_cost --model pixelvae-mnist --rows 16

Everything but ONNX Runtime is the lane's own: graphs give back at once what they gave before. CPU time of one
thread, the best of some rounds, as anything else that runs can only add to it.
"""

import argparse
import time
from pathlib import Path

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.job import Job
from pentimento.service.engine.lane.lane import Handed, make
from pentimento.service.engine.lane.wire import Report, encode
from pentimento.service.engine.rows import Rows
from pentimento.service.engine.runtime import OnnxGraph, Runtime
from pentimento.service.engine.scheduler import Scheduler
from pentimento.service.operations.inputs import drawing_noise, nothing_known


def remember(graph: OnnxGraph) -> None:
    """Makes a graph compute once for each number of rows, and return copies of that from then on."""
    call, outputs = graph.run, {}

    def run(feeds):
        rows = len(next(iter(feeds.values())))
        if rows not in outputs:
            outputs[rows] = call(feeds)
        return {name: values.copy() for name, values in outputs[rows].items()}

    graph.run = run


def draw(plan, tensors, rows: int) -> None:
    """Does a lane's work for `rows` drawings of one row each, from admission to the report of the last."""
    scheduler = Scheduler()
    for id in range(rows):
        own = {name: Rows.of(values) for name, values in tensors.items()}
        job = Job(id=id, rows=1, plan=plan, tensors=own, deadline=1e18, room=1, whole=True)
        scheduler.add(job)
    while (batch := scheduler.next_batch()) is not None:
        results = make(batch, None)
        scheduler.done(batch)
        deliveries = [each for part, outputs in results for each in scheduler.advance(part, outputs, 0.0)]
        if deliveries:
            encode(Report.of([Handed.of(delivery) for delivery in deliveries]))


def main() -> None:
    """Measures and prints the CPU time of a drawing besides its graphs."""
    parser = argparse.ArgumentParser(description="What a lane does besides the graph calls.")
    parser.add_argument("--bundles", type=Path, default=Path("zoo"))
    parser.add_argument("--model", default="gran5-mnist")
    parser.add_argument("--rows", type=int, default=16, help="drawings that go on together")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    catalog = Catalog.load(arguments.bundles, Runtime(provider="cpu", max_batch_rows=arguments.rows))
    model = catalog.get(arguments.model)
    for graph in model.graphs.values():
        remember(graph)
    steps = model.manifest.drawing.steps.default
    plan = model.plan(steps)
    tensors = nothing_known(model.manifest, 1) | drawing_noise(model.manifest, 1, steps)(range(1))
    best = float("inf")
    for _ in range(arguments.rounds):
        started = time.thread_time()
        for _ in range(10):
            draw(plan, tensors, arguments.rows)
        best = min(best, (time.thread_time() - started) / 10 / arguments.rows)
    print(
        f"{arguments.model}, {arguments.rows} together: {best * 1e6:.0f} us a drawing besides the graphs, "
        f"{best * 1e6 / len(plan):.1f} us for each of its {len(plan)} calls"
    )


if __name__ == "__main__":
    main()
