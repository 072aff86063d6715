"""A loop that is exported as an ONNX Scan computes what it does in torch, for a batch of any size."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule, export_graph
from pentimento.training.export.loops import Loop, repeat


def growing():
    """x, a sum <- body(x, sum, (time, size), label): a loop with weights, constants and a batch."""
    torch.manual_seed(0)
    network, classes = nn.Conv2d(1, 1, 3, padding=1), nn.Embedding(5, 1)
    nets = nn.ModuleList([network, classes])

    def body(x, total, part, weight, label):
        time, size = part.unbind()
        moved = network(x) * time * weight + classes(label)[:, :, None, None]
        return x + size * moved, total + size * moved.sum((1, 2, 3))

    x, label = torch.zeros(EXAMPLE_ROWS, 1, 4, 4), torch.ones(EXAMPLE_ROWS, dtype=torch.int64)
    each = torch.tensor([[1.0, 0.1], [0.9, 0.4], [0.5, 0.5]])
    states = (x, torch.zeros(EXAMPLE_ROWS))  # x is an example twice, as a caller may have it
    loop = Loop(body=Function(nets, body), states=states, each=each, constants=(x, label))

    def whole(image, label):
        start = 2 * image - 1
        found, total = repeat(loop, (start, torch.zeros_like(image[:, 0, 0, 0])), image, label)
        return found * 1.0, total + found.mean((1, 2, 3))

    return GraphModule(
        module=Function(nets, whole),
        inputs={"image": x, "label": label},
        outputs=("found", "total"),
        loop=loop,
    )


@pytest.fixture(scope="module")
def exported():
    return export_graph(growing())


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_loop_is_what_it_is_in_torch(exported, rows):
    source = exported.source
    session = onnxruntime.InferenceSession(exported.data)
    feeds = {"image": torch.rand(rows, 1, 4, 4), "label": torch.arange(rows) % 5}
    wanted = source.run(feeds)
    found = session.run(["found", "total"], {name: value.numpy() for name, value in feeds.items()})
    for name, value in zip(("found", "total"), found, strict=True):
        assert np.allclose(value, wanted[name], atol=1e-5), name


def test_the_body_stands_once_in_the_file(exported):
    model = onnx.load_from_string(exported.data)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Scan") == 1 and "Conv" not in kinds
    assert all(node.domain == "" for node in model.graph.node)
