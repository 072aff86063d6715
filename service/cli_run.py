"""What the commands share: options, where the work is done, and how a command ends that cannot do it.

Imports nothing that is slow to load: a `--help` goes through here too.
"""

__all__ = [
    "Bundles",
    "Fit",
    "FitOption",
    "Model",
    "Output",
    "Scale",
    "Score",
    "ScoreBy",
    "Seed",
    "Server",
    "Steps",
    "one_sentence",
    "open_easel",
    "run",
]

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from service.errors import Code, PentimentoError

if TYPE_CHECKING:
    from service.easel import Easel

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
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", help="A model, as `pentimento models` lists it; by default the default one."
    ),
]
Steps = Annotated[int | None, typer.Option(help="Canvases to show; by default the model's number.")]
Seed = Annotated[int | None, typer.Option(help="The same seed draws the same; by default a new one.")]
Score = Annotated[bool, typer.Option("--score", help="Let the model's scorer judge every canvas.")]
ScoreBy = Annotated[
    str | None,
    typer.Option(metavar="MODEL", help="Let the scorer of another model judge every canvas instead."),
]
FitOption = Annotated[
    Fit,
    typer.Option("--fit", help="Refuse a picture of another size or colour mode, or resize and convert it."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write: .png (film strip), .gif, .apng, or .npy (float32)."),
]
Scale = Annotated[
    int | None,
    typer.Option(min=1, max=64, help="Pixels of the file for a pixel drawn; by default a visible size."),
]


def open_easel(server: str | None, bundles: Path | None) -> "AbstractAsyncContextManager[Easel]":
    """The easel for a command's options: that of a server, or else one in this process.

    Args:
        server: URL of a server, or None.
        bundles: Folder of bundles for this process; None takes the setting.
    """
    if server is not None:
        from service.easel_there import open_there

        return open_there(server)
    from service.easel_here import open_here  # loads ONNX Runtime, slower than all that a command does

    return open_here(bundles)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs a command's work; ends the program with a sentence where that fails."""
    with one_sentence():
        asyncio.run(work)


@contextmanager
def one_sentence() -> Iterator[None]:
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
