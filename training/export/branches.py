"""Exports work that is done only where a batch needs it, as an ONNX If.

As with loops (`loops.py`), a placeholder is left in the graph; what it stands for is exported by itself and
becomes a branch, which shares the weights of the graph around it.
"""

__all__ = ["Branch", "evaluate_if", "insert_branch"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from pentimento.training.export.loops import DOMAIN, take_over

if TYPE_CHECKING:
    import onnx_ir


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """What is computed where a condition holds."""

    body: nn.Module  # forward(*tensors) -> a tensor
    given: tuple[Tensor, ...]  # examples of its inputs, whose first axis is the batch


def evaluate_if(
    condition: Tensor, function: Callable[..., Tensor], given: tuple[Tensor, ...], otherwise: Tensor
) -> Tensor:
    """`function(*given)` if a condition holds, else `otherwise`; in an export it leaves a placeholder.

    Args:
        condition: A boolean without axes.
        function: Computes a tensor of the shape and type of `otherwise`.
        given: What it takes.
        otherwise: The result where the condition does not hold.
    """
    if torch.compiler.is_exporting():
        return torch.onnx.ops.symbolic(
            f"{DOMAIN}::If",
            [condition, otherwise, *given],
            dtype=otherwise.dtype,
            shape=otherwise.shape,
            version=1,
        )
    return function(*given) if bool(condition) else otherwise


def insert_branch(model: "onnx_ir.Model", branch: Branch) -> None:
    """Replaces the placeholder that `evaluate_if` left in an exported graph by an If, changed in place."""
    import onnx_ir

    (node,) = [node for node in model.graph if node.domain == DOMAIN]
    condition, otherwise, *given = node.inputs
    assert otherwise is not None
    batch = torch.export.Dim("batch")
    examples = tuple(example.detach().clone() for example in branch.given)
    program = torch.onnx.export(
        branch.body.eval(),
        examples,
        dynamo=True,
        dynamic_shapes=(tuple({0: batch} for _ in examples),),
        verbose=False,
    )
    assert program is not None
    body = program.model.graph
    for value in {*body.initializers.values(), *body.inputs, *(v for n in body for v in n.outputs)}:
        value.name = f"branch.{value.name}"
    for own, outer in zip(list(body.inputs), given, strict=True):
        assert outer is not None
        onnx_ir.convenience.replace_all_uses_with(own, outer)
    del body.inputs[:]
    _share_weights(model.graph, body)
    same = onnx_ir.node("Identity", [otherwise])
    same.outputs[0].name = "branch.otherwise"
    same.outputs[0].shape, same.outputs[0].type = otherwise.shape, otherwise.type
    other = onnx_ir.Graph(
        [], [same.outputs[0]], nodes=[same], name="otherwise", opset_imports=dict(model.graph.opset_imports)
    )
    body.name = "evaluated"
    chosen = onnx_ir.node(
        "If",
        [condition],
        {
            "then_branch": onnx_ir.AttrGraph("then_branch", body),
            "else_branch": onnx_ir.AttrGraph("else_branch", other),
        },
    )
    model.graph.insert_before(node, chosen)
    take_over(model, node, chosen, chosen.outputs)


def _share_weights(around: "onnx_ir.Graph", body: "onnx_ir.Graph") -> None:
    """Lets a branch use the weights of the graph around it where it has the same."""
    import onnx_ir

    def key(value: "onnx_ir.Value") -> tuple[object, ...] | None:
        tensor = value.const_value
        if tensor is None:
            return None
        array = np.ascontiguousarray(tensor.numpy())
        return (array.shape, array.dtype.str, array.tobytes())

    known = {key(value): value for value in around.initializers.values()}
    for name, value in list(body.initializers.items()):
        found = known.get(key(value))
        if found is not None:
            onnx_ir.convenience.replace_all_uses_with(value, found)
            body.initializers.pop(name)
