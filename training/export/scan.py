"""Exports the loop over the columns of a row as an ONNX Scan, whose body is the network of one pixel.

The exporter would unroll the loop: twenty-eight copies of the pixel's operations and of its packed weights,
which together no longer fit into a core's cache (`benchmarks/row_loops.py` has figures). Its own Scan cannot
carry a batch of any size yet. So the loop leaves a placeholder in the graph, and the pixel, exported by
itself, becomes the body of a Scan that takes the placeholder's place.
"""

__all__ = ["AnyPixelStep", "columns_as_scan", "insert_scan"]

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pentimento.models.pixels.pixel_step import PixelStep, loop_over_columns
from pentimento.models.pixels.plain_incremental import PlainPixelStep
from pentimento.training.export.loops import DOMAIN, replace_by_scan, take_over

if TYPE_CHECKING:
    import onnx_ir

AnyPixelStep = PixelStep | PlainPixelStep


def columns_as_scan(
    pixel: AnyPixelStep,
    windows: Sequence[Tensor],
    starts: Tensor,
    noise: Tensor,
    head_starts: Sequence[Tensor],
) -> Tensor:
    """Calls `loop_over_columns`; during an export it leaves a placeholder for `insert_scan` instead."""
    if torch.compiler.is_exporting():
        given = [*windows, starts, noise, *head_starts]
        return torch.onnx.ops.symbolic(
            f"{DOMAIN}::Columns", given, dtype=noise.dtype, shape=noise.shape, version=1
        )
    return loop_over_columns(pixel, windows, starts, noise, head_starts)


class _Body(nn.Module):
    """One pixel's network as a function of separate tensors: windows, start, noise, the head's starts."""

    def __init__(self, pixel: AnyPixelStep) -> None:
        super().__init__()
        self.pixel = pixel

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        layers = len(self.pixel.window_widths)
        windows, start, noise = tensors[:layers], tensors[layers], tensors[layers + 1]
        after, value = self.pixel(windows, start, noise, tensors[layers + 2 :])
        return (*after, value)


def insert_scan(model: "onnx_ir.Model", pixel: AnyPixelStep, rows: int) -> None:
    """Replaces the placeholder in an exported graph by a Scan over the network of one pixel.

    Args:
        model: The exported graph, changed in place; it has one placeholder.
        pixel: The network that the Scan repeats, column by column.
        rows: An example of B; not 1, which the exporter would take for a constant.
    """
    (node,) = [node for node in model.graph if node.domain == DOMAIN]
    layers = len(pixel.window_widths)
    batched = [value.shape is None or value.shape[0] != 1 for value in list(node.inputs)[layers + 2 :]]
    examples = [torch.zeros(rows, width) for width in (*pixel.window_widths, pixel.start_width, pixel.inputs)]
    if isinstance(pixel, PixelStep):
        examples += [torch.zeros(rows if each else 1, pixel.config.features) for each in batched]
    axes = [True] * (layers + 2) + batched
    scan = replace_by_scan(model, node, _Body(pixel), examples, axes, states=layers, scanned=2)
    take_over(model, node, scan, scan.outputs[layers:])
