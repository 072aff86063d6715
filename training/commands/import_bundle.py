"""`pentimento import diffusers` makes a bundle of another library's model."""

__all__ = ["import_app"]

from pathlib import Path
from typing import Annotated

import typer

from pentimento.program.console import make_console
from pentimento.program.help import HelpfulCommand
from pentimento.program.tables import AsJson, print_json
from pentimento.training.commands.options import with_training

import_app = typer.Typer(
    no_args_is_help=True, help="Make a bundle of another library's model.", add_completion=False
)


@import_app.command(name="diffusers", cls=HelpfulCommand)
@with_training
def diffusers(
    pipeline: Annotated[Path, typer.Argument(help="Folder of a pipeline, with its model_index.json.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the bundle; by default the folder's.", show_default=False)
    ] = None,
    zoo: Annotated[Path, typer.Option(help="Folder of bundles that it goes into.")] = Path("bundles"),
    steps: Annotated[int, typer.Option(min=1, help="Canvases where a request does not say.")] = 50,
    max_steps: Annotated[int, typer.Option(min=1, max=1000, help="Canvases that may be asked for.")] = 100,
    labels: Annotated[
        str | None,
        typer.Option(help="Names of the classes, with commas; by default their numbers.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a bundle that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a bundle of a diffusers pipeline with a U-Net in pixel space.

    Its UNet2DModel and its scheduler (DDPM, DDIM or Euler) become two
    graphs, which draw in as many steps as are asked for. Their pictures
    are compared with those of the scheduler's own loop, from the same
    noise; if they differ, nothing is written. What a bundle cannot
    express, such as text or another network's latents, is refused.

    Needs the extra `diffusers`. Nothing is downloaded.
    """
    from pentimento.bundle.store import refuse_to_replace
    from pentimento.training.commands.bundle import bundle_name
    from pentimento.training.imports.diffusers import import_pipeline, read_pipeline

    console = make_console(stderr=as_json)
    folder = zoo / bundle_name(name, pipeline)
    refuse_to_replace(folder, overwrite=overwrite)
    with console.status("Reading the pipeline"):
        found = read_pipeline(pipeline, max_steps)
    with console.status("Exporting, and drawing with both"):
        manifest, difference = import_pipeline(
            found,
            folder,
            origin=pipeline.resolve().name,
            default_steps=steps,
            labels=tuple(labels.split(",")) if labels else (),
            overwrite=overwrite,
        )
    if as_json:
        print_json({"folder": str(folder), "version": manifest.version, "pipeline_difference": difference})
        return
    console.print(f"{folder} {manifest.version}: {manifest.summary}")
    console.print(f"its pictures differ from the pipeline's by {difference:.2g} at most, of 1")
    console.print(f"Next: pentimento draw {folder.name} --bundles {zoo} -o {folder.name}.png")
