"""Adds the training commands to the program: recipes, data, train, export, evaluate, and experiments.

They register themselves through the entry point `pentimento.commands`. Torch is imported inside the commands
only, so that `pentimento --help` is quick, and works without the training extra.
"""

__all__ = ["register"]

from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.help import HelpfulCommand
from pentimento.program.tables import AsJson, Column, print_json, print_table
from pentimento.training.commands.battle import battle
from pentimento.training.commands.bundle import export
from pentimento.training.commands.compare import compare
from pentimento.training.commands.evaluate import evaluate
from pentimento.training.commands.experiment import experiment_app
from pentimento.training.commands.import_bundle import import_app
from pentimento.training.commands.modes import modes
from pentimento.training.commands.options import DataFolder, Fit, with_training
from pentimento.training.commands.recurrent_toy import recurrent_toy
from pentimento.training.commands.stability import stability
from pentimento.training.commands.sweep import sweep
from pentimento.training.commands.tournament import tournament
from pentimento.training.commands.train import train

_PANEL = "Training (needs the extra `train`)"  # of --help


def register(app: typer.Typer) -> None:
    """Adds the training commands to the program's Typer application."""
    judging = evaluate, compare, battle, tournament
    for command in (recipes, data, train, export, *judging, sweep, stability, recurrent_toy, modes):
        app.command(cls=HelpfulCommand, rich_help_panel=_PANEL)(with_training(command))
    app.add_typer(experiment_app, name="experiment", rich_help_panel=_PANEL)
    app.add_typer(import_app, name="import", rich_help_panel=_PANEL)


def recipes(as_json: AsJson = False) -> None:
    """List the recipes: named trainings, with what they measured.

    A recipe decides everything: model, data set, optimiser, seed.
    `pentimento train NAME` runs it.
    """
    from pentimento.training.families.table import recipes as all_recipes

    found = []
    for name, build in all_recipes().items():
        config = build()
        what = (build.__doc__ or "").strip().splitlines()[0]
        found.append({"name": name, "dataset": config.dataset or None, "epochs": config.epochs, "what": what})
    if as_json:
        print_json({"recipes": found})
        return
    columns = [Column("recipe"), Column("data set"), Column("epochs", right=True), Column("what")]
    print_table(
        make_console(),
        columns,
        [[str(value or "--dataset") for value in recipe.values()] for recipe in found],
    )


def data(
    name: Annotated[
        str | None, typer.Argument(help="Data set, by name or path; without it, all are listed.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=1, help="Side in pixels that pictures get.", show_default="28; cifar10 32"),
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="1 for grey, 3 for colours.", show_default="1; cifar10 3")
    ] = None,
    fit: Fit = "crop",
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Find a data set, downloading it if need be, and show what it holds.

    Looked for in the folder given by --data or PENTIMENTO_DATA, then in
    the cache, then in known system places; else downloaded with a checksum.

    Of a folder or archive of pictures it says what was found, what was made
    of it, and what was left out. A training makes of it what its recipe
    draws, with its own --fit.
    """
    from pentimento.training.data.datasets import NAMES, counted, find_dataset, load_dataset

    console = make_console()
    if name is None:
        places = {known: find_dataset(known, data) for known in NAMES}
        if as_json:
            found = [{"name": known, "found": None if p is None else str(p)} for known, p in places.items()]
            print_json({"data_sets": found})
            return
        missing = "not here; pentimento data {} downloads it"
        rows = [[known, str(place or missing.format(known))] for known, place in places.items()]
        print_table(console, [Column("data set"), Column("found")], rows)
        return
    usual = (3, 32) if name == "cifar10" else (1, 28)
    dataset = load_dataset(
        name, channels=channels or usual[0], image_size=size or usual[1], fit=fit, folder=data
    )
    if as_json:
        print_json(
            {
                "name": dataset.name,
                "train_images": len(dataset.train.images),
                "test_images": len(dataset.test.images),
                "image_shape": list(dataset.train.images.shape[1:]),
                "class_names": list(dataset.class_names),
                "train_sha256": dataset.sha256,
                "report": list(dataset.report),
            }
        )
        return
    console.print(
        f"{dataset.name}: {len(dataset.train.images)} training and {len(dataset.test.images)} test images of "
        f"shape {dataset.train.images.shape[1:]}, {counted(len(dataset.class_names), 'class', 'classes')}, "
        f"training data SHA-256 "
        f"{dataset.sha256}"
    )
    for line in dataset.report:
        console.print(line)
