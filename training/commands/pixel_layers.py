"""`pentimento experiment pixel-layers` trains PixelVAEs and PixelCNNs of ever more pixel layers."""

__all__ = ["pixel_layers"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.training.commands.options import DataFolder, Device, PrecisionName, known_precision


def pixel_layers(
    out: Annotated[
        Path, typer.Option(help="Folder for the table, the picture and a folder a training.")
    ] = Path("runs/pixel-layers"),
    layers: Annotated[
        list[int] | None,
        typer.Option("--layers", min=0, max=32, help="Pixel layers; may be repeated.", show_default="0 to 6"),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the images.")] = 4,
    train_rows: Annotated[int, typer.Option("--train-rows", min=1, help="Images to train on.")] = 20_000,
    rows: Annotated[int, typer.Option("--rows", min=10, help="Test images to measure on.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all trainings.")] = 1,
    dataset: Annotated[str, typer.Option(help="Data set of 28x28 grey images, by name or path.")] = "mnist",
    data: DataFolder = None,
    device: Device = None,
    precision: PrecisionName = None,
) -> None:
    """Measure what each pixel layer adds to PixelVAE and to PixelCNN, in nats.

    PixelVAEs of none to six pixel layers, without free nats, beside
    PixelCNNs of as many: nats of test images, and how many of them the
    latent keeps. Leaves pixel-layers.md, pixel-layers.json and
    pixel-layers.png, written anew after each training.

    Finished trainings are skipped, and one that was interrupted goes on,
    so the same call can be repeated.
    """
    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.experiments.pixel_layers import (
        LAYERS,
        LayerPlan,
        layer_table,
        run_layers,
        save_layer_picture,
    )
    from pentimento.training.experiments.records import keep_table
    from pentimento.training.experiments.trainer import Trainer

    console = make_console()
    plan = LayerPlan(dataset=dataset, train_rows=train_rows, epochs=epochs, asked_rows=rows, seed=seed)
    trainer = Trainer.chosen(device, known_precision(precision), console)
    loaded = load_dataset(dataset, channels=1, image_size=28, folder=data)
    chosen = LAYERS if layers is None else tuple(sorted(set(layers)))
    found = []
    for each in run_layers(plan, loaded, out, layers=chosen, trainer=trainer):
        found.append(each)
        table = layer_table(found)
        keep_table(out, "pixel-layers", table, {"models": found})
        save_layer_picture(out / "pixel-layers.png", found)
        console.print(f"{each['system']} of {each['layers']} pixel layers: {each['nats']:.2f} nats")
    typer.echo(table, nl=False)  # not by rich, which would wrap it
    console.print(f"{out / 'pixel-layers.md'}, {out / 'pixel-layers.png'}")
