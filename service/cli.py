"""The program `pentimento`. What a command needs is imported inside it, so that `--help` is quick.

A command that cannot do its work says why in one sentence on stderr and exits with 2 where the request was
wrong, and with 1 where something failed.
"""

__all__ = ["app", "main"]

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from service.errors import Code, PentimentoError
from service.messages import GenerateRequest, ImageInput, ScoreRequest
from service.serve_options import settings_from, with_settings_options

COMMANDS = "pentimento.commands"
"""Entry-point group: a function that takes the typer application and adds commands to it."""

EPILOG = """
**Examples**

- `pentimento serve --http-port 9000` — the bundles of the folder zoo, over HTTP and gRPC
- `pentimento models` — what can be drawn with
- `pentimento draw gran5-mnist --n 8 --seed 7 -o strip.png` — draws here, without a server
- `pentimento draw --n 4 -o drawing.gif --server grpc://localhost:50051` — draws there
- `pentimento score digit.png --model gran5-mnist` — does it look real?
"""

app = typer.Typer(
    name="pentimento",
    help="Draws with image generators that show every step, and serves them over HTTP and gRPC.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_USER_ERRORS = {Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.UNSUPPORTED}


class Fit(StrEnum):
    """What to do with a picture of another size or colour mode."""

    EXACT = "exact"
    RESIZE = "resize"


Server = Annotated[
    str | None,
    typer.Option(
        envvar="PENTIMENTO_SERVER",
        metavar="URL",
        help="A server, http://HOST:PORT or grpc://HOST:PORT. Without it the work is done in this process.",
    ),
]
Bundles = Annotated[
    Path | None,
    typer.Option(
        envvar="PENTIMENTO_BUNDLES", help="Folder of bundles, for work in this process. [default: zoo]"
    ),
]


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


@app.command()
@with_settings_options
def serve(**options: Any) -> None:  # noqa: ANN401  # one for each setting
    """Serves bundles over HTTP and gRPC until SIGTERM or Ctrl-C, then lets running drawings finish.

    Every option is also an environment variable: `--http-port` is `PENTIMENTO_HTTP_PORT`, and so on.
    """
    with _one_sentence():
        settings = settings_from(options)
        from service.app import run

        code = run(settings)
    raise typer.Exit(code)


@app.command()
def models(server: Server = None, bundles: Bundles = None) -> None:
    """Lists the models that can be drawn with, and the bundles that were refused."""
    from service.cli_tables import models_table, refusals_table
    from service.studio import open_studio

    async def work() -> None:
        async with open_studio(server, bundles) as studio:
            rows, refusals = await studio.models()
        console = Console()
        console.print(models_table(rows))
        if refusals:
            console.print(refusals_table(refusals))

    _run(work())


@app.command()
def draw(
    model: Annotated[
        str | None,
        typer.Argument(help="A model, as `pentimento models` lists it; by default the default one."),
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", help="Images to draw.")] = 1,
    steps: Annotated[
        int | None, typer.Option(help="Canvases to show; by default the model's number.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed draws the same; by default a new one.")
    ] = None,
    label: Annotated[int | None, typer.Option(help="Class to draw, for models with labels.")] = None,
    score: Annotated[
        bool, typer.Option("--score", help="Let the model's scorer judge every canvas.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write: .png (film strip), .gif, .apng, or .npy (float32)."
        ),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Pixels of the file for a pixel drawn; by default a visible size."),
    ] = None,
    server: Server = None,
    bundles: Bundles = None,
) -> None:
    """Draws images, shows the drawing in the terminal as it grows, and writes it to a file."""
    from service.cli_draw import draw_to
    from service.studio import open_studio

    request = GenerateRequest(model=model, n=n, steps=steps, seed=seed, label=label, score=score)

    async def work() -> None:
        await draw_to(open_studio(server, bundles), request, output, scale, Console(stderr=True))

    _run(work())


@app.command()
def score(
    images: Annotated[list[Path], typer.Argument(help="PNG or JPEG files.", exists=True, dir_okay=False)],
    model: Annotated[str | None, typer.Option("--model", "-m", help="A model that can score.")] = None,
    fit: Annotated[
        Fit, typer.Option(help="Refuse a picture of another size or colour mode, or resize and convert it.")
    ] = Fit.EXACT,
    server: Server = None,
    bundles: Bundles = None,
) -> None:
    """Asks a model's discriminator or critic for its opinion of pictures."""
    from service.cli_tables import scores_table
    from service.studio import open_studio

    async def work() -> None:
        files = tuple(ImageInput(data=path.read_bytes(), name=str(path)) for path in images)
        async with open_studio(server, bundles) as studio:
            result = await studio.score(ScoreRequest(model=model, images=files, fit=fit.value))
        console = Console()
        console.print(f"{result.model} {result.version}, a {result.scores.kind}", highlight=False)
        console.print(scores_table([str(path) for path in images], result))

    _run(work())


def main() -> None:
    """Runs the program: these commands, and those that other packages registered."""
    for entry in entry_points(group=COMMANDS):
        try:
            entry.load()(app)
        except Exception as error:  # whatever another package does, these commands work
            app.info.epilog = f"{app.info.epilog}\n\nThe {entry.name} commands are missing: {error}\n"
    app()


def _version() -> str:
    try:
        return version("pentimento")
    except PackageNotFoundError:
        return "(not installed)"


def _run(work: Coroutine[Any, Any, None]) -> None:
    with _one_sentence():
        asyncio.run(work)


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Ends the program with a sentence instead of a traceback where the cause lies outside of it."""
    from bundle.store import BundleError

    try:
        yield
    except PentimentoError as error:
        _fail(error.message, 2 if error.code in _USER_ERRORS else 1)
    except (BundleError, ValueError) as error:
        _fail(str(error), 2)
    except (OSError, RuntimeError) as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted", 130)


def _fail(sentence: str, code: int) -> NoReturn:
    print(f"pentimento: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


if __name__ == "__main__":
    main()
