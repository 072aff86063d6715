"""The program `pentimento` and its commands. What a command needs is imported inside it: `--help` is quick.

A command that cannot do its work says why in one sentence on stderr and exits with 2 where the request was
wrong, and with 1 where something failed.
"""

__all__ = ["app", "main"]

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import Annotated

import typer

from pentimento.program.console import make_console, tame_streams
from pentimento.program.help import HelpfulCommand, HelpfulGroup
from pentimento.program.tables import AsJson, print_json
from pentimento.service.cli import bench, encoding, reading, reload, serve
from pentimento.service.cli.options import (
    Boxes,
    Bundles,
    FileFormat,
    Latents,
    Output,
    Overwrite,
    Scale,
    Score,
    ScoreBy,
    Seed,
    Set,
    Steps,
    controls_of,
)
from pentimento.service.cli.run import Server, asks_server, open_easel, run
from pentimento.service.errors import invalid
from pentimento.service.messages import GenerateRequest

COMMANDS = "pentimento.commands"
"""Entry-point group: a function that takes the typer application and adds commands to it."""

EPILOG = """
**Examples**

- `pentimento serve --http-port 9000` — the bundles of the folder zoo, over HTTP and gRPC
- `pentimento models` — what can be drawn with
- `pentimento draw gran5-mnist --n 8 --seed 7 -o strip.png` — draws here, without a server
- `pentimento draw gran5-mnist --score-by gran3-mnist` — what another model's discriminator says
- `pentimento draw --n 4 -o drawing.gif --server grpc://localhost:50051` — draws there
- `pentimento score digit.png --model gran5-mnist` — does it look real?
- `pentimento autoencode digit.png --model pixelvae-mnist --samples 4 -o strip.png` — drawn again
- `pentimento encode digit.png --model draw-mnist -o digit.npz` — the noise that draws it again
- `pentimento likelihood digit.png --model pixelvae-mnist -k 100` — how likely is it?
"""

app = typer.Typer(
    name="pentimento",
    cls=HelpfulGroup,
    help="Draws with image generators that show every step, and serves them over HTTP and gRPC.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pentimento {_version()}")
        raise typer.Exit


@app.callback()
def program(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Says the version and exits."),
    ] = False,
) -> None:
    """Options of the program itself."""


app.command(cls=serve.ServeCommand)(serve.serve)


@app.command(cls=HelpfulCommand)
@asks_server
def models(as_json: AsJson = False, server: Server = None, bundles: Bundles = None) -> None:
    """Lists the models that can be drawn with, and the bundles that were refused."""
    from pentimento.service.cli.tables import models_json, print_models

    async def work() -> None:
        async with open_easel(server, bundles) as easel:
            rows, refusals = await easel.models()
        if as_json:
            print_json(models_json(rows, refusals))
        else:
            print_models(make_console(), rows, refusals)

    run(work())


@app.command(cls=HelpfulCommand)
@asks_server
def draw(
    model: Annotated[
        str | None,
        typer.Argument(help="A model, as `pentimento models` lists it; by default the default one."),
    ] = None,
    n: Annotated[
        int | None,
        typer.Option("--n", "-n", help="Images to draw; by default one, or as many as --labels names."),
    ] = None,
    steps: Steps = None,
    seed: Seed = None,
    seed_of: Annotated[
        list[str] | None,
        typer.Option(metavar="NOISE=SEED", help="A seed for one noise alone: a level of the model, say."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="Class to draw, for models with labels: its name, or its number from 0."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="LABEL,...", help="Classes to draw, one for each image: 0,1,2 or horse,ship."),
    ] = None,
    latents: Latents = None,
    score: Score = False,
    score_by: ScoreBy = None,
    boxes: Boxes = False,
    chosen: Set = None,
    output: Output = None,
    overwrite: Overwrite = False,
    file_format: FileFormat = None,
    scale: Scale = None,
    server: Server = None,
    bundles: Bundles = None,
) -> None:
    """Draws images, shows the drawing in the terminal as it grows, and writes it to a file."""
    from pentimento.service.cli.draw import draw_to
    from pentimento.service.cli.latents import latents_of

    async def work() -> None:
        request = GenerateRequest(
            model=model,
            n=n,
            steps=steps,
            seed=seed,
            label=label,
            labels=None if labels is None else _labels(labels),
            score=score or None,
            score_by=score_by,
            boxes=boxes or None,
            seeds=_seeds(seed_of or []),
            controls=controls_of(chosen),
        )
        if latents is not None:
            async with open_easel(server, bundles) as easel:
                given = latents_of(latents, model, (await easel.models())[0])
            request = replace(request, latents=given)
        await draw_to(open_easel(server, bundles), request, output, file_format, scale, overwrite)

    run(work())


for command in (reading.autoencode, reading.complete, encoding.encode, reading.score, reading.likelihood):
    app.command(cls=HelpfulCommand)(command)
app.command(cls=HelpfulCommand)(bench.bench)
app.command(cls=HelpfulCommand)(reload.reload)


def main() -> None:
    """Runs the program: the commands of this package, and those that entry points of other packages add."""
    tame_streams()
    for entry in sorted(set(entry_points(group=COMMANDS))):  # an install of a former name repeats them
        try:
            entry.load()(app)
        except Exception as error:  # whatever another package does, these commands work
            app.info.epilog = f"{app.info.epilog}\n\nThe {entry.name} commands are missing: {error}\n"
    app()


def _version() -> str:
    try:
        return version("pentimento-canvases")
    except PackageNotFoundError:
        return "(not installed)"


def _seeds(given: list[str]) -> dict[str, int]:
    """Seeds by name of the noise, from NAME=SEED."""
    seeds = {}
    for each in given:
        name, _, seed = each.partition("=")
        try:
            seeds[name] = int(seed)
        except ValueError:
            raise invalid("--seed-of", f"must be NOISE=SEED, such as z=7, got {each!r}") from None
    return seeds


def _labels(given: str) -> tuple[str, ...]:
    """Labels from text such as 0,1,2 or horse,ship."""
    labels = tuple(each.strip() for each in given.split(","))
    if not all(labels):
        raise invalid("--labels", f"must be classes with commas between, such as 0,1,2, got {given!r}")
    return labels
