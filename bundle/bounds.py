"""How many numbers a bundle may want for one row: what one small request costs is bounded by them."""

__all__ = ["MAX_NOISE_VALUES", "MAX_ROW_VALUES", "check_noise", "check_row"]

import math
from collections.abc import Mapping

from pentimento.bundle.drawing import Drawing
from pentimento.bundle.graphs import GraphSpec

MAX_ROW_VALUES = 1 << 23
"""Of all inputs of a graph, and of all its outputs: 32 MiB. The zoo's largest has 16 thousand."""

MAX_NOISE_VALUES = 1 << 24
"""Of all noise of a drawing of the most steps, which is drawn whole and beforehand: 64 MiB."""


def check_row(name: str, graph: GraphSpec) -> None:
    """Raises ValueError if a graph wants more numbers a row than are served."""
    for side, tensors in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        values = sum(math.prod(tensor.shape) for tensor in tensors)
        if values > MAX_ROW_VALUES:
            largest = max(tensors, key=lambda tensor: math.prod(tensor.shape))
            raise ValueError(
                f"graph {name!r} has {side} of {values} numbers a row, most of them {largest.name!r}; "
                f"at most {MAX_ROW_VALUES} are served"
            )


def check_noise(drawing: Drawing, graphs: Mapping[str, GraphSpec]) -> None:
    """Raises ValueError if a drawing takes more noise than is drawn for one."""
    most = drawing.steps.max
    values = sum(
        (drawing.noise_calls(noise, most, dict(graphs)) or 1) * math.prod(noise.shape)
        for noise in drawing.noise
    )
    if values > MAX_NOISE_VALUES:
        raise ValueError(
            f"the noise of a drawing of {most} steps has {values} numbers; at most {MAX_NOISE_VALUES} are "
            "drawn for one: fewer steps, smaller noise, or one for all calls"
        )
