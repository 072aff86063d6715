"""`pentimento serve`; with a log in JSON, whatever it says before it serves is JSON, too."""

__all__ = ["ServeCommand", "serve"]

import logging
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NoReturn

import typer

from pentimento.program.endings import WRONG, fail
from pentimento.program.help import HelpfulCommand
from pentimento.service.cli.run import one_sentence
from pentimento.service.cli.serve_options import settings_from, with_settings_options


class ServeCommand(HelpfulCommand):
    """Says a wrong option in JSON where the log shall be JSON."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # click's, wherever typer has it
        """Parses the options."""
        wants_json = _wants_json(args)
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            # click's own errors; each typer has them in another module.
            if not wants_json or not hasattr(error, "format_message"):
                raise
            _refuse(error.format_message(), as_json=True)


@with_settings_options
def serve(**options: Any) -> None:  # noqa: ANN401  # one for each setting
    """Serves bundles over HTTP and gRPC until SIGTERM or Ctrl-C, then lets running drawings finish.

    Every option is also an environment variable: `--http-port` is `PENTIMENTO_HTTP_PORT`, and so on.
    """
    with one_sentence():
        try:
            settings = settings_from(options)
        except ValueError as error:
            _refuse(str(error), as_json=_asks_json(options))
        from pentimento.service.workers.run import run

        code = run(settings)
    raise typer.Exit(code)


def _refuse(sentence: str, *, as_json: bool) -> NoReturn:
    if not as_json:
        fail(sentence, WRONG)
    from pentimento.service.telemetry.request_log import configure_logging

    configure_logging("info", "json")
    logging.getLogger("pentimento").critical("pentimento cannot start: %s", sentence)
    raise typer.Exit(WRONG)


def _asks_json(options: Mapping[str, Any]) -> bool:
    return (options.get("log_format") or os.environ.get("PENTIMENTO_LOG_FORMAT")) == "json"


def _wants_json(args: Sequence[str]) -> bool:
    """Whether options that nobody has parsed yet ask for JSON: the last one counts, as it will then."""
    given = [value for name, value in pairwise(args) if name == "--log-format"]
    given += [each.partition("=")[2] for each in args if each.startswith("--log-format=")]
    return _asks_json({"log_format": given[-1] if given else None})
