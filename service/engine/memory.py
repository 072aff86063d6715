"""Gives free memory, which the C library keeps for itself, back to the system."""

__all__ = ["give_back_memory"]

import ctypes


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
