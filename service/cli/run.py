"""What the commands share: the options of a server, the choice of the easel, and one-sentence errors.

Imports nothing that is slow to load: a `--help` goes through here too.
"""

__all__ = ["Server", "asks_server", "one_sentence", "open_easel", "run"]

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from pentimento.program.endings import FAILED, WRONG, end, fail, flush_or_fail
from pentimento.service.cli.flags import in_flags
from pentimento.service.cli.remote import Remote
from pentimento.service.errors import Code, PentimentoError, invalid

if TYPE_CHECKING:
    from pentimento.service.cli.easel import Easel

_PANEL = "Server"  # of --help
# Asked again, these are refused again.
_USER_ERRORS = {
    Code.INVALID_ARGUMENT,
    Code.UNAUTHENTICATED,
    Code.PERMISSION_DENIED,
    Code.NOT_FOUND,
    Code.UNSUPPORTED,
    Code.PAYLOAD_TOO_LARGE,
}

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
    try:
        lines = file.read_text().split()
    except UnicodeDecodeError:
        raise invalid("--api-key-file", f"must be a text file, {file} is none") from None
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
    except typer.Exit:
        raise
    except PentimentoError as error:
        fail(in_flags(error.message), WRONG if error.code in _USER_ERRORS else FAILED)
    except BundleError as error:
        fail(str(error), WRONG)
    except (ValueError, OSError, RuntimeError, KeyboardInterrupt) as error:
        end(error)
    flush_or_fail()
