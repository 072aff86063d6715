"""What a step costs: a bare loop over ONNX Runtime against the engine, alone and in a batch.

    python -m benchmarks.step_cost --model gran5-mnist

Both sides draw the same pictures with the same graphs, in this process. The engine adds planning, noise,
scheduling, stacking, splitting and the way back through the stream; no transport, no PNG.
"""

import argparse
import asyncio
import statistics
import time
from pathlib import Path

import numpy as np

from pentimento.bundle.noise import draw_noise
from pentimento.bundle.store import read_bundle
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.catalog.plan import plan_drawing
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.runtime import Runtime
from pentimento.service.messages import GenerateRequest
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings


def bare_loop(manifest, graphs, *, rows, steps):
    """Makes the graph calls of a drawing of `rows` images, and nothing else; returns the seconds."""
    noise = draw_noise(manifest.drawing, manifest.graphs, seed=1, rows=range(rows), steps=steps)
    plan = plan_drawing(manifest, graphs, steps=steps)
    tensors = dict(noise)
    started = time.perf_counter()
    for call in plan:
        feeds = {
            name: tensors[feed.tensor] if feed.index is None else tensors[feed.tensor][:, feed.index]
            for name, feed in call.feeds.items()
        }
        if call.takes_t:
            feeds["t"] = np.full(rows, call.t, dtype=np.int64)
        outputs = call.graph.run(feeds)
        tensors |= {tensor: outputs[name] for name, tensor in call.keeps.items()}
    return time.perf_counter() - started


async def through_engine(operations, name, *, rows, steps):
    """Makes the same drawing through operations and engine; returns the seconds."""
    started = time.perf_counter()
    request = GenerateRequest(model=name, n=rows, steps=steps, seed=1)
    async with await operations.generate(request) as drawing:
        async for _ in drawing:
            pass
    return time.perf_counter() - started


async def measure(arguments):
    """Measures both for several numbers of rows, and prints a table."""
    bundle = read_bundle(arguments.bundles / arguments.model)
    runtime = Runtime(provider="cpu", max_batch_rows=64)
    catalog = Catalog.load(arguments.bundles, runtime)
    graphs = catalog.get(arguments.model).graphs
    engine = Engine(LaneThreads(1), max_rows_in_flight=1024, stream_frames=4)
    engine.start()
    operations = Operations(catalog, engine, Settings())
    steps = arguments.steps or bundle.manifest.drawing.steps.default
    print(f"{arguments.model}, {steps} steps, one thread, median of {arguments.rounds} interleaved rounds\n")
    print("| rows | bare loop, ms a step | engine, ms a step | engine / bare | bare, ms a row and step |")
    print("|---:|---:|---:|---:|---:|")
    for rows in (1, 2, 8, 32, 64):
        bare, engined = [], []
        for _ in range(arguments.rounds):
            bare.append(bare_loop(bundle.manifest, graphs, rows=rows, steps=steps))
            engined.append(await through_engine(operations, arguments.model, rows=rows, steps=steps))
        b, e = statistics.median(bare) * 1000 / steps, statistics.median(engined) * 1000 / steps
        print(f"| {rows} | {b:.3f} | {e:.3f} | {e / b:.2f} | {b / rows:.3f} |")
    await engine.close()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundles", type=Path, default=Path("zoo"))
    parser.add_argument("--model", default="gran5-mnist")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--rounds", type=int, default=30)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
