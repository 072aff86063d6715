"""Weights that several graphs have are in one file; what the graphs compute stays the same."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule, export_graph
from pentimento.training.export.half import round_weights
from pentimento.training.export.loops import Loop, repeat
from pentimento.training.export.parity import Session
from pentimento.training.export.shared_weights import WEIGHTS, export_graphs, load_whole

ROWS = 3


def sources(*, half):
    """Three graphs: one calls a network, one calls it in a loop, one has nothing of it."""
    torch.manual_seed(0)
    network, own = nn.Conv2d(32, 32, 3, padding=1), nn.Linear(32, 64)
    if half:
        round_weights(network)
    x = torch.zeros(EXAMPLE_ROWS, 32, 4, 4)
    loop = Loop(
        body=Function(network, lambda x, part: (network(x) * part,)), states=(x,), each=torch.ones(4, 1)
    )
    looped = Function(network, lambda x: repeat(loop, (x * 1.0,)))
    return {
        "step": GraphModule(
            module=Function(network, lambda x: (network(x),)), inputs={"x": x}, outputs=("y",)
        ),
        "encode": GraphModule(module=looped, inputs={"x": x}, outputs=("y",), loop=loop),
        "score": GraphModule(
            module=Function(own, lambda x: (own(x.mean((2, 3))),)), inputs={"x": x}, outputs=("y",)
        ),
    }


@pytest.mark.parametrize("half", [True, False])
def test_graphs_compute_what_they_did(half, tmp_path):
    modules = sources(half=half)
    graphs = export_graphs(modules)
    x = np.random.default_rng(0).normal(size=(ROWS, 32, 4, 4)).astype(np.float32)
    for name, graph in graphs.items():
        alone = export_graph(modules[name])
        (found,) = Session(graph.data, graph.weights).run({"x": x}).values()
        (wanted,) = Session(alone.data).run({"x": x}).values()
        assert np.allclose(found, wanted, rtol=1e-5, atol=1e-6), name
        (tmp_path / f"{name}.onnx").write_bytes(graph.data)
        for file, data in graph.weights.items():
            (tmp_path / file).write_bytes(data)
    # Whoever reads ONNX finds them beside the graph.
    for name, graph in graphs.items():
        onnx.checker.check_model(tmp_path / f"{name}.onnx", full_check=True)
        (found,) = onnxruntime.InferenceSession(tmp_path / f"{name}.onnx").run(None, {"x": x})
        (wanted,) = Session(graph.data, graph.weights).run({"x": x}).values()
        assert np.array_equal(found, wanted)


def test_what_is_shared_is_there_once():
    graphs = export_graphs(sources(half=True))
    weights = graphs["step"].weights[WEIGHTS]
    assert len(weights) == 32 * 32 * 9 * 2  # half precision
    assert len(graphs["step"].data) < 4000 and len(graphs["encode"].data) < 12_000
    assert graphs["step"].weights == graphs["encode"].weights
    assert graphs["score"].weights == {} and len(graphs["score"].data) > 32 * 64 * 4, (
        "nobody else has its own"
    )


def test_a_graph_can_be_read_whole():
    (graph, *_) = export_graphs(sources(half=True)).values()
    data = load_whole(graph.data, graph.weights).SerializeToString()
    x = np.ones((ROWS, 32, 4, 4), np.float32)
    (found,) = Session(data).run({"x": x}).values()
    (wanted,) = Session(graph.data, graph.weights).run({"x": x}).values()
    assert np.array_equal(found, wanted)
