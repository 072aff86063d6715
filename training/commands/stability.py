"""`pentimento stability` tries which objective trains which architecture; leaves a table and a picture."""

__all__ = ["stability"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.training.commands.options import DataFolder, Device, PrecisionName, known_precision


def stability(
    out: Annotated[
        Path, typer.Option(help="Folder for the table, the picture and a folder a training.")
    ] = Path("runs/stability"),
    iterations: Annotated[int, typer.Option("--iterations", min=1, help="Updates of each generator.")] = 2000,
    deep_iterations: Annotated[
        int, typer.Option("--deep-iterations", min=1, help="Updates of those of 101 layers, which are slow.")
    ] = 600,
    architecture: Annotated[
        list[str] | None, typer.Option(help="Only this one; may be repeated.", show_default=False)
    ] = None,
    objective: Annotated[
        list[str] | None, typer.Option(help="Only this one; may be repeated.", show_default=False)
    ] = None,
    width: Annotated[int, typer.Option(min=4, help="Features of the networks' largest maps.")] = 16,
    batch_rows: Annotated[int, typer.Option(min=2, help="Images of one update.")] = 32,
    rows: Annotated[int, typer.Option("--rows", min=10, help="Drawings to judge, of each training.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all trainings.")] = 1,
    dataset: Annotated[str, typer.Option(help="Data set of 28x28 grey images, by name or path.")] = "mnist",
    data: DataFolder = None,
    device: Device = None,
    precision: PrecisionName = None,
) -> None:
    """Train every architecture with every objective, one set of defaults.

    Seven architectures, six of them hard to train, meet four objectives.
    Which trainings fail is told by the class shares of their drawings, and
    by whether a classifier is sure of what it sees. Leaves stability.md,
    stability.json and stability.png, written anew after each training.

    Finished trainings are skipped and an interrupted one goes on, so the
    same call can be repeated.
    """
    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.experiments.stability import (
        ARCHITECTURES,
        OBJECTIVE_NAMES,
        StabilityPlan,
        run_stability,
    )
    from pentimento.training.experiments.stability_report import save_stability_picture, save_stability_table
    from pentimento.training.judging.classifier import load_classifier
    from pentimento.training.loop.device import choose_device, choose_precision

    for what, chosen, known in (
        ("--architecture", architecture, ARCHITECTURES),
        ("--objective", objective, OBJECTIVE_NAMES),
    ):
        unknown = sorted(set(chosen or ()) - set(known))
        if unknown:
            raise ValueError(f"{what} must be one of {', '.join(known)}, got {unknown[0]!r}")
    console = make_console()
    plan = StabilityPlan(
        dataset=dataset,
        architectures=tuple(architecture or ARCHITECTURES),
        objectives=tuple(objective or OBJECTIVE_NAMES),
        iterations=iterations,
        deep_iterations=deep_iterations,
        width=width,
        batch_rows=batch_rows,
        evaluation_rows=rows,
        seed=seed,
    )
    where = choose_device(device)
    loaded = load_dataset(dataset, channels=plan.channels, image_size=plan.image_size, folder=data)
    with console.status("Training or loading the classifier that judges the drawings"):
        classifier = load_classifier(loaded, where)
    out.mkdir(parents=True, exist_ok=True)
    cells = []
    how = choose_precision(where, known_precision(precision))
    for cell in run_stability(plan, loaded, classifier, out, device=where, precision=how, console=console):
        cells.append(cell)
        save_stability_table(out, plan, cells)
        save_stability_picture(out / "stability.png", plan, cells, out)
        verdict = "trained" if cell.trained else f"failed: {cell.reason}"
        console.print(f"{cell.architecture} with {cell.objective}: {verdict}")
    console.print(f"{out / 'stability.md'}, {out / 'stability.png'}")
