"""The results of the stability experiment as a table and as one picture."""

__all__ = ["save_stability_picture", "save_stability_table"]

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pentimento.training.experiments.stability import Cell, StabilityPlan, cell_iterations

_TRAINED, _FAILED = "#2e7d32", "#b71c1c"


def save_stability_table(folder: Path, plan: StabilityPlan, cells: Sequence[Cell]) -> None:
    """Writes `stability.json`, and `stability.md` with a row an architecture and a column an objective.

    Args:
        folder: Where both files go.
        plan: Its architectures are the rows, its objectives the columns.
        cells: Those that are finished; the others stay empty.
    """
    content = {"plan": asdict(plan), "cells": [asdict(cell) for cell in cells]}
    (folder / "stability.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    found = {(cell.architecture, cell.objective): _words(cell) for cell in cells}
    lines = [
        "KL(drawn classes || data) and the classifier's confidence, which must reach "
        f"{plan.min_confidence:g}.",
        "",
        "| architecture | updates | " + " | ".join(plan.objectives) + " |",
        "|---|---:" + "|---" * len(plan.objectives) + "|",
    ]
    for architecture in plan.architectures:
        row = [found.get((architecture, objective), "") for objective in plan.objectives]
        lines.append(
            f"| {architecture} | {cell_iterations(plan, architecture):,} | " + " | ".join(row) + " |"
        )
    (folder / "stability.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _words(cell: Cell) -> str:
    if cell.evaluation is None:
        return f"failed: {cell.reason}"
    figures = f"{cell.evaluation['kl_to_data']:.2f}, {cell.evaluation['confidence']:.2f}"
    return f"trained: {figures}" if cell.trained else f"failed: {figures}; {cell.reason}"


def save_stability_picture(path: Path, plan: StabilityPlan, cells: Sequence[Cell], folder: Path) -> None:
    """Writes a PNG with some drawings of each cell, and below them the shares of the classes that they show.

    Args:
        path: The PNG.
        plan: Its architectures are the rows, its objectives the columns.
        cells: Those that are finished; the others stay empty.
        folder: Where the cells' folders are.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows, columns = len(plan.architectures), len(plan.objectives)
    figure = Figure(figsize=(2.2 * columns + 1, 2.9 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[4, 1] * rows)
    found = {(cell.architecture, cell.objective): cell for cell in cells}
    for row, architecture in enumerate(plan.architectures):
        for column, objective in enumerate(plan.objectives):
            sheet, bars = grid[2 * row, column], grid[2 * row + 1, column]
            if row == 0:
                sheet.set_title(objective)
            if column == 0:
                sheet.set_ylabel(architecture)
            _draw_cell(sheet, bars, found.get((architecture, objective)), folder)
    figure.savefig(path, dpi=80)


def _draw_cell(sheet: Any, bars: Any, cell: Cell | None, folder: Path) -> None:  # noqa: ANN401
    """Fills the two axes of a cell; green if it trained, red if it failed."""
    for axes in (sheet, bars):
        axes.set_xticks([])
        axes.set_yticks([])
    if cell is None:
        return
    color = _TRAINED if cell.trained else _FAILED
    for axes in (sheet, bars):
        for side in axes.spines.values():
            side.set(color=color, linewidth=2)
    if cell.evaluation is None:
        sheet.text(0.5, 0.5, "diverged", ha="center", va="center", transform=sheet.transAxes)
        return
    with Image.open(folder / f"{cell.architecture}-{cell.objective}" / "sheet.png") as picture:
        sheet.imshow(np.asarray(picture.convert("RGB")))
    shares = cell.evaluation["class_shares"]
    bars.bar(range(len(shares)), shares, color=color)
    bars.plot(range(len(shares)), cell.evaluation["data_shares"], "k_", markersize=8)
    bars.set_xlabel(
        f"KL {cell.evaluation['kl_to_data']:.2f}, conf. {cell.evaluation['confidence']:.2f}", fontsize=8
    )
