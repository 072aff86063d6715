"""What the commands share: options, the choice of the easel, and one-sentence errors.

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
    "asks_server",
    "one_sentence",
    "open_easel",
    "run",
]

import asyncio
import functools
import inspect
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeAlias

import typer

from pentimento.service.cli.remote import Remote
from pentimento.service.errors import Code, PentimentoError, invalid

if TYPE_CHECKING:
    from pentimento.service.cli.easel import Easel

_PANEL = "Server"  # of --help
_USER_ERRORS = {Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.UNSUPPORTED}


class Fit(StrEnum):
    """What to do with a picture of another size or colour mode."""

    EXACT = "exact"
    RESIZE = "resize"


Server: TypeAlias = Remote | None
"""The server that shall do a command's work (see `asks_server`); None: it is done in this process."""

_ServerFile = functools.partial(typer.Option, rich_help_panel=_PANEL, dir_okay=False, exists=True)
_SERVER_OPTIONS = {
    "server": Annotated[
        str | None,
        typer.Option(
            envvar="PENTIMENTO_SERVER",
            metavar="URL",
            rich_help_panel=_PANEL,
            help="http://HOST:PORT or grpc://HOST:PORT, with TLS https or grpcs. Without it the work is "
            "done in this process.",
        ),
    ],
    "api_key_file": Annotated[
        Path | None,
        _ServerFile(
            envvar="PENTIMENTO_API_KEY_FILE",
            help="File with the API key that the server wants; by default it is in PENTIMENTO_API_KEY.",
        ),
    ],
    "ca_file": Annotated[
        Path | None,
        _ServerFile(
            envvar="PENTIMENTO_CA_FILE", help="Authorities in PEM to trust instead of the usual ones."
        ),
    ],
    "client_certificate_file": Annotated[
        Path | None,
        _ServerFile(
            envvar="PENTIMENTO_CLIENT_CERTIFICATE_FILE",
            help="Certificate in PEM to show to the server, where it wants one.",
        ),
    ],
    "client_key_file": Annotated[
        Path | None,
        _ServerFile(
            envvar="PENTIMENTO_CLIENT_KEY_FILE",
            help="Its private key in PEM; by default it is in the same file.",
        ),
    ],
}
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


def asks_server(command: Callable[..., None]) -> Callable[..., None]:
    """Replaces a command's parameter `server` by the options for URL, API key and certificates."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def run_command(**options: Any) -> None:  # noqa: ANN401  # one for each option
        given = {name: options.pop(name) for name in _SERVER_OPTIONS}
        with one_sentence():
            server = _remote(**given)
        command(server=server, **options)

    parameters = [parameter for name, parameter in signature.parameters.items() if name != "server"]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _SERVER_OPTIONS.items()
    ]
    run_command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    run_command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run_command


def _remote(
    server: str | None,
    api_key_file: Path | None,
    ca_file: Path | None,
    client_certificate_file: Path | None,
    client_key_file: Path | None,
) -> Remote | None:
    """The server that these options name; None without a URL, whatever the others may be."""
    if server is None:
        return None
    return Remote(
        url=server,
        # Not an option itself: other users of a machine see the options of its programs.
        api_key=_one_word(api_key_file) if api_key_file else os.environ.get("PENTIMENTO_API_KEY") or None,
        ca_file=ca_file,
        certificate_file=client_certificate_file,
        key_file=client_key_file,
    )


def _one_word(file: Path) -> str:
    lines = file.read_text().split()
    if len(lines) != 1:
        raise invalid("--api-key-file", f"must have one key and nothing else, {file} has {len(lines)} words")
    return lines[0]


def open_easel(server: Remote | None, bundles: Path | None) -> "AbstractAsyncContextManager[Easel]":
    """Opens the easel that a command's options name: on a server, or else in this process.

    Args:
        server: A server, or None.
        bundles: Folder of bundles for this process; None takes the setting.
    """
    if server is not None:
        from pentimento.service.cli.easel_there import open_there

        return open_there(server)
    from pentimento.service.cli.easel_here import (
        open_here,  # loads ONNX Runtime, slower than all that a command does
    )

    return open_here(bundles)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs a command's coroutine to its end, within `one_sentence`."""
    with one_sentence():
        asyncio.run(work)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turns expected errors into one sentence on stderr and an exit code, without a traceback.

    The code is 2 where the request was wrong, 1 where something failed, 130 where the user interrupted.
    """
    from pentimento.bundle.store import BundleError

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
