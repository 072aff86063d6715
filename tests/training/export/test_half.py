"""Weights that half precision holds are kept so, and a graph computes with them what it did."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule, export_graph
from pentimento.training.export.half import round_weights
from pentimento.training.export.loops import Loop, repeat


def looped(rounds):
    """A layer of its own, then a loop over another one."""
    torch.manual_seed(0)
    nets = nn.ModuleList([nn.Linear(40, 40), nn.Linear(40, 40)])
    if rounds:
        round_weights(nets)
    x = torch.zeros(EXAMPLE_ROWS, 40)

    def body(x, part):
        return (torch.tanh(nets[1](x)) * part[0],)

    loop = Loop(body=Function(nets, body), states=(x,), each=torch.tensor([[1.0], [0.5]]))

    def whole(x):
        return repeat(loop, (nets[0](x),))

    return export_graph(GraphModule(module=Function(nets, whole), inputs={"x": x}, outputs=("y",), loop=loop))


@pytest.fixture(scope="module")
def exported():
    return {rounds: looped(rounds) for rounds in (False, True)}


def test_rounded_weights_take_half_the_room_and_compute_the_same(exported):
    graph = exported[True]
    assert len(graph.data) < 0.6 * len(exported[False].data)
    onnx.checker.check_model(onnx.load_from_string(graph.data), full_check=True)
    x = torch.randn(3, 40)
    (found,) = onnxruntime.InferenceSession(graph.data).run(["y"], {"x": x.numpy()})
    assert np.allclose(found, graph.source.run({"x": x})["y"], atol=1e-6)


def test_what_half_precision_does_not_hold_stays_as_it_is(exported):
    model = onnx.load_from_string(exported[False].data)
    assert not any(node.op_type == "Cast" for node in model.graph.node)


def test_only_large_weights_are_rounded_and_what_overflows_is_refused():
    torch.manual_seed(1)
    layer = nn.Linear(40, 40)
    before = {name: weight.clone() for name, weight in layer.named_parameters()}
    round_weights(layer)
    assert torch.equal(layer.bias, before["bias"])
    assert torch.equal(layer.weight, before["weight"].half().float())
    with torch.no_grad():
        layer.weight[0, 0] = 1e5
    with pytest.raises(ValueError, match="weight weight has a number that half precision does not hold"):
        round_weights(layer)
