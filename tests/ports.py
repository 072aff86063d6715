"""Ports for programs that cannot be told to take any that is free."""

__all__ = ["free_port"]

import itertools
import os
import random
import socket
import threading

# Below those that a kernel gives to whoever asks for any, so that nobody is given one before it is used. Each
# of the processes that test side by side has a part of its own.
_FIRST, _EACH = 16_000, 1_000
_PART = _FIRST + _EACH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 16)
_offsets = itertools.count(random.SystemRandom().randrange(_EACH))
_lock = threading.Lock()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, another one each time."""
    for _ in range(_EACH):
        with _lock:
            port = _PART + next(_offsets) % _EACH
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one just left will do
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
