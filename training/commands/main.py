"""Adds the training commands to the program: recipes, data, train, export, evaluate, stability.

They register themselves through the entry point `pentimento.commands`. Torch is imported inside the commands
only, so that `pentimento --help` is quick, and works without the training extra.
"""

__all__ = ["register"]

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pentimento.training.commands.bundle import evaluate, export
from pentimento.training.commands.options import DataFolder, with_training
from pentimento.training.commands.stability import stability
from pentimento.training.commands.train import train


def register(app: typer.Typer) -> None:
    """Adds the training commands to the program's Typer application."""
    for command in (recipes, data, train, export, evaluate, stability):
        app.command(rich_help_panel="Training (needs the extra `train`)")(with_training(command))


def recipes() -> None:
    """List the recipes: named trainings, with what they measured.

    A recipe decides everything: model, data set, optimiser, seed.
    `pentimento train NAME` runs it.
    """
    from pentimento.training.families.table import recipes as all_recipes

    table = Table("recipe", "what", "data set", "epochs")
    for name, build in all_recipes().items():
        config = build()
        what = (build.__doc__ or "").strip().splitlines()[0]
        table.add_row(name, what, config.dataset, str(config.epochs))
    Console().print(table)


def data(
    name: Annotated[str | None, typer.Argument(help="Data set; without it, all are listed.")] = None,
    data: DataFolder = None,
) -> None:
    """Find a data set, downloading it if need be, and show what it holds.

    Looked for in the folder given by --data or PENTIMENTO_DATA, then in
    the cache, then in known system places; else downloaded with a checksum.
    """
    from pentimento.training.data.datasets import NAMES, find_dataset, load_dataset

    console = Console()
    if name is None:
        table = Table("data set", "found")
        for known in NAMES:
            place = find_dataset(known, data)
            table.add_row(known, str(place) if place else f"not here; pentimento data {known} downloads it")
        console.print(table)
        return
    channels, image_size = (3, 32) if name == "cifar10" else (1, 28)
    dataset = load_dataset(name, channels=channels, image_size=image_size, folder=data)
    console.print(
        f"{dataset.name}: {len(dataset.train.images)} training and {len(dataset.test.images)} test images of "
        f"shape {dataset.train.images.shape[1:]}, {len(dataset.class_names)} classes, training data SHA-256 "
        f"{dataset.sha256}",
        soft_wrap=True,
    )
