"""Exit codes: 2 where asking again would be refused again, 1 where something failed."""

import errno
from urllib.error import URLError

import pytest
import typer

from pentimento.program.endings import code_of, end


def made_of(cause):
    error = ValueError("what a command says")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ValueError("--steps must be 1..16, got 99"), 2, "--steps must be 1..16, got 99"),
        (FileNotFoundError(errno.ENOENT, "No such file", "x.png"), 2, "x.png: no such file"),
        (PermissionError(errno.EACCES, "Permission denied", "[x].png"), 1, "[x].png: permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "what is read or written: no space left"),
        (RuntimeError("the graph failed"), 1, "the graph failed"),
        (made_of(OSError(errno.ENOSPC, "No space left on device")), 1, "what a command says"),
        (made_of(FileNotFoundError(errno.ENOENT, "No such file")), 2, "what a command says"),
        (made_of(URLError("no route")), 1, "what a command says"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_an_error_ends_with_a_sentence_and_a_code(capsys, error, code, says):
    with pytest.raises(typer.Exit) as caught:
        end(error)
    assert caught.value.exit_code == code
    assert capsys.readouterr().err.startswith(f"pentimento: {says}")


def test_a_defect_is_none_of_these():
    with pytest.raises(KeyError):
        end(KeyError("a defect"))
    assert code_of(KeyError("a defect")) == 2
