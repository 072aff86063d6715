"""The critics' surfaces, gradients and weights as a table and as one picture."""

__all__ = ["save_surface_picture", "surface_table"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pentimento.training.experiments.critic_surfaces import EDGE, SIDE, SURFACE_WAYS, WAYS
from pentimento.training.experiments.plane import TOYS, sample
from pentimento.training.experiments.records import markdown_table

_SHOWN_SEED = 1
_SHOWN_POINTS = 400
_WEIGHTS_SHOWN = ("clip 0.1", "clip 0.01", "penalty")


def surface_table(results: dict[str, Any]) -> str:
    """Two tables of what `run_surfaces` found: means over the seeds, with the extremes."""
    shallow = []
    for toy in TOYS:
        for way in SURFACE_WAYS:
            found = [each for each in results["surfaces"] if (each["toy"], each["way"]) == (toy, way)]
            cells = [_range([each[name] for each in found]) for name in ("told_apart", "valleys", "slope")]
            shallow.append((toy, way, str(len(found)), *cells))
    deep = []
    for way in WAYS:
        found = [each for each in results["deep"] if each["way"] == way]
        ends = [each["at_the_ends"] for each in found if each["at_the_ends"] is not None]
        decades = [each["gradients"][0] for each in found if each["gradients"][0] is not None]
        ratios = [
            each["gradients"][0] - each["gradients"][-1] for each in found if None not in each["gradients"]
        ]
        deep.append((way, str(len(found)), _range(decades), _range(ratios), _range(ends)))
    first = ("toy", "weights", "trainings", "told apart", "valleys seen", "slope between")
    second = ("weights", "trainings", "log10 of the first layer's", "first less last", "at the ends")
    return f"{markdown_table(first, shallow, words=2)}\n{markdown_table(second, deep)}"


def _range(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{sum(values) / len(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def save_surface_picture(path: Path, results: dict[str, Any]) -> None:
    """Writes a PNG: surfaces of the first seed, the layers' gradients, and histograms of weights."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 11), layout="constrained")
    FigureCanvasAgg(figure)
    spaces = figure.add_gridspec(3, 12)
    for row, way in enumerate(SURFACE_WAYS):
        for column, toy in enumerate(TOYS):
            found = _of(results["surfaces"], toy=toy, way=way)
            _draw_surface(figure.add_subplot(spaces[row, 4 * column : 4 * column + 4]), found, toy, way)
    _draw_gradients(figure.add_subplot(spaces[2, :6]), results["deep"])
    for column, way in enumerate(_WEIGHTS_SHOWN):
        axes = figure.add_subplot(spaces[2, 6 + 2 * column : 8 + 2 * column])
        _draw_weights(axes, _of(results["deep"], way=way), way)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)


def _of(parts: list[dict[str, Any]], **wanted: str) -> dict[str, Any]:
    return next(
        part
        for part in parts
        if part["seed"] == _SHOWN_SEED and all(part[name] == value for name, value in wanted.items())
    )


def _draw_surface(axes: Any, found: dict[str, Any], toy: str, way: str) -> None:  # noqa: ANN401
    side = np.linspace(-EDGE, EDGE, SIDE)
    heights = np.array(found["surface"]).reshape(SIDE, SIDE)
    axes.contourf(side, side, heights, levels=16, cmap="viridis")
    axes.contour(side, side, heights, levels=16, colors="k", linewidths=0.3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SHOWN_SEED)
        data = sample(toy, _SHOWN_POINTS).numpy()
    axes.plot(data[:, 0], data[:, 1], ".", color="orange", markersize=2)
    axes.set_xlim(-EDGE, EDGE)
    axes.set_ylim(-EDGE, EDGE)
    axes.set_title(f"{toy.replace('_', ' ')}, {way}\nvalleys seen {found['valleys']:.2f}", fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal")


def _draw_gradients(axes: Any, deep: list[dict[str, Any]]) -> None:  # noqa: ANN401
    for index, way in enumerate(WAYS):
        for part in deep:
            if part["way"] == way:
                values = [np.nan if each is None else each for each in part["gradients"]]
                layers = range(1, len(values) + 1)
                label = way if part["seed"] == _SHOWN_SEED else None
                axes.plot(layers, values, "o-", color=f"C{index}", markersize=3, linewidth=1, label=label)
    axes.set_xlabel("layer, from the points on")
    axes.set_ylabel("log10 of the gradient's norm")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _draw_weights(axes: Any, found: dict[str, Any], way: str) -> None:  # noqa: ANN401
    edges = np.linspace(-found["reach"], found["reach"], len(found["weights"]) + 1)
    axes.stairs(found["weights"], edges, fill=True)
    axes.set_yscale("log")
    axes.set_title(f"weights, {way}", fontsize=9)
    axes.tick_params(labelsize=7)
