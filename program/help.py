"""The help of commands: panels on a terminal, elsewhere plain text with an option a line, for grep."""

__all__ = ["HelpfulCommand", "HelpfulGroup"]

import inspect
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import typer
from typer.core import TyperCommand, TyperGroup

from pentimento.program.console import encodable, is_terminal

_SHORT = {
    "int": "N",
    "int range": "N",
    "float": "N",
    "float range": "N",
    "str": "TEXT",
    "path": "PATH",
    "file": "FILE",
    "directory": "FOLDER",
}
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_LIMITS = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
}
_MARKS = str.maketrans("", "", "*`")  # of the epilogue's Markdown


class _Formatter(Protocol):
    def write(self, string: str) -> None: ...


class HelpfulCommand(TyperCommand):
    """A command whose help says a flag's name without a type, and types in a word; its errors, likewise."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # click's, wherever typer has it
        """Parses the options; a value of the wrong type is said in our words."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            _say_in_our_words(error)
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # click's, wherever typer has it
        """Writes the help: panels on a terminal, plain lines elsewhere."""
        _shorten(self.get_params(ctx), ctx)
        if is_terminal(sys.stdout):
            super().format_help(ctx, formatter)
        else:
            _write_plain(self, ctx, formatter, ())


class HelpfulGroup(TyperGroup):
    """The program itself, with the same help and plain errors where there is no terminal."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # as above
        """Writes the help: panels on a terminal, plain lines elsewhere."""
        _shorten(self.get_params(ctx), ctx)
        if is_terminal(sys.stdout):
            super().format_help(ctx, formatter)
        else:
            found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
            _write_plain(self, ctx, formatter, [(n, c) for n, c in found if c and not c.hidden])

    def main(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as above
        """Runs the program; without a terminal a wrong option is said in plain lines, without a frame."""
        if not is_terminal(sys.stderr):
            self.rich_markup_mode = None
        return super().main(*args, **options)


def _shorten(params: Iterable[Any], ctx: typer.Context) -> None:
    for param in params:
        if is_terminal(sys.stdout) and param.secondary_opts:
            # In a column of their own they would take the room that the text needs.
            param.help = f"{param.help or ''} Or {', '.join(param.secondary_opts)}.".strip()
            param.secondary_opts = []
        if param.metavar is not None:
            continue
        if getattr(param, "is_flag", False):
            param.metavar = ""  # else a flag is said to take a <bool>
        elif param.param_type_name == "argument":
            param.metavar = param.name.upper()
            param.display_type_rich = _no_type  # the name says it, and `<list[Path]>` says less
        elif hasattr(param, "display_type"):
            kind = param.display_type(ctx).strip("<>")
            param.metavar = _SHORT.get(kind, kind)


def _say_in_our_words(error: Exception) -> None:
    """Puts field, limit and value into an error for which typer takes a phrase of pydantic's."""
    read: Any = getattr(error.__cause__, "errors", None)
    if read is None or not hasattr(error, "message"):
        return
    found = read()[0]
    kind, limits = found["type"], found.get("ctx", {})
    if kind in _LIMITS:
        must = _LIMITS[kind].format(**limits)
    elif kind.partition("_")[0] in _KINDS:
        must = f"must be {_KINDS[kind.partition('_')[0]]}"
    else:
        error.message = error.message.removeprefix("Value error, ")
        return
    error.message = f"{must}, got {found['input']!r}"


def _no_type(ctx: typer.Context) -> str:
    return ""


def _write_plain(
    command: Any,  # noqa: ANN401  # click's, wherever typer has it
    ctx: Any,  # noqa: ANN401
    formatter: _Formatter,
    commands: Sequence[tuple[str, Any]],
) -> None:
    def write(text: str) -> None:
        formatter.write(encodable(text, sys.stdout))

    write(command.get_usage(ctx) + "\n")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        write(f"\n{' '.join(paragraph.split())}\n")
    panels: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            kind = "Arguments" if param.param_type_name == "argument" else "Options"
            panels.setdefault(getattr(param, "rich_help_panel", None) or kind, []).append(record)
    for name, each in commands:
        first = inspect.cleandoc(each.help or "").split("\n\n")[0]
        panels.setdefault(getattr(each, "rich_help_panel", None) or "Commands", []).append((name, first))
    for title, records in panels.items():
        width = max(len(name) for name, _ in records)
        write(f"\n{title}:\n")
        for name, text in records:
            write(f"  {name:{width}}  {' '.join(text.split())}".rstrip() + "\n")
    if command.epilog:
        write("\n" + inspect.cleandoc(command.epilog).translate(_MARKS) + "\n")
