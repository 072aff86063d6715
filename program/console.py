"""Where commands print: users' text is never markup; without a terminal nothing is wrapped or decorated."""

__all__ = ["encodable", "is_terminal", "make_console", "tame_streams"]

import codecs
import io
import sys
from typing import TextIO

from rich.console import Console

_PLAINER = {"…": "...", "—": "-", "–": "-", "×": "x", "’": "'", "“": '"', "”": '"', "•": "*"}
_HANDLER = "pentimento.plainer"


def make_console(*, stderr: bool = False, file: TextIO | None = None) -> Console:
    """A console that prints text as it is: `[brackets]` and `:colons:` of names stand for themselves.

    Args:
        stderr: Whether for progress and notes, which go beside what a command puts out.
        file: A stream instead of stdout or stderr.
    """
    stream = file or (sys.stderr if stderr else sys.stdout)
    terminal = is_terminal(stream)
    return Console(
        file=file,
        stderr=stderr,
        # Said outright: FORCE_COLOR and the like would make a pipe pass for a terminal, of 80 columns.
        force_terminal=terminal,
        soft_wrap=not terminal,
        markup=False,
        emoji=False,
        highlight=False,
    )


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at a stream: a terminal that can do more than print."""
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def tame_streams() -> None:
    """Lets stdout and stderr print everything: what their encoding lacks becomes plainer, or is escaped."""
    for stream in (sys.stdout, sys.stderr):
        # What passes bytes of file names through stays so, where everything else can be written, too.
        passes = ("surrogateescape",) if stream.encoding in ("utf-8", "utf8") else ()
        if isinstance(stream, io.TextIOWrapper) and stream.errors not in passes:
            stream.reconfigure(errors=_HANDLER)


def encodable(text: str, stream: TextIO) -> str:
    """The text as `tame_streams` lets a stream print it; click would write UTF-8 where ASCII is wanted."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, _HANDLER).decode(encoding, "surrogateescape")


def _plainer(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    # Bytes of a file's name that the C locale could not read: whoever looks can, as the terminal speaks more.
    escaped = "surrogateescape" if error.encoding == "ascii" else "backslashreplace"
    plain = b"".join(
        _PLAINER[c].encode()
        if c in _PLAINER
        else c.encode("ascii", escaped if "\udc80" <= c <= "\udcff" else "backslashreplace")
        for c in lost
    )
    return plain, error.end


codecs.register_error(_HANDLER, _plainer)
