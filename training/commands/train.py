"""`pentimento train` runs a recipe and leaves a folder of checkpoints, log and pictures."""

__all__ = ["train"]

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pentimento.training.commands.options import DataFolder, Device, PrecisionName, known_precision


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; `pentimento recipes` lists them.")],
    data: DataFolder = None,
    dataset: Annotated[
        str | None, typer.Option(help="Another data set, by name or path (an image folder, IDX files).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints, log and pictures; by default runs/RECIPE.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Another number of epochs.")] = None,
    batch_rows: Annotated[int | None, typer.Option(min=2, help="Another batch size.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed.")] = None,
    device: Device = None,
    precision: PrecisionName = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's checkpoint.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a training that is there.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show configuration, sizes and estimated time; train nothing.")
    ] = False,
) -> None:
    """Train a recipe.

    Its folder gets log.jsonl, curves.png, sheets of drawings, film strips,
    checkpoint.pt (the latest) and best.pt (the best by class shares and
    confidence; the last epoch where a likelihood is trained), which
    `pentimento export` turns into a bundle.

    A training that was killed goes on with --resume as if nothing had
    happened. One whose drawings collapse ends early, with exit status 2;
    the best checkpoint is kept.
    """
    from dataclasses import replace

    from pentimento.training.commands.show import show_plan
    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.families.table import family_of, prepare
    from pentimento.training.families.table import recipe as find_recipe
    from pentimento.training.judging.classifier import load_classifier
    from pentimento.training.loop.checkpoints import LATEST
    from pentimento.training.loop.device import choose_device, choose_precision, describe_device
    from pentimento.training.loop.loop import train as run_training

    console = Console()
    changes = {"dataset": dataset, "epochs": epochs, "batch_rows": batch_rows, "seed": seed}
    config = replace(
        find_recipe(recipe), **{name: value for name, value in changes.items() if value is not None}
    )
    where = choose_device(device)
    how = choose_precision(where, known_precision(precision))
    folder = out or Path("runs") / recipe
    if dry_run:
        show_plan(config, where, how, data, console)
        return
    if (folder / LATEST).exists() and not (resume or overwrite):
        raise ValueError(
            f"{folder} holds a training already: add --resume or --overwrite, or name another --out"
        )
    channels, image_size, _ = config.image_shape
    loaded = load_dataset(config.dataset, channels=channels, image_size=image_size, folder=data)
    console.print(f"{config.recipe} on {loaded.name}: {describe_device(where, how)}; into {folder}")
    classifier = None
    if family_of(config).wants_classifier:
        with console.status("Training or loading the classifier that judges the drawings"):
            classifier = load_classifier(loaded, where)
        console.print(f"The classifier's accuracy on test images is {classifier.test_accuracy:.2%}.")
    training = prepare(config, loaded, classifier, device=where, precision=how)
    outcome = run_training(training, folder, resume=resume, console=console)
    console.print(f"Next: pentimento export {folder}")
    if outcome.stopped is not None:
        raise typer.Exit(2)
