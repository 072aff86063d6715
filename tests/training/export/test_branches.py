"""Work that only some batches need: an If that shares weights, and computes what torch does."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from pentimento.training.export.branches import Branch, evaluate_if
from pentimento.training.export.graphs import EXAMPLE_ROWS, Function, GraphModule, export_graph


@pytest.fixture(scope="module")
def exported():
    """A layer that is asked again, of what it said, where a number of the batch is above 0."""
    torch.manual_seed(0)
    layer = nn.Linear(40, 40)

    def again(x):
        return torch.tanh(layer(x))

    def whole(x, more):
        once = torch.tanh(layer(x))
        twice = evaluate_if((more > 0).any(), again, (once,), once)
        return torch.where(more[:, None] > 0, twice, once), more * 2

    x, more = torch.zeros(EXAMPLE_ROWS, 40), torch.zeros(EXAMPLE_ROWS)
    branch = Branch(body=Function(layer, lambda x: (again(x),)), given=(x,))
    return export_graph(
        GraphModule(
            module=Function(layer, whole),
            inputs={"x": x, "more": more},
            outputs=("y", "doubled"),
            branch=branch,
        )
    )


@pytest.mark.parametrize("more", [[0.0], [1.0], [0.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
def test_a_branch_computes_what_torch_does(exported, more):
    feeds = {"x": torch.randn(len(more), 40), "more": torch.tensor(more)}
    session = onnxruntime.InferenceSession(exported.data)
    found = session.run(["y", "doubled"], {name: value.numpy() for name, value in feeds.items()})
    for name, value in zip(("y", "doubled"), found, strict=True):
        assert np.allclose(value, exported.source.run(feeds)[name], atol=1e-6), name


def test_rows_that_do_not_need_it_are_the_same_to_the_last_bit(exported):
    session = onnxruntime.InferenceSession(exported.data)
    x = np.random.default_rng(0).normal(size=(3, 40)).astype(np.float32)
    without = session.run(["y"], {"x": x, "more": np.zeros(3, np.float32)})[0]
    beside = session.run(["y"], {"x": x, "more": np.array([0, 1, 0], np.float32)})[0]
    assert without[[0, 2]].tobytes() == beside[[0, 2]].tobytes() and (without[1] != beside[1]).any()


def test_the_weights_stand_once_in_the_file(exported):
    model = onnx.load_from_string(exported.data)
    onnx.checker.check_model(model, full_check=True)
    (chosen,) = [node for node in model.graph.node if node.op_type == "If"]
    branches = {attribute.name: attribute.g for attribute in chosen.attribute}
    assert not any(np.prod(weight.dims) > 1 for weight in branches["then_branch"].initializer)
    assert len(exported.data) < 1.5 * 40 * 40 * 4
