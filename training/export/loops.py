"""Exports loops as ONNX Scan instead of unrolled: a placeholder is left in the graph, and replaced.

The exporter's own Scan cannot carry a batch of any size yet. So a loop leaves an operation of no meaning in
the graph, and its body, exported by itself, becomes the body of a Scan that takes that operation's place.
"""

__all__ = ["DOMAIN", "Loop", "insert_loop", "repeat", "replace_by_scan", "take_over"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    import onnx_ir

DOMAIN = "pentimento"  # of placeholders


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """A body that is called again and again: on its states, a row of numbers that differs, and constants."""

    body: nn.Module  # forward(*tensors): states, a row of numbers, constants -> states
    states: tuple[Tensor, ...]  # examples, whose batch is the graph's
    each: Tensor  # the numbers of each call, shape (calls, R)
    constants: tuple[Tensor, ...] = ()  # examples, likewise; the same for all calls


def repeat(loop: Loop, states: tuple[Tensor, ...], *constants: Tensor) -> tuple[Tensor, ...]:
    """Calls a loop's body once for each row of its numbers; in an export it leaves a placeholder instead.

    Args:
        loop: Body and numbers.
        states: At the beginning, shape (B, ...) each.
        constants: Shape (B, ...) each.

    Returns:
        The states after the last call.
    """
    if torch.compiler.is_exporting():
        given = [*states, loop.each, *constants]
        shapes = [(states[0].shape[0], *example.shape[1:]) for example in loop.states]
        return tuple(
            torch.onnx.ops.symbolic_multi_out(
                f"{DOMAIN}::Repeat", given, dtypes=[state.dtype for state in states], shapes=shapes, version=1
            )
        )
    for row in loop.each:
        result = loop.body(*states, row, *constants)
        states = result if isinstance(result, tuple) else (result,)
    return states


def insert_loop(model: "onnx_ir.Model", loop: Loop) -> None:
    """Replaces the placeholder that `repeat` left in an exported graph by a Scan over the loop's body."""
    (node,) = [node for node in model.graph if node.domain == DOMAIN]
    examples = [*loop.states, loop.each[0], *loop.constants]
    count = len(loop.states)
    axes = [True] * count + [False] + [True] * len(loop.constants)
    scan = replace_by_scan(model, node, loop.body, examples, axes, states=count, scanned=1)
    take_over(model, node, scan, scan.outputs)


def replace_by_scan(
    model: "onnx_ir.Model",
    node: "onnx_ir.Node",
    body: nn.Module,
    examples: Sequence[Tensor],
    batched: Sequence[bool],
    *,
    states: int,
    scanned: int,
) -> "onnx_ir.Node":
    """Puts a Scan before a placeholder.

    Args:
        model: The exported graph, changed in place.
        node: The placeholder; its inputs are those of the body, with what is scanned in one piece.
        body: What is repeated: of states, scanned slices and constants.
        examples: Inputs of the body.
        batched: Whether the first axis of each is the batch.
        states: How many of the inputs, and of the body's first outputs, are states.
        scanned: How many of the inputs after these are scanned over.

    Returns:
        The Scan: the states after it, then what each call put out besides.
    """
    import onnx_ir  # brings sympy, half a second that every command of the training would wait for

    batch = torch.export.Dim("batch")
    axes = tuple({0: batch} if each else None for each in batched)
    # Copies, as two inputs that are one tensor would be taken for one.
    inputs = tuple(example.detach().clone() for example in examples)
    program = torch.onnx.export(body.eval(), inputs, dynamo=True, dynamic_shapes=(axes,), verbose=False)
    assert program is not None
    inner, given = program.model.graph, list(node.inputs)
    # Names of a body share the outer graph's scope.
    for value in {*inner.initializers.values(), *inner.inputs, *(v for n in inner for v in n.outputs)}:
        value.name = f"body.{value.name}"
    # What is the same for all calls is not scanned: the body reads it from outside.
    for own, outer in zip(list(inner.inputs)[states + scanned :], given[states + scanned :], strict=True):
        onnx_ir.convenience.replace_all_uses_with(own, outer)
    del inner.inputs[states + scanned :]
    scan = onnx_ir.node(
        "Scan",
        given[: states + scanned],
        {"body": onnx_ir.AttrGraph("body", inner), "num_scan_inputs": scanned},
        num_outputs=len(inner.outputs),
    )
    model.graph.insert_before(node, scan)
    return scan


def take_over(
    model: "onnx_ir.Model",
    node: "onnx_ir.Node",
    scan: "onnx_ir.Node",
    outputs: "Sequence[onnx_ir.Value]",
) -> None:
    """Gives the uses of a placeholder's outputs to those of its Scan, and takes the placeholder out."""
    import onnx_ir

    for old, new in zip(node.outputs, outputs, strict=True):
        new.shape, new.type = old.shape, old.type
        if old.is_graph_output():
            old.name, new.name = None, old.name
        onnx_ir.convenience.replace_all_uses_with(old, new, replace_graph_outputs=True)
    model.graph.remove(node)
    model.opset_imports.pop(DOMAIN, None)
