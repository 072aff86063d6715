"""Tables keep every character of every cell, whatever the width of the terminal."""

import io
import json

import pytest
from rich.console import Console

from pentimento.program.tables import Column, print_json, print_table

NAME = "a-name-[red]of-forty-characters[/]-and-more"
COLUMNS = [Column("name"), Column("count", right=True), Column("what")]
ROWS = [[NAME, "7", "some words that are longer than a narrow terminal is wide"], ["b", "10", ""]]


def printed(width, terminal, columns=COLUMNS, rows=ROWS):
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=terminal, color_system=None, markup=False, emoji=False
    )
    print_table(console, columns, rows)
    return file.getvalue()


@pytest.mark.parametrize("width", [10, 40, 60, 80, 100, 200])
def test_no_name_is_cut_in_a_terminal(width):
    text = printed(width, True)
    assert NAME in text
    assert " ".join(text.split()).count("narrow terminal is wide") == 1
    if width >= 60:
        assert all(len(line) <= width for line in text.splitlines())


def test_a_pipe_gets_a_line_a_row_without_blanks_at_the_end():
    lines = printed(80, False).splitlines()
    assert len(lines) == 3 and lines == [line.rstrip() for line in lines]
    assert lines[1] == f"{NAME}      7  {ROWS[0][2]}"
    assert lines[2] == f"b{' ' * len(NAME[1:])}     10"


def test_what_has_no_room_beside_its_row_stands_below():
    lines = printed(60, True).splitlines()
    assert lines[2].split() == [NAME, "7"]
    assert lines[3].startswith("    some words")


def test_json_is_ascii_and_figures_that_json_lacks_are_null(capsys):
    print_json({"name": "naïve", "nats": [float("-inf"), 1.5, float("nan")]})
    text = capsys.readouterr().out
    assert text.isascii()
    assert json.loads(text, parse_constant=pytest.fail) == {"name": "naïve", "nats": [None, 1.5, None]}
