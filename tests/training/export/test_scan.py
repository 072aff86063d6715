"""A row of pixels as an ONNX Scan: what the loop draws, in a graph that every runtime can read."""

import onnx
import pytest
import torch

from pentimento.models.pixels.gated_pixelcnn import GatedPixelCNN, GatedPixelCNNConfig
from pentimento.training.export.graphs import export_graph
from pentimento.training.export.parity import Session
from pentimento.training.families.likelihood.graphs import likelihood_graphs
from tests.models.pixels.small_models import noisy

SIZE = 7
CONFIGS = {
    "plain": {"layers": 2},
    "one layer": {"layers": 1},
    "wide kernel": {"layers": 3, "kernel": 5},  # windows of more than two taps
    "classes": {"layers": 2, "condition_dim": 3},  # the head's starts differ from row to row
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_scan_draws_what_the_loop_draws(name):
    torch.manual_seed(0)
    config = GatedPixelCNNConfig(height=SIZE, width=SIZE, features=5, first_kernel=5, **CONFIGS[name])
    graphs = likelihood_graphs(noisy(GatedPixelCNN(config)))
    step = export_graph(graphs["step"])
    model = onnx.load_from_string(step.data)
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node].count("Scan") == 1
    assert {opset.domain for opset in model.opset_import} == {""}, "nothing of ours is left in the graph"
    session = Session(step.data)
    for rows in (1, 5):
        generator = torch.Generator().manual_seed(rows)
        feeds = {
            key: torch.rand(rows, *example.shape[1:], generator=generator)
            for key, example in step.source.inputs.items()
        }
        feeds["t"] = torch.arange(rows) % SIZE
        feeds["known_mask"] = torch.zeros_like(feeds["known_mask"])
        expected = step.source.run(feeds)
        drawn = session.run({key: value.numpy() for key, value in feeds.items()})
        for key, value in expected.items():
            assert torch.allclose(torch.from_numpy(drawn[key]), value, atol=1e-5), key
    assert 0 < expected["canvas"].mean() < 1
