"""Weights in half precision in the file: half as large, and the same numbers in memory.

A family rounds its weights to what half precision holds (`round_weights`), before anything is measured. Then
`store_half` keeps them in the file as they are, followed by a Cast that ONNX Runtime works out once, when it
loads the graph: it computes in single precision as before, and nothing is rounded in silence.
"""

__all__ = ["round_weights", "store_half"]

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    import onnx_ir

_LEAST = 1024  # numbers of a tensor; smaller ones are not worth an operation


def round_weights(module: nn.Module) -> None:
    """Rounds weights of 1,024 numbers or more to the nearest that half precision holds, in place.

    Raises:
        ValueError: A weight is beyond half precision's range, about 65,504.
    """
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if weight.numel() >= _LEAST:
                rounded = weight.half().float()
                if not torch.isfinite(rounded).all():
                    raise ValueError(f"weight {name} has a number that half precision does not hold")
                weight.copy_(rounded)


def store_half(model: "onnx_ir.Model") -> None:
    """Keeps in half precision what it holds exactly, of a graph and of bodies within it; changed in place."""
    import onnx_ir

    for graph in [model.graph, *_bodies(model.graph)]:
        for value in list(graph.initializers.values()):
            tensor = value.const_value
            if tensor is None or tensor.dtype != onnx_ir.DataType.FLOAT or tensor.size < _LEAST:
                continue
            single = tensor.numpy()
            half = single.astype(np.float16)
            if not np.array_equal(half.astype(np.float32), single):
                continue
            name = value.name
            kept = onnx_ir.Value(name=f"{name}.half", const_value=onnx_ir.tensor(half, name=f"{name}.half"))
            kept.shape, kept.type = value.shape, onnx_ir.TensorType(onnx_ir.DataType.FLOAT16)
            cast = onnx_ir.node("Cast", [kept], {"to": onnx_ir.DataType.FLOAT.value})
            (single_again,) = cast.outputs
            single_again.shape, single_again.type = value.shape, value.type
            onnx_ir.convenience.replace_all_uses_with(value, single_again)
            graph.initializers.pop(name)
            single_again.name = name
            graph.register_initializer(kept)
            graph.insert_before(graph[0], cast)


def _bodies(graph: "onnx_ir.Graph") -> "list[onnx_ir.Graph]":
    import onnx_ir

    found = []
    for node in graph:
        for attribute in node.attributes.values():
            if attribute.type == onnx_ir.AttributeType.GRAPH:
                found += [attribute.value, *_bodies(attribute.value)]
    return found
