"""`pentimento experiment latent-neighbours` shows test images in the planes of two latents."""

__all__ = ["latent_neighbours"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.training.commands.options import DataFolder, Device, PrecisionName, known_precision


def latent_neighbours(
    out: Annotated[
        Path, typer.Option(help="Folder for the table, the picture and a folder a training.")
    ] = Path("runs/latent-neighbours"),
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Trainings, from seed 1 on.")] = 3,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Passes over the images.", show_default="12 and 6")
    ] = None,
    train_rows: Annotated[
        int, typer.Option("--train-rows", min=1, help="Images to train on, and to be neighbours.")
    ] = 60_000,
    rows: Annotated[int, typer.Option("--rows", min=10, help="Test images to ask about.")] = 10_000,
    dataset: Annotated[str, typer.Option(help="Data set of 28x28 grey images, by name or path.")] = "mnist",
    data: DataFolder = None,
    device: Device = None,
    precision: PrecisionName = None,
) -> None:
    """Show where test images lie in two latents of a VAE and a PixelVAE.

    Both are trained with each seed. Five nearest neighbours among the
    training images tell an image's class, and how often they err is the
    figure. Leaves latent-neighbours.md, latent-neighbours.json and
    latent-neighbours.png, a scatter a training, written anew after each.

    Finished trainings are skipped, and one that was interrupted goes on,
    so the same call can be repeated.
    """
    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.experiments.latent_neighbours import (
        NeighbourPlan,
        neighbour_table,
        run_neighbours,
        save_scatter_picture,
    )
    from pentimento.training.experiments.records import keep_table
    from pentimento.training.experiments.trainer import Trainer

    console = make_console()
    plan = NeighbourPlan(dataset=dataset, epochs=epochs, train_rows=train_rows, asked_rows=rows)
    trainer = Trainer.chosen(device, known_precision(precision), console)
    loaded = load_dataset(dataset, channels=1, image_size=28, folder=data)
    found = []
    for each in run_neighbours(plan, loaded, out, seeds=seeds, trainer=trainer):
        found.append(each)
        table = neighbour_table(found)
        keep_table(out, "latent-neighbours", table, {"models": found})
        save_scatter_picture(out / "latent-neighbours.png", found)
        console.print(f"{each['recipe']}, seed {each['seed']}: neighbours err on {each['error']:.1%}")
    typer.echo(table, nl=False)  # not by rich, which would wrap it
    console.print(f"{out / 'latent-neighbours.md'}, {out / 'latent-neighbours.png'}")
