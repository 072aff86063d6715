"""Tables that cut nothing: as wide as need be in a pipe, and fitted to a terminal as far as names allow."""

__all__ = ["AsJson", "Column", "finite", "print_json", "print_table"]

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Annotated

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_GAP = "  "
_LEAST = 24  # characters for the last column; with fewer it goes below its row
_INDENT = "    "

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, for programs, instead of text.")
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and whether its cells are figures, which stand to the right."""

    heading: str
    right: bool = False


def print_json(document: object) -> None:
    """Prints a JSON document on stdout: in ASCII, which every encoding has; NaN and infinity become null."""
    typer.echo(json.dumps(finite(document), indent=2, allow_nan=False))


def print_table(console: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table with its headings; the first cell of a row is its name.

    No cell is cut. Where a terminal is too narrow, the last column is wrapped, or stands below its row; what
    still does not fit is left to the terminal, which breaks lines and keeps every character.

    Args:
        console: Where to print.
        columns: Headings; cells of the last one may be long.
        rows: A cell a column.
    """
    cells = [[column.heading for column in columns], *(list(row) for row in rows)]
    widths = [max(cell_len(row[i]) for row in cells) for i in range(len(columns))]
    room = console.width if console.is_terminal else None
    before = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    below = room is not None and len(widths) > 1 and before + min(widths[-1], _LEAST) > room
    for number, row in enumerate(cells):
        head = [_fill(cell, width, c.right) for cell, width, c in zip(row, widths, columns, strict=True)]
        style = "bold" if number == 0 else ""
        first, last = head[0], row[-1]
        if room is None:
            lines = [_GAP.join(head)]
        elif below:
            lines = [_GAP.join(head[:-1]), *_wrapped(last, room - len(_INDENT), _INDENT)]
        elif not columns[-1].right:
            start, *more = _wrapped(last, room - before, "") or [""]
            lines = [_GAP.join([*head[:-1], start]), *(" " * before + line for line in more)]
        else:
            lines = [_GAP.join(head)]
        for i, line in enumerate(lines):
            text = Text(line.rstrip(), style=style)
            if i == 0:
                text.stylize("bold", 0, len(first.rstrip()))
            console.print(text, soft_wrap=True)


def finite(value: object) -> object:
    """The same document for JSON, in which NaN and infinity become null."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    return [finite(each) for each in value] if isinstance(value, list | tuple) else value


def _fill(cell: str, width: int, right: bool) -> str:
    blank = " " * (width - cell_len(cell))
    return blank + cell if right else cell + blank


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    """Lines broken at spaces only: a name that is too long for its line stays whole."""
    lines = textwrap.wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False)
    return [indent + line for line in lines]
