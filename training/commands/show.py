"""What the training commands print: the plan of a training, figures, and a film strip of drawings."""

__all__ = ["draw_strip", "show_figures", "show_plan"]

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from rich.console import Console

from pentimento.bundle.store import read_bundle
from pentimento.program.tables import Column, print_json, print_table
from pentimento.training.data.datasets import NAMES, DatasetError, load_dataset
from pentimento.training.export.draw import draw_bundle
from pentimento.training.families.table import rehearse
from pentimento.training.judging.plots import save_strip
from pentimento.training.loop.config import LoopConfig
from pentimento.training.loop.device import Precision, describe_device


def show_plan(
    config: LoopConfig,
    device: torch.device,
    precision: Precision,
    data: Path | None,
    console: Console,
) -> None:
    """Prints a training's configuration and sizes, and how long it would take here, by a short measurement.

    Args:
        config: The training.
        device: Where it would compute.
        precision: Of matrix products and convolutions.
        data: The user's folder of data sets, for the number of images.
        console: Where to print.
    """
    console.print(json.dumps(config.to_json(), indent=2))
    parameters, seconds = rehearse(config, device, precision)
    for name, count in parameters.items():
        console.print(f"{name}: {count:,} parameters")
    console.print(f"{describe_device(device, precision)}: {seconds:.3f} s an iteration")
    channels, image_size, _ = config.image_shape
    try:
        dataset = load_dataset(
            config.dataset, channels=channels, image_size=image_size, fit=config.fit, folder=data
        )
    except DatasetError as error:
        if config.dataset not in NAMES:  # which only a training would download
            raise
        console.print(f"No estimate of the whole: {error}")
        return
    for line in dataset.report:
        console.print(line)
    config.refuse_dataset(dataset.name, len(dataset.train.images), len(dataset.class_names))
    total = config.iterations(len(dataset.train.images))
    console.print(f"{total:,} iterations, about {total * seconds / 60:.0f} minutes without the evaluations")


def show_figures(figures: Mapping[str, object], console: Console, *, as_json: bool = False) -> None:
    """Prints an evaluation as a table, a row a figure; or as JSON, with all digits."""
    if as_json:
        print_json(dict(figures))
        return
    rows = []
    for name, value in figures.items():
        if isinstance(value, list):
            value = ", ".join(f"{part:.4f}" for part in value)
        elif isinstance(value, dict):
            value = ", ".join(f"{key} {_short(part)}" for key, part in value.items())
        rows.append([name, str(value)])
    print_table(console, [Column("figure"), Column("value")], rows)


def _short(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def draw_strip(folder: Path, path: Path) -> None:
    """Draws eight images with the bundle in `folder` and writes them to `path` as a film strip."""
    (canvases,) = draw_bundle(read_bundle(folder), rows=8, seed=1)
    save_strip(path, canvases.numpy())
