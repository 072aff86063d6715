"""`pentimento recurrent-toy` shows what a discriminator gains by seeing several samples."""

__all__ = ["recurrent_toy"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console


def recurrent_toy(
    out: Annotated[Path, typer.Option(help="Folder for the table and the picture.")] = Path(
        "runs/recurrent-toy"
    ),
    group_size: Annotated[int, typer.Option("--group-size", min=1, max=64, help="Samples seen.")] = 4,
    iterations: Annotated[int, typer.Option("--iterations", min=1, help="Updates of each training.")] = 4000,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Trainings, from seed 1 on.")] = 3,
) -> None:
    """Let a recurrent discriminator judge prefixes of categories.

    Data are ten categories, and half of them are never drawn. No single
    sample is wrong, but the more of them the discriminator sees, the surer
    it can be: 1/3, 1/5, 1/9, 1/17 are the best answers. Leaves toy.md,
    toy.json and toy.png.

    Finished trainings are skipped, so an interrupted call can be repeated.
    """
    from pentimento.training.experiments.recurrent_toy import (
        read_toy_results,
        run_toy,
        save_toy_picture,
        save_toy_results,
        save_toy_table,
    )

    console = make_console()
    results = read_toy_results(out, group_size=group_size, iterations=iterations)
    out.mkdir(parents=True, exist_ok=True)
    done = {result.seed for result in results}
    for seed in range(1, seeds + 1):
        if seed in done:
            continue
        with console.status(f"Seed {seed} of {seeds}"):
            results.append(run_toy(group_size, iterations, seed))
        console.print(f"seed {seed}: {', '.join(f'{value:.3f}' for value in results[-1].of_drawn)}")
        save_toy_results(out, results)
        save_toy_table(out / "toy.md", results)
    save_toy_picture(out / "toy.png", results)
    console.print(f"{out / 'toy.md'}, {out / 'toy.png'}")
