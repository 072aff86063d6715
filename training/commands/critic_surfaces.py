"""`pentimento experiment critic-surfaces` looks at critics whose weights are clipped, and at others."""

__all__ = ["critic_surfaces"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console


def critic_surfaces(
    out: Annotated[Path, typer.Option(help="Folder for the table, the picture and a file a part.")] = Path(
        "runs/critic-surfaces"
    ),
    iterations: Annotated[
        int, typer.Option("--iterations", min=1, help="Updates of critics of three layers.")
    ] = 2000,
    deep_iterations: Annotated[
        int, typer.Option("--deep-iterations", min=1, help="Updates of critics of twelve layers.")
    ] = 300,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Trainings, from seed 1 on.")] = 3,
) -> None:
    """See what critics with clipped weights miss: surfaces, gradients, weights.

    Critics learn to tell points of the plane from the same points with
    noise: with weights clipped, and with the gradient penalty. Those of
    three layers are read as surfaces, those of twelve for what becomes of
    gradients on their way through them. Leaves critic-surfaces.md,
    critic-surfaces.json and critic-surfaces.png.

    Finished parts are skipped, so an interrupted call can be repeated.
    """
    from pentimento.training.experiments.critic_surfaces import SurfacePlan, run_surfaces
    from pentimento.training.experiments.critic_surfaces_report import save_surface_picture, surface_table
    from pentimento.training.experiments.records import keep_table

    console = make_console()
    plan = SurfacePlan(iterations=iterations, deep_iterations=deep_iterations, seeds=seeds)
    with console.status("Critics") as status:
        results = run_surfaces(plan, out, status.update)
    table = surface_table(results)
    keep_table(out, "critic-surfaces", table, results)
    save_surface_picture(out / "critic-surfaces.png", results)
    typer.echo(table, nl=False)  # not by rich, which would wrap it
    console.print(f"{out / 'critic-surfaces.md'}, {out / 'critic-surfaces.png'}")
