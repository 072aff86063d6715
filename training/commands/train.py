"""`pentimento train` runs a recipe and leaves a folder of checkpoints, log and pictures."""

__all__ = ["train"]

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.endings import FAILED
from pentimento.training.commands.options import (
    DataFolder,
    Device,
    FitOfData,
    PrecisionName,
    known_precision,
)


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe; `pentimento recipes` lists them.")],
    data: DataFolder = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Another data set, by name or path: a folder or archive of pictures, IDX files."),
    ] = None,
    fit: FitOfData = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for checkpoints, log and pictures; by default runs/RECIPE, and on other data "
            "runs/RECIPE-DATASET. Its name will be the bundle's.",
            show_default=False,
        ),
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
    happened. One whose drawings collapse ends early, with exit status 1;
    the best checkpoint is kept.
    """
    from dataclasses import replace

    from pentimento.training.commands.show import show_plan
    from pentimento.training.data.datasets import cache_folder, load_dataset
    from pentimento.training.families.table import family_of, prepare
    from pentimento.training.families.table import recipe as find_recipe
    from pentimento.training.judging.classifier import load_classifier
    from pentimento.training.loop.checkpoints import LATEST, read_checkpoint
    from pentimento.training.loop.device import choose_device, choose_precision, describe_device
    from pentimento.training.loop.folder import refuse_other_files, refuse_unwritable, remove_training
    from pentimento.training.loop.identity import refuse_other
    from pentimento.training.loop.loop import train as run_training

    console = make_console()
    changes = {"dataset": dataset, "epochs": epochs, "batch_rows": batch_rows, "seed": seed, "fit": fit}
    config = replace(
        find_recipe(recipe), **{name: value for name, value in changes.items() if value is not None}
    )
    where = choose_device(device)
    how = choose_precision(where, known_precision(precision))
    folder = out or Path("runs") / _run_name(recipe, find_recipe(recipe).dataset, config.dataset)
    if dry_run:
        show_plan(config, where, how, data, console)
        return
    if not resume:
        refuse_other_files(folder, overwrite=overwrite)
    refuse_unwritable(folder)
    cache_folder()  # where the export will keep a classifier, if this training needs none
    channels, image_size, _ = config.image_shape
    loaded = load_dataset(
        config.dataset, channels=channels, image_size=image_size, fit=config.fit, folder=data
    )
    console.print(f"{config.recipe} on {loaded.name}: {describe_device(where, how)}; into {folder}")
    for line in loaded.report:
        console.print(line)
    config.refuse_dataset(loaded.name, len(loaded.train.images), len(loaded.class_names))
    if resume:
        refuse_other(read_checkpoint(folder / LATEST), config, loaded, folder)
    classifier = None
    if family_of(config).wants_classifier:
        with console.status("Training or loading the classifier that judges the drawings"):
            classifier = load_classifier(loaded, where)
        console.print(f"The classifier's accuracy on test images is {classifier.test_accuracy:.2%}.")
    training = prepare(config, loaded, classifier, device=where, precision=how)
    if not resume:
        remove_training(folder)  # only now, when nothing can refuse the new one any more
    outcome = run_training(training, folder, resume=resume, console=console)
    console.print(f"Next: {_next_command(folder)}")
    if outcome.stopped is not None:
        raise typer.Exit(FAILED)


def _next_command(folder: Path) -> str:
    """The export of a training as a shell takes it, with a name where the folder's cannot be a bundle's."""
    from pentimento.bundle.manifest import BUNDLE_NAME

    name = folder.resolve().name
    named = "" if re.fullmatch(BUNDLE_NAME, name) else f" --name {_plain(name)}"
    return f"pentimento export {shlex.quote(str(folder))}{named}"


def _plain(name: str) -> str:
    """A name of small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "data"


def _run_name(recipe: str, usual: str, dataset: str) -> str:
    """Name of the folder: the recipe's, and on other data than the recipe's the data set's beside it."""
    if dataset == usual:
        return recipe
    last = Path(dataset).name.partition(".")[0] if Path(dataset).name else "data"
    return f"{recipe}-{_plain(last)}"[:64].rstrip("-")
