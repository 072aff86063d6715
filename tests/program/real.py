"""Runs the real program, in a pipe or in a terminal of a given width."""

__all__ = ["in_pipe", "in_terminal"]

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

PROGRAM = [sys.executable, "-m", "pentimento.service.cli"]
ROOT = Path(__file__).parents[2]
_STEERS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _environment(**changes: str) -> dict[str, str]:
    forced = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING", "GITHUB_ACTIONS")
    own = {name: value for name, value in os.environ.items() if name not in forced}
    return own | {"PENTIMENTO_CALIBRATE": "false", "TERM": "xterm-256color"} | changes


def in_pipe(
    *arguments: object, command: list[str] = PROGRAM, text: bool = True, cwd: Path = ROOT, **environment: str
):
    """Runs the program with pipes for stdout and stderr; returns what subprocess does."""
    words = [*command, *map(str, arguments)]
    return subprocess.run(
        words, cwd=cwd, env=_environment(**environment), capture_output=True, text=text, timeout=120
    )


def in_terminal(*arguments: object, columns: int = 80) -> tuple[int, str]:
    """Runs the program in a pseudo-terminal; returns exit code and text, without what steers the terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=ROOT,
        env=_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return process.wait(60), _STEERS.sub("", shown.decode()).replace("\r\n", "\n")
