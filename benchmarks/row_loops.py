"""Three ways to draw the pixels of a row with ONNX Runtime: which one should a bundle ship?

    python -m benchmarks.row_loops zoo/pixelvae-mnist

- host loop: a graph draws one pixel, and Python calls it 28 times;
- unrolled: one graph holds all 28 pixels one after the other;
- Scan: one graph holds the pixel as the body of a Scan over the columns, which is what bundles hold.

What is above the row is given in all three. One thread, same weights, and the rows are checked to be the
same. Warm: 28 rows one after the other. Cold: something else fills the core's cache before each row, as
another model on the same server does. Medians over interleaved rounds, and the range of the ratios.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.bundled_model import FullPass, load_model
from pentimento.bundle.store import read_bundle
from pentimento.models.pixels.pixel_step import loop_over_columns
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule, export_graph
from pentimento.training.export.parity import Session
from pentimento.training.export.scan import columns_as_scan
from pentimento.training.families.likelihood.drawing import row_sampler

ROUNDS = 9
ROWS = 28
BATCHES = (1, 8, 32)
CACHE_VALUES = 2**21  # 8 MiB, more than a core's own cache


class Ways:
    """Three ONNX sessions that draw the same row of pixels, each in its way.

    Attributes:
        sizes: Bytes of the graph, and seconds to load it, of unrolled, Scan and pixel.
    """

    def __init__(self, pixel):
        config = pixel.config
        self.columns, self.windows = config.width, [f"window{index}" for index in range(config.layers)]
        self.widths = [
            taps * (config.features if index else config.inputs) - (config.features if index else 0)
            for index, taps in enumerate(pixel.taps)
        ]
        self.start_width, self.features = config.layers * 2 * config.features, config.features
        self.sizes = []  # (bytes, seconds to load) of unrolled, Scan, pixel
        example = {k: torch.from_numpy(v) for k, v in self.inputs(EXAMPLE_ROWS).items()}
        row_inputs = {name: value for name, value in example.items()}

        def row(loop):
            def function(starts, noise, *rest):
                windows, head = rest[: config.layers], rest[config.layers :]
                values = loop(pixel, windows, starts.transpose(0, 1), noise.transpose(0, 1), head)
                return (values.transpose(0, 1),)

            return Function(pixel, function)

        def one(start, noise, *rest):
            after, value = pixel(rest[: config.layers], start, noise, rest[config.layers :])
            return (*after, value)

        def session(module, inputs, outputs, scanned=None):
            graph = GraphModule(module=module, inputs=inputs, outputs=outputs, pixel=scanned)
            data = export_graph(graph).data
            started = time.perf_counter()
            loaded = Session(data)
            self.sizes.append((len(data), time.perf_counter() - started))
            return loaded

        self.unrolled = session(row(loop_over_columns), row_inputs, ("values",))
        self.scan = session(row(columns_as_scan), row_inputs, ("values",), pixel)
        first = row_inputs | {"starts": example["starts"][:, 0], "noise": example["noise"][:, 0]}
        self.pixel = session(Function(pixel, one), first, (*(f"next_{w}" for w in self.windows), "value"))

    def inputs(self, rows):
        """Seeded random inputs of a row for a batch of `rows`, by name."""
        generator = np.random.default_rng(rows)
        given = {
            "starts": generator.normal(size=(rows, self.columns, self.start_width)),
            "noise": generator.uniform(size=(rows, self.columns, 1)),
        }
        given |= {
            name: np.zeros((rows, width)) for name, width in zip(self.windows, self.widths, strict=True)
        }
        given |= {f"head{i}": generator.normal(size=(rows, self.features)) for i in range(4)}
        return {name: value.astype(np.float32) for name, value in given.items()}

    def host_loop(self, feeds):
        """Draws a row by calling the graph of one pixel for each column; shape (rows, columns, 1)."""
        state, values = dict(feeds), []
        for column in range(self.columns):
            here = {"starts": feeds["starts"][:, column], "noise": feeds["noise"][:, column]}
            out = self.pixel.run(state | here)
            state |= {name: out[f"next_{name}"] for name in self.windows}
            values.append(out["value"])
        return np.stack(values, axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", default=Path("zoo/pixelvae-mnist"))
    bundle = read_bundle(parser.parse_args().bundle)
    ways = Ways(row_sampler(FullPass(load_model(bundle)).pixels).pixel)
    calls = {
        "host loop": ways.host_loop,
        "unrolled": lambda feeds: ways.unrolled.run(feeds)["values"],
        "Scan": lambda feeds: ways.scan.run(feeds)["values"],
    }
    for name, (size, seconds) in zip(("unrolled", "Scan", "pixel"), ways.sizes, strict=True):
        print(f"{name}: {size / 1e3:.0f} kB, loaded in {1000 * seconds:.0f} ms")
    other = np.zeros(CACHE_VALUES, np.float32)
    print("| batch | caches | way | us a row | Scan is faster |\n|---|---|---|---|---|")
    for rows in BATCHES:
        feeds = ways.inputs(rows)
        drawn = [call(feeds) for call in calls.values()]
        assert all(np.array_equal(drawn[0], values) for values in drawn), "the rows differ"
        for caches in ("warm", "cold"):
            times = {name: [] for name in calls}
            for _ in range(ROUNDS):
                for name, call in calls.items():
                    each = []
                    for _ in range(ROWS):
                        if caches == "cold":
                            other += 1
                        started = time.perf_counter()
                        call(feeds)
                        each.append(time.perf_counter() - started)
                    times[name].append(statistics.median(each))
            for name, values in times.items():
                ratios = [a / b for a, b in zip(values, times["Scan"], strict=True)]
                print(
                    f"| {rows} | {caches} | {name} | {1e6 * statistics.median(values):.0f} | "
                    f"{statistics.median(ratios):.2f}x [{min(ratios):.2f}..{max(ratios):.2f}] |"
                )


if __name__ == "__main__":
    main()
