"""File descriptors: each connection is one, and the system lets a process have so many.

At the limit the event loop takes connections only to close them, without a word to anybody.
"""

__all__ = ["fit_descriptors", "watch_descriptors"]

import asyncio
import errno
import importlib
import logging
import os
from typing import NoReturn

_log = logging.getLogger(__name__)

# Besides the connections that are let in: some 30 of the process itself, two for each other worker; bundles
# and pages that are read; and 128 connections of HTTP that are told that they are too many.
_OTHERS = 256
_LOOK_S = 1.0
_AGAIN_S = 60.0  # between two lines that say the same


def fit_descriptors(max_connections: int) -> int:
    """Raises this process's limit of open files, which its children inherit, as far as connections need it.

    Args:
        max_connections: Of each of two transports, in one process.

    Returns:
        How many fit: as many, or fewer where the system's hard limit is lower; then the log says so.

    Raises:
        RuntimeError: One sentence: not even one fits.
    """
    try:
        resource = importlib.import_module("resource")
    except ImportError:  # Windows, which has no such limit
        return max_connections
    needed = 2 * max_connections + _OTHERS
    soft: int
    hard: int
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return max_connections
    # Not to the hard limit itself, which may be a billion: there are programs that go through all numbers.
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    except (OSError, ValueError):  # macOS has another limit below the one that it tells
        pass
    fits = (soft - _OTHERS) // 2
    if fits >= max_connections:
        return max_connections
    if fits < 1:
        raise RuntimeError(
            f"a process may have {soft} files open here (ulimit -Hn), and this one needs {_OTHERS + 2}, or "
            f"{needed} for max_connections"
        )
    _log.warning(
        "a process may have %d files open here (ulimit -Hn): of each transport it takes %d connections in "
        "place of %d; raise the limit to %d, or lower max_connections",
        *(soft, fits, max_connections, needed),
    )
    return fits


async def watch_descriptors() -> NoReturn:
    """Says in the log when there are none left, at most once a minute, and when there are some again."""
    loop = asyncio.get_running_loop()
    said_at: float | None = None
    while True:
        await asyncio.sleep(_LOOK_S)
        error = _try()
        if error is None:
            if said_at is not None:
                _log.warning("files can be opened again")
            said_at = None
        elif said_at is None or loop.time() - said_at > _AGAIN_S:
            said_at = loop.time()
            _log.error(
                "no more files can be opened (%s): who connects now is reset; raise the limit, or lower "
                "max_connections",
                error,
            )


def _try() -> str | None:
    """Opens a file; returns the system's reason if there are too many of this process, or of all."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return error.strerror
    return None
