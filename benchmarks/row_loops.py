"""Three ways to draw the pixels of a row with ONNX Runtime: which one should a bundle ship?

    python -m benchmarks.row_loops zoo/pixelvae-mnist

- host loop: a graph draws one pixel, and Python calls it 28 times;
- Scan: one graph holds the pixel as the body of a Scan over the columns;
- unrolled: one graph holds all 28 pixels one after the other, which is what bundles hold.

What is above the row is given in all three. One thread, same weights, and the rows are checked to be the
same. Medians over interleaved rounds.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from benchmarks.bundled_model import FullPass, load_model
from bundle.store import read_bundle
from models.incremental import RowSampler
from training.graphs import EXAMPLE_ROWS
from training.likelihood_drawing import row_sampler
from training.parity import Session

ROUNDS = 9
ROWS = 28  # of a drawing, one after the other: the weights stay in the caches between them
BATCHES = (1, 8, 32)
BODY_INPUTS = ("first", "others", "starts", "noise")  # of a pixel: two states, two pieces of a column


class Pixel(torch.nn.Module):
    """One pixel, with the windows of the layers as states: what the unrolled graph keeps in lists."""

    def __init__(self, sampler: RowSampler) -> None:
        super().__init__()
        self.sampler = sampler
        _, *others = sampler.stack.layers
        if any(layer.taps != 2 for layer in others):
            raise ValueError("this benchmark takes kernels of 3 after the first layer")

    def forward(self, first, others, starts, noise):
        """The pixel and both states after it.

        Args:
            first: The first layer's window, shape (B, n).
            others: The other layers' last inputs, shape (B, (L - 1) C).
            starts: What the gates' products start from, shape (B, (L + 2) * 2C).
            noise: Shape (B, 1).
        """
        sampler, features = self.sampler, self.sampler.config.features
        pieces = iter(starts.split(features, dim=1))
        products = [getattr(sampler, f"product_{index}") for index in range(sampler.config.layers + 1)]
        h = sampler.gates[0](next(pieces), next(pieces), [first]) @ products[0]
        seen = []
        for index, before in enumerate(others.split(features, dim=1), start=1):
            seen.append(h)
            u = sampler.gates[index](next(pieces), next(pieces), [before, h])
            h = torch.addmm(h, u, products[index])
        for layer in sampler.head_gates:
            h = layer(next(pieces), next(pieces), [h])
        value = sampler.draw(torch.addmm(sampler.stack.outputs.bias, h, products[-1]), noise)
        return torch.cat([first[:, 1:], value], dim=1), torch.cat(seen, dim=1), value


class Row(torch.nn.Module):
    """All pixels of a row, one after the other."""

    def __init__(self, pixel: Pixel) -> None:
        super().__init__()
        self.pixel = pixel

    def forward(self, first, others, starts, noise):
        """As for a pixel, with a leading axis of columns for starts and noise."""
        values = []
        for start, u in zip(starts.unbind(0), noise.unbind(0), strict=True):
            first, others, value = self.pixel(first, others, start, u)
            values.append(value)
        return torch.stack(values)


def export(module, examples, outputs, columns_first=False):
    """ONNX with a dynamic batch, which is axis 1 of what has a leading axis of columns."""
    batch = torch.export.Dim("batch")
    axes = tuple({1 if tensor.dim() == 3 else 0: batch} for tensor in examples)
    program = torch.onnx.export(
        module,
        examples,
        dynamo=True,
        dynamic_shapes=axes,
        verbose=False,
        input_names=list(BODY_INPUTS),
        output_names=list(outputs),
    )
    return program.model_proto


def scan_model(pixel, columns):
    """A model whose only node is a Scan with the pixel's graph as its body."""
    body = pixel.graph
    outputs = [output.name for output in body.output]
    shapes = {value.name: value for value in (*body.input, *body.output)}

    def over_columns(value):
        dims = [d.dim_param or d.dim_value for d in shapes[value].type.tensor_type.shape.dim]
        return helper.make_tensor_value_info(f"all_{value}", TensorProto.FLOAT, [columns, *dims])

    scan = helper.make_node(
        "Scan",
        [*(f"start_{name}" for name in BODY_INPUTS[:2]), *(f"all_{name}" for name in BODY_INPUTS[2:])],
        ["last_first", "last_others", f"all_{outputs[2]}"],
        body=body,
        num_scan_inputs=2,
    )
    states = []
    for name in BODY_INPUTS[:2]:
        dims = [d.dim_param or d.dim_value for d in shapes[name].type.tensor_type.shape.dim]
        states.append(helper.make_tensor_value_info(f"start_{name}", TensorProto.FLOAT, dims))
    graph = helper.make_graph(
        [scan],
        "row",
        [*states, *(over_columns(name) for name in BODY_INPUTS[2:])],
        [over_columns(outputs[2])],
    )
    model = helper.make_model(graph, opset_imports=pixel.opset_import, ir_version=pixel.ir_version)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", default=Path("zoo/pixelvae-mnist"))
    bundle = read_bundle(parser.parse_args().bundle)
    sampler = row_sampler(FullPass(load_model(bundle)).pixels)
    config, first = sampler.config, sampler.stack.layers[0]
    columns, pieces = config.width, 2 * (config.layers + len(sampler.head_gates))

    def inputs(rows, generator):
        return {
            "first": np.zeros((rows, first.taps), np.float32),
            "others": np.zeros((rows, (config.layers - 1) * config.features), np.float32),
            "starts": generator.normal(size=(columns, rows, pieces * config.features)).astype(np.float32),
            "noise": generator.uniform(size=(columns, rows, 1)).astype(np.float32),
        }

    generator = np.random.default_rng(1)
    example = {name: torch.from_numpy(value) for name, value in inputs(EXAMPLE_ROWS, generator).items()}
    row = tuple(example.values())
    pixel = Pixel(sampler).eval()
    pixel_model = export(pixel, (*row[:2], row[2][0], row[3][0]), ("next_first", "next_others", "value"))
    unrolled = Session(export(Row(pixel).eval(), row, ("values",)).SerializeToString())
    host = Session(pixel_model.SerializeToString())
    scan = Session(scan_model(pixel_model, columns))

    def host_loop(feeds):
        state, values = dict(feeds), []
        for column in range(columns):
            out = host.run(state | {"starts": feeds["starts"][column], "noise": feeds["noise"][column]})
            state |= {"first": out["next_first"], "others": out["next_others"]}
            values.append(out["value"])
        return np.stack(values)

    def scanned(feeds):
        names = {
            "first": "start_first",
            "others": "start_others",
            "starts": "all_starts",
            "noise": "all_noise",
        }
        return scan.run({names[name]: value for name, value in feeds.items()})["all_value"]

    ways = {
        "host loop": host_loop,
        "Scan": scanned,
        "unrolled": lambda feeds: unrolled.run(feeds)["values"],
    }
    print("| batch | way | us a row | against unrolled |\n|---|---|---|---|")
    for rows in BATCHES:
        feeds = inputs(rows, generator)
        drawn = [way(feeds) for way in ways.values()]
        assert all(np.array_equal(drawn[0], other) for other in drawn), "the rows differ"
        times = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                started = time.perf_counter()
                for _ in range(ROWS):
                    way(feeds)
                times[name].append((time.perf_counter() - started) / ROWS)
        for name, values in times.items():
            ratio = statistics.median(a / b for a, b in zip(values, times["unrolled"], strict=True))
            print(f"| {rows} | {name} | {1e6 * statistics.median(values):.0f} | {ratio:.2f}x |")


if __name__ == "__main__":
    main()
