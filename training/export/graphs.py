"""Exports networks as ONNX graphs.

Graphs hold no random operation and no state: noise and the recurrent state come in as inputs. Only the batch
axis is dynamic.
"""

__all__ = ["EXAMPLE_ROWS", "ExportedGraph", "Function", "GraphModule", "export_graph"]

import functools
import io
import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pentimento.training.export.branches import Branch, insert_branch
from pentimento.training.export.half import store_half
from pentimento.training.export.loops import Loop, insert_loop
from pentimento.training.export.scan import AnyPixelStep, insert_scan

if TYPE_CHECKING:
    import onnx_ir

# Batch 1 would be taken for a constant by the exporter.
EXAMPLE_ROWS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphModule:
    """A graph before its export: a torch module with named input and output tensors."""

    module: nn.Module
    inputs: dict[str, Tensor]  # examples by name, in the order of the module's arguments
    outputs: tuple[str, ...]
    pixel: AnyPixelStep | None = None  # one pixel of a graph that draws a row; see training.export.scan
    branch: Branch | None = None  # what a graph computes only where it must; see training.export.branches
    loop: Loop | None = None  # what a graph repeats; see training.export.loops

    @torch.no_grad()
    def run(self, feeds: dict[str, Tensor]) -> dict[str, Tensor]:
        """Computes the outputs in torch, by name; `feeds` may hold more than the inputs."""
        results = self.module(*(feeds[name] for name in self.inputs))
        values = results if isinstance(results, tuple) else (results,)
        # Detached: a state that is a parameter, seen as a row for each drawing, still asks for gradients.
        return dict(zip(self.outputs, (value.detach() for value in values), strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedGraph:
    """A graph as serialised ONNX, with the torch module that it must agree with."""

    source: GraphModule
    data: bytes
    weights: Mapping[str, bytes] = field(default_factory=dict)  # contents of what it points at, by file


class Function(nn.Module):
    """Makes a module of a function that uses a network, so that it is exported with the network's weights."""

    def __init__(self, network: nn.Module, function: Callable[..., tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.network = network
        self._function = function

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Calls the function with the tensors."""
        return self._function(*tensors)


def export_graph(source: GraphModule) -> ExportedGraph:
    """Exports a graph to ONNX, with its weights inside the one file; the module is left in inference mode."""
    _keep_operators()
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns about torchvision, which is not used
    try:
        with warnings.catch_warnings():
            # Of the exporter about its own parts and about axes that share a name, as ours must.
            warnings.filterwarnings("ignore", message=".*LeafSpec.*", category=FutureWarning)
            warnings.filterwarnings("ignore", message=".*axis name: batch.*", category=UserWarning)
            program = torch.onnx.export(
                source.module.eval(),
                # Copies, as two inputs that are one tensor, such as two zero states, would be taken for one.
                tuple(value.detach().clone() for value in source.inputs.values()),
                dynamo=True,
                dynamic_shapes=_batch_axes(source),
                input_names=list(source.inputs),
                output_names=list(source.outputs),
                verbose=False,
            )
            assert program is not None
            if source.pixel is not None:
                insert_scan(program.model, source.pixel, EXAMPLE_ROWS)
            if source.branch is not None:
                insert_branch(program.model, source.branch)
            if source.loop is not None:
                insert_loop(program.model, source.loop)
    finally:
        logger.setLevel(level)
    store_half(program.model)
    _forget_origins(program.model)
    stream = io.BytesIO()
    program.save(stream)
    return ExportedGraph(source=source, data=stream.getvalue())


@functools.cache
def _keep_operators() -> None:
    """Lets the exporter build its table of operators once a process.

    It builds the same one anew for every graph, as long as all else takes for a small one: measured, 1.2 s of
    2.9 s of a processor. That is within torch, and no argument of its functions lets a caller keep the table.
    """
    from torch.onnx._internal.exporter import _registration

    table = _registration.ONNXRegistry
    table.from_torchlib = staticmethod(functools.cache(table.from_torchlib))  # type: ignore[method-assign, assignment]


def _forget_origins(model: "onnx_ir.Model") -> None:
    """Takes out where each operation came from: lines of source with the paths of the exporting machine.

    They can be as large as the weights, and tell whoever gets the bundle how its maker's folders are called.
    """
    for node in model.graph.all_nodes():
        for part in (node, *node.outputs):
            part.metadata_props.clear()
            part.doc_string = None
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    model.graph.metadata_props.clear()
    model.metadata_props.clear()
    model.graph.doc_string = model.doc_string = None


def _batch_axes(source: GraphModule) -> object:
    batch = torch.export.Dim("batch")
    axes = tuple({0: batch} for _ in source.inputs)
    # Arguments that arrive through *tensors form one nested entry.
    return (axes,) if isinstance(source.module, Function) else axes
