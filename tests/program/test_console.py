"""Consoles print users' text as it is, into every encoding."""

import io
import sys

import pytest

from pentimento.program.console import encodable, make_console, tame_streams
from tests.program.real import in_pipe


def test_text_of_users_is_never_markup():
    file = io.StringIO()
    for text in ("strip[final].png", "q[/b].png", ":smile: [red]x[/red]", "a/" * 100 + "digit.png"):
        make_console(file=file).print(text)
    assert file.getvalue().splitlines() == [
        "strip[final].png",
        "q[/b].png",
        ":smile: [red]x[/red]",
        "a/" * 100 + "digit.png",
    ]


@pytest.mark.parametrize("name", ["FORCE_COLOR", "GITHUB_ACTIONS", "TTY_COMPATIBLE"])
def test_a_pipe_is_no_terminal_whatever_the_environment_says(name, monkeypatch):
    monkeypatch.setenv(name, "1")
    assert not make_console(file=io.StringIO()).is_terminal


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "cp437"])
def test_every_encoding_prints_every_text(monkeypatch, encoding):
    raw = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(raw, encoding=encoding))
    tame_streams()
    make_console().print("five … 5 × 5 — ▀ \udcff")
    sys.stdout.flush()
    text = raw.getvalue().decode(encoding)
    assert text.startswith("five") and text.endswith("\\udcff\n")


@pytest.mark.parametrize("errors", ["strict", "surrogateescape", "backslashreplace"])
def test_in_the_c_locale_names_of_files_are_as_they_are(monkeypatch, errors):
    """Python could not read them; the terminal may know more than the locale says."""
    raw = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(raw, encoding="ascii", errors=errors))
    tame_streams()
    make_console().print("five … 5 × 5 — ▀ b\udcc3\udca4der")
    sys.stdout.flush()
    assert raw.getvalue() == "five ... 5 x 5 - \\u2580 bäder\n".encode()
    assert encodable("b\udcc3\udca4der", sys.stdout) == "b\udcc3\udca4der"


@pytest.mark.parametrize(
    ("arguments", "encoding"),
    [("--help", "ascii"), ("--help", "latin-1"), ("recipes", "ascii"), ("models", "ascii")],
)
def test_the_program_prints_into_other_encodings(arguments, encoding):
    done = in_pipe(arguments, text=False, PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and done.stdout.decode(encoding), done.stderr
    assert b"Error" not in done.stderr
