"""One line that says how far a soak is: rewritten on a terminal, now and then in a log."""

__all__ = ["Progress"]

import sys
import time

_LOG_S = 30.0


class Progress:
    """Called with what is going on; on stderr."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._said = -_LOG_S

    def __call__(self, text: str) -> None:
        """Shows a line."""
        if self._terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._said >= _LOG_S:
            self._said = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leaves the line."""
        if self._terminal:
            print(file=sys.stderr)
