"""Gives free memory, which the C library keeps for itself, back to the system."""

__all__ = ["give_back_memory", "keep_giving_back", "memory_in_use"]

import asyncio
import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

_LOOK_S = 10.0
_MUCH = 64 << 20  # bytes: to give back less is not worth the page faults of taking it again
_STATM = Path("/proc/self/statm")  # of Linux: the second number is of pages that are in memory


def give_back_memory() -> None:
    """Gives back what is free, where the C library is one that can be asked to (glibc).

    By itself it gives back what lies at the end of a heap. The weights of graphs that are gone mostly lie in
    between, so that a server which replaces them would seem to grow to twice its size.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return
    trim(0)


def memory_in_use() -> int:
    """Bytes of this process that are in memory; 0 where the system does not tell."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


async def keep_giving_back(in_use: Callable[[], int] = memory_in_use, every_s: float = _LOOK_S) -> NoReturn:
    """Gives back, for ever, what a burst has left: when this process has 64 MiB more than it once had.

    Large bodies and answers that nobody takes are bounded while they are there; when they are gone, the C
    library would keep most of what they had.

    Args:
        in_use: Gives the bytes of this process that are in memory.
        every_s: Seconds between two looks; up to 32 times as many while what it has is in use.
    """
    least, pause_s = in_use(), every_s
    while True:
        await asyncio.sleep(pause_s)
        least, pause_s, most_s = min(least, in_use()), every_s, min(2 * pause_s, 32 * every_s)
        if in_use() - least > _MUCH:
            await asyncio.to_thread(give_back_memory)  # it takes some milliseconds
            if in_use() - least > _MUCH:
                pause_s = most_s
