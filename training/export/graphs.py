"""From networks to ONNX graphs: what a bundle's `init`, `step` and `score` take and give.

Graphs hold no random operation and no state: noise and the recurrent state come in as inputs. Only the batch
axis is dynamic.
"""

__all__ = ["ExportedGraph", "Function", "GraphModule", "drawing_graphs", "export_graph", "score_graph"]

import io
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pentimento.models.pixels.pixel_step import PixelStep
from pentimento.models.recurrent.base import SequentialGenerator
from pentimento.training.export.scan import insert_scan

# Batch 1 would be taken for a constant by the exporter.
EXAMPLE_ROWS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphModule:
    """A graph before its export: a function of named tensors."""

    module: nn.Module
    inputs: dict[str, Tensor]  # examples by name, in the order of the module's arguments
    outputs: tuple[str, ...]
    pixel: PixelStep | None = None  # what a graph that draws a row repeats; see training.export.scan

    @torch.no_grad()
    def run(self, feeds: dict[str, Tensor]) -> dict[str, Tensor]:
        """Computes the outputs in torch."""
        results = self.module(*(feeds[name] for name in self.inputs))
        return dict(zip(self.outputs, results if isinstance(results, tuple) else (results,), strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedGraph:
    """A graph as ONNX, with the module that it must agree with."""

    source: GraphModule
    data: bytes


class Function(nn.Module):
    """Lets a function that uses a network be exported together with the network's weights."""

    def __init__(self, network: nn.Module, function: Callable[..., tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.network = network
        self._function = function

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Calls the function."""
        return self._function(*tensors)


def drawing_graphs(generator: SequentialGenerator) -> dict[str, GraphModule]:
    """The `init` and `step` graphs of a generator in inference mode.

    A state field that no step changes is put out by `init` only: it stays as it is.
    """
    if generator.training:
        raise ValueError("the generator must be in inference mode, its statistics frozen")
    device = next(generator.parameters()).device
    t = torch.zeros(EXAMPLE_ROWS, dtype=torch.int64, device=device)
    noise = torch.zeros(EXAMPLE_ROWS, generator.latent_dim, device=device)
    per_step = generator.noise_mode == "per_step"
    with torch.no_grad():
        state = generator.initial_state(EXAMPLE_ROWS, None if per_step else noise)
        _, after = generator.step(t, noise if per_step else None, state)
    state_type = type(state)
    held = {name: value for name, value in state._asdict().items() if value is not None}
    changed = tuple(name for name in held if getattr(after, name) is not held[name])

    def init(first: Tensor) -> tuple[Tensor, ...]:
        # Without a latent for the whole drawing, t only tells the number of rows.
        started = generator.initial_state(first.shape[0], None if per_step else first)
        return tuple(getattr(started, name) for name in held)

    def step(t: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        values = dict(zip(held, rest[1:] if per_step else rest, strict=True))
        before = state_type(**{name: values.get(name) for name in state_type._fields})
        canvas, after = generator.step(t, rest[0] if per_step else None, before)
        return (canvas, *(getattr(after, name) for name in changed))

    states = {f"state.{name}": value for name, value in held.items()}
    return {
        "init": GraphModule(
            module=Function(generator, init),
            inputs={"t": t} if per_step else {"latent": noise},
            outputs=tuple(f"next.{name}" for name in held),
        ),
        "step": GraphModule(
            module=Function(generator, step),
            inputs={"t": t} | ({"noise": noise} if per_step else {}) | states,
            outputs=("canvas", *(f"next.{name}" for name in changed)),
        ),
    }


def score_graph(scorer: nn.Module, image_shape: tuple[int, int, int]) -> GraphModule:
    """The `score` graph: image (B, C, H, W) -> logit (B,)."""
    device = next(scorer.parameters()).device
    return GraphModule(
        module=scorer.eval(),
        inputs={"image": torch.rand(EXAMPLE_ROWS, *image_shape, device=device)},
        outputs=("logit",),
    )


def export_graph(source: GraphModule) -> ExportedGraph:
    """Exports a graph; its weights lie inside the one file."""
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
                tuple(source.inputs.values()),
                dynamo=True,
                dynamic_shapes=_batch_axes(source),
                input_names=list(source.inputs),
                output_names=list(source.outputs),
                verbose=False,
            )
            assert program is not None
            if source.pixel is not None:
                insert_scan(program.model, source.pixel, EXAMPLE_ROWS)
    finally:
        logger.setLevel(level)
    stream = io.BytesIO()
    program.save(stream)
    return ExportedGraph(source=source, data=stream.getvalue())


def _batch_axes(source: GraphModule) -> object:
    batch = torch.export.Dim("batch")
    axes = tuple({0: batch} for _ in source.inputs)
    # Arguments that arrive through *tensors form one nested entry.
    return (axes,) if isinstance(source.module, Function) else axes
