"""Runs a drawing call by call as its manifest says, for one batch, without scheduler or server."""

__all__ = ["Array", "Arrays", "Call", "replay"]

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.drawing import STEPS, Drawing
from pentimento.bundle.graphs import GraphSpec, state_name

Array = NDArray[np.generic]
Arrays = Mapping[str, Array]


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of a graph, with its inputs and outputs by name."""

    graph: str
    shows: bool  # whether its output `canvas` is one of the drawing's canvases
    feeds: dict[str, Array]
    outputs: dict[str, Array]


def replay(
    drawing: Drawing,
    graphs: Mapping[str, GraphSpec],
    run: Callable[[str, Arrays], dict[str, Array]],
    *,
    values: Arrays,
    noise: Arrays,
    rows: int,
    steps: int,
) -> Iterator[Call]:
    """Makes the calls of a drawing in order; each gets the state that those before it put out.

    Args:
        drawing: The manifest's plan of a drawing.
        graphs: The manifest's graphs by name.
        run: Calls the graph of a name with its inputs, and returns its outputs.
        values: Inputs that are the same at every call, such as `label`, each of shape (rows, ...); controls
            that are not among them have their defaults.
        noise: As `bundle.noise.draw_noise` gives it.
        rows: Drawings in the batch.
        steps: Canvases that are asked for.

    Yields:
        Each call once it is made.
    """
    defaults = {control.name: np.full(rows, control.default, np.float32) for control in drawing.controls}
    held = defaults | dict(values)
    per_call = {spec.name for spec in drawing.noise if spec.per == "call"}
    for phase in drawing.phases:
        for t in range(drawing.calls(phase, steps)):
            held |= {"t": np.full(rows, t, dtype=np.int64), STEPS: np.full(rows, steps, dtype=np.int64)}
            held |= {name: noise[name][:, t] if name in per_call else noise[name]
                     for name in noise if graphs[phase.graph].input(name)}  # fmt: skip
            feeds = {tensor.name: held[tensor.name] for tensor in graphs[phase.graph].inputs}
            outputs = run(phase.graph, feeds)
            held |= {state_name(name): value for name, value in outputs.items() if name.startswith("next.")}
            yield Call(graph=phase.graph, shows=phase.shows, feeds=feeds, outputs=outputs)
