"""How a command ends that cannot do its work: a sentence on stderr, an exit code that says whose fault."""

__all__ = ["FAILED", "INTERRUPTED", "WRONG", "code_of", "end", "fail", "flush_or_fail", "reason_of"]

import errno
import os
import sys
from typing import NoReturn
from urllib.error import URLError

import typer

FAILED = 1
"""Something failed that was asked for rightly: a disk, a network, a model."""
WRONG = 2
"""The request was wrong: asked again, it is refused again."""
INTERRUPTED = 130
"""The user pressed Ctrl-C; as shells have it."""

_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}


def fail(sentence: str, code: int) -> NoReturn:
    """Prints a sentence on stderr and ends the command.

    Args:
        sentence: Field, limit, value, and what to do next.
        code: `FAILED`, `WRONG` or `INTERRUPTED`.
    """
    print(f"pentimento: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def code_of(error: BaseException | None) -> int:
    """The exit code for an error, or for the error that it was made of.

    `FAILED` for what the system or the network refused, unless a file or folder that somebody named is not
    there; `WRONG` for everything else.
    """
    if isinstance(error, URLError):
        return FAILED
    if isinstance(error, OSError) and error.errno is not None:
        return WRONG if error.errno in _NOT_THERE else FAILED
    return WRONG if error is None else code_of(error.__cause__)


def end(error: BaseException) -> NoReturn:
    """Ends the command for an error that a command may end with; whatever is none of these goes on as it is.

    A `RuntimeError` is a failure; the others are as `code_of` says.
    """
    match error:
        case BrokenPipeError():
            # Whoever read has enough, such as `head`: nothing to say, and nothing more to write at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(FAILED)
        case KeyboardInterrupt():
            fail("interrupted", INTERRUPTED)
        case ValueError():
            fail(str(error), code_of(error))
        case OSError():
            fail(reason_of(error), code_of(error))
        case RuntimeError():
            fail(str(error), FAILED)
    raise error


def reason_of(error: OSError) -> str:
    """What an error of the system says, without its number: the file, and what is wrong with it."""
    if error.strerror is None:
        return str(error)
    reason = error.strerror[:1].lower() + error.strerror[1:]
    return f"{error.filename or 'what is read or written'}: {reason}"


def flush_or_fail() -> None:
    """Writes what stdout still holds, so that a full disk is said, and is not lost when Python ends."""
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        end(error)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fail(reason_of(OSError(error.errno, error.strerror, "stdout")), FAILED)
