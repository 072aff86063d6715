"""`pentimento experiment ood` asks generators about a kind of image that they never saw."""

__all__ = ["ood"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.training.commands.options import DataFolder, Device, PrecisionName, known_precision


def ood(
    out: Annotated[
        Path, typer.Option(help="Folder for the table, the picture and a folder a training.")
    ] = Path("runs/ood"),
    system: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this one; may be repeated.",
            show_default="vae, pixelcnn, pixelvae, dcgan; cifar10 dcgan",
        ),
    ] = None,
    held_out: Annotated[
        list[int] | None,
        typer.Option("--held-out", min=0, help="Only this class; may be repeated.", show_default="all"),
    ] = None,
    train_rows: Annotated[int, typer.Option("--train-rows", min=1, help="Images to train on.")] = 20_000,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over them.")] = 4,
    rows: Annotated[int, typer.Option("--rows", min=100, help="Test images to ask about.")] = 10_000,
    width: Annotated[
        float, typer.Option("--width", min=0.1, max=8, help="Factor on the widths of all networks.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all trainings.")] = 1,
    dataset: Annotated[str, typer.Option(help="Data set, by name or path.")] = "mnist",
    data: DataFolder = None,
    device: Device = None,
    precision: PrecisionName = None,
) -> None:
    """Ask models that were trained without a class which images are of it.

    For every class and system a model learns from all other classes.
    Test images in the order of its likelihood, or of a discriminator's
    logit, give the area under the precision-recall curve, beside what
    chance gives and what was published. Leaves ood.md, ood.json and
    ood.png, written anew after each model.

    Finished trainings are skipped, and one that was interrupted goes on,
    so the same call can be repeated.
    """
    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.experiments.ood import run_ood
    from pentimento.training.experiments.ood_report import ood_data, ood_table, save_ood_picture
    from pentimento.training.experiments.ood_systems import OodPlan, image_shape_of, systems_of
    from pentimento.training.experiments.records import keep_table
    from pentimento.training.experiments.trainer import Trainer

    console = make_console()
    plan = OodPlan(
        dataset=dataset, train_rows=train_rows, epochs=epochs, asked_rows=rows, width=width, seed=seed
    )
    known = systems_of(dataset)
    unknown = [name for name in system or () if name not in known]
    if unknown:
        raise ValueError(f"--system must be one of {', '.join(known)} for {dataset}, got {unknown[0]!r}")
    trainer = Trainer.chosen(device, known_precision(precision), console)
    channels, side, _ = image_shape_of(dataset)
    loaded = load_dataset(dataset, channels=channels, image_size=side, folder=data)
    models = run_ood(
        plan,
        loaded,
        out,
        systems=tuple(system or known),
        held_out=tuple(held_out if held_out is not None else range(len(loaded.class_names))),
        trainer=trainer,
    )
    found = []
    for each in models:
        found.append(each)
        table = ood_table(dataset, loaded.class_names, found)
        keep_table(out, "ood", table, ood_data(dataset, found))
        save_ood_picture(out / "ood.png", dataset, loaded.class_names, found)
        console.print(
            f"{each['system']} without {loaded.class_names[each['held_out']]}: "
            f"AUPR {each['aupr']:.1%}, by chance {each['prevalence']:.1%}"
        )
    typer.echo(table, nl=False)  # not by rich, which would wrap it
    console.print(f"{out / 'ood.md'}, {out / 'ood.png'}")
