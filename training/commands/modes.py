"""`pentimento modes` counts the digits a generator draws, by how many its discriminator sees together."""

__all__ = ["modes"]

import json
from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.training.commands.options import DataFolder


def modes(
    out: Annotated[Path, typer.Option(help="Folder for the table, the picture and the sheets.")] = Path(
        "runs/modes"
    ),
    group_size: Annotated[
        list[int] | None,
        typer.Option(
            "--group-size",
            min=1,
            max=64,
            help="Samples seen together; may be repeated.",
            show_default="1, 2, 4, 8",
        ),
    ] = None,
    iterations: Annotated[int, typer.Option("--iterations", min=1, help="Updates of each generator.")] = 6000,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Trainings, from seed 1 on.")] = 3,
    dataset: Annotated[str, typer.Option(help="Data set of 28x28 grey images, by name or path.")] = "mnist",
    data: DataFolder = None,
) -> None:
    """Count the modes that a generator covers, by the size of the groups.

    A plain GAN of dense layers drops digits. Here its discriminator sees k
    samples together, by recurrent discrimination. Leaves modes.md,
    modes.png, modes.json and a sheet of drawings of each training.

    Finished trainings are skipped, so an interrupted call can be repeated.
    """
    from pentimento.training.data.datasets import load_dataset
    from pentimento.training.experiments.modes import (
        GROUP_SIZES,
        ModesPlan,
        ModesResult,
        run_modes,
        save_modes_picture,
        save_modes_table,
    )

    console = make_console()
    plans = [
        ModesPlan(group_size=size, iterations=iterations, seed=seed)
        for seed in range(1, seeds + 1)
        for size in group_size or GROUP_SIZES
    ]
    kept = out / "modes.json"
    results = [ModesResult(**each) for each in json.loads(kept.read_text())] if kept.exists() else []
    others = {result.iterations for result in results} - {iterations}
    if others:
        raise ValueError(
            f"--out {str(out)!r} holds trainings of {min(others)} iterations, not {iterations}; name another"
        )
    done = {(result.group_size, result.seed) for result in results}
    loaded = load_dataset(dataset, channels=1, image_size=28, folder=data)
    out.mkdir(parents=True, exist_ok=True)
    for plan in plans:
        if (plan.group_size, plan.seed) in done:
            continue
        sheet = out / f"k{plan.group_size}-seed{plan.seed}.png"
        with console.status(f"k = {plan.group_size}, seed {plan.seed}") as status:

            def progress(iteration: int, said: str = f"k = {plan.group_size}, seed {plan.seed}") -> None:
                if iteration % 50 == 0:
                    status.update(f"{said}: {iteration} of {iterations}")

            result = run_modes(plan, loaded, sheet, progress)
        console.print(
            f"k = {result.group_size}, seed {result.seed}: {result.covered} classes covered, "
            f"{result.effective:.1f} effective, {result.distance:.2f} from the nearest digit"
        )
        results.append(result)
        kept.write_text(json.dumps([each._asdict() for each in results], indent=1))
        save_modes_table(out / "modes.md", results)
        save_modes_picture(out / "modes.png", results)
    console.print(f"{out / 'modes.md'}, {out / 'modes.png'}")
