"""The commands of the training side: recipes, data, train, export, evaluate.

They register themselves through the entry point `pentimento.commands`. Torch is imported inside the commands
only, so that `pentimento --help` is quick, and works without the training extra.
"""

__all__ = ["register"]

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.options import DataFolder, Device, Rows, with_training


def register(app: typer.Typer) -> None:
    """Adds the training commands to the program."""
    for command in (recipes, data, train, export, evaluate):
        app.command(rich_help_panel="Training (needs the extra `train`)")(with_training(command))


def recipes() -> None:
    """List the recipes: named trainings, with what they measured.

    A recipe decides everything: model, data set, optimiser, seed.
    `pentimento train NAME` runs it.
    """
    from training.recipes import RECIPES

    table = Table("recipe", "what", "data set", "epochs")
    for name, build in RECIPES.items():
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
    from training.datasets import NAMES, find_dataset, load_dataset

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
    precision: Annotated[
        str | None,
        typer.Option(help="float32 or bfloat16; by default what is fast here.", show_default=False),
    ] = None,
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

    from training.checkpoints import LATEST
    from training.classifier import load_classifier
    from training.config import TrainConfig
    from training.datasets import load_dataset
    from training.device import choose_device, choose_precision, describe_device
    from training.loop import train as run_training
    from training.recipes import recipe as find_recipe
    from training.show import show_plan

    console = Console()
    changes = {"dataset": dataset, "epochs": epochs, "batch_rows": batch_rows, "seed": seed}
    config = replace(
        find_recipe(recipe), **{name: value for name, value in changes.items() if value is not None}
    )
    if precision not in (None, "float32", "bfloat16"):
        raise ValueError(f"--precision must be float32 or bfloat16, got {precision!r}")
    where = choose_device(device)
    how = choose_precision(where, precision)
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
    if isinstance(config, TrainConfig):  # a likelihood needs no judge
        with console.status("Training or loading the classifier that judges the drawings"):
            classifier = load_classifier(loaded, where)
        console.print(f"The classifier's accuracy on test images is {classifier.test_accuracy:.2%}.")
    outcome = run_training(
        config, loaded, classifier, folder, device=where, precision=how, resume=resume, console=console
    )
    console.print(f"Next: pentimento export {folder}")
    if outcome.stopped is not None:
        raise typer.Exit(2)


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a training, such as runs/gran3-mnist.")],
    name: Annotated[str | None, typer.Option(help="Name of the bundle; by default the recipe's.")] = None,
    zoo: Annotated[Path, typer.Option(help="Folder that the bundle's folder goes into.")] = Path("zoo"),
    latest: Annotated[
        bool, typer.Option("--latest", help="Take the latest checkpoint instead of the best one.")
    ] = False,
    version: Annotated[str, typer.Option(help="Version of the bundle.")] = "1.0.0",
    strip: Annotated[
        Path | None, typer.Option(help="Also write a film strip, drawn by the bundle, as this PNG.")
    ] = None,
    rows: Rows = 10_000,
    data: DataFolder = None,
    device: Device = None,
) -> None:
    """Turn a training into a bundle that can be served.

    Freezes the normalisation, exports the ONNX graphs, measures that they
    draw what torch draws and that no row depends on its batch mates (if
    not, nothing is written), and judges drawings, or the likelihood of
    test images.
    """
    from training.checkpoints import BEST, LATEST, read_checkpoint
    from training.classifier import load_classifier
    from training.datasets import load_dataset
    from training.device import choose_device
    from training.export import Trained, export_bundle, load_trained
    from training.likelihood_export import TrainedLikelihood, export_likelihood_bundle, load_likelihood
    from training.show import draw_strip, show_figures

    console = Console()
    where = choose_device(device)
    checkpoint = LATEST if latest else BEST
    has_likelihood = "family" in read_checkpoint(run / checkpoint)["config"]
    trained: Trained | TrainedLikelihood
    if has_likelihood:
        trained = load_likelihood(run, checkpoint=checkpoint)
    else:
        with console.status("Freezing the statistics"):
            trained = load_trained(run, where, checkpoint=checkpoint)
    channels, image_size, _ = trained.config.image_shape
    dataset = load_dataset(trained.config.dataset, channels=channels, image_size=image_size, folder=data)
    folder = zoo / (name or trained.config.recipe)
    with console.status("Judging, exporting, measuring the parity"):
        if isinstance(trained, TrainedLikelihood):
            manifest = export_likelihood_bundle(
                trained, folder, dataset=dataset, rows=rows, bundle_version=version
            )
        else:
            manifest = export_bundle(
                trained,
                folder,
                classifier=load_classifier(dataset, where),
                dataset=dataset,
                rows=rows,
                bundle_version=version,
            )
    parity, provenance = manifest.parity, manifest.provenance
    assert parity is not None and provenance is not None
    console.print(f"{folder}: epoch {provenance.epochs:g} of {provenance.recipe}")
    show_figures(provenance.evaluation, console)
    console.print(
        f"torch and ONNX Runtime differ by {parity.torch_vs_onnxruntime:.2g} at most, "
        f"a batch and its rows drawn alone by {parity.batched_vs_single:.2g}"
    )
    if strip is not None:
        draw_strip(folder, strip)
        console.print(f"film strip: {strip}")


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle, such as zoo/gran3-mnist.")],
    rows: Rows = 10_000,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of each drawing.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 1,
    dataset: Annotated[
        str | None, typer.Option(help="Data set to compare with; by default the one it was trained on.")
    ] = None,
    data: DataFolder = None,
) -> None:
    """Judge a bundle's drawings: class shares, confidence, novelty.

    Uses a classifier of the data set that this package trains itself and
    keeps in its cache. With the default seed and number of drawings, the
    figures are those in the bundle's manifest.
    """
    import torch

    from bundle.store import read_bundle
    from training.bundle_drawing import draw_bundle
    from training.classifier import load_classifier
    from training.datasets import load_dataset
    from training.evaluation import figures
    from training.show import show_figures

    console = Console()
    loaded = read_bundle(bundle)
    manifest = loaded.manifest
    trained_on = manifest.provenance.dataset if manifest.provenance else None
    if dataset is None and trained_on is None:
        raise ValueError(f"bundle {manifest.name!r} does not say what it was trained on; name a --dataset")
    compared = load_dataset(
        dataset or str(trained_on),
        channels=manifest.image.channels,
        image_size=manifest.image.height,
        folder=data,
    )
    with console.status("Judging drawings"):
        classifier = load_classifier(compared, torch.device("cpu"))
        drawings = draw_bundle(loaded, rows=rows, seed=seed, step_count=steps)
        judged = figures(drawings, classifier, compared, seed)
    show_figures(judged, console)
