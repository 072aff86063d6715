"""Shows how far a soak is in one line: rewritten on a terminal, repeated now and then in a log."""

__all__ = ["Progress"]

import sys
import time

_LOG_S = 30.0


class Progress:
    """Call it with what is going on; it writes that to stderr."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._said = -_LOG_S

    def __call__(self, text: str) -> None:
        """Shows a text in place of the last one."""
        if self._terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._said >= _LOG_S:
            self._said = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Ends the line, so that what is written next begins on a new one."""
        if self._terminal:
            print(file=sys.stderr)
