"""TCP connections of this process, found by their addresses: gRPC opens them and has no way to end one."""

__all__ = ["end_connections"]

import contextlib
import os
import socket
from collections.abc import Iterator

_DESCRIPTORS = "/dev/fd"  # on Linux and macOS; elsewhere nothing is found


def end_connections(port: int) -> int:
    """Ends every connection that was accepted on a port, as if the network had; what was written is sent.

    Args:
        port: The port of this machine; who listens there goes on.

    Returns:
        How many there were.
    """
    ended = 0
    for plug in _sockets():
        with contextlib.suppress(OSError):  # one that listens has no peer, and one may be over by now
            if plug.getsockname()[1] == port and plug.getpeername():
                plug.shutdown(socket.SHUT_RDWR)
                ended += 1
    return ended


def _sockets() -> Iterator[socket.socket]:
    """All that speak TCP, one after the other, each as a descriptor of its own that is closed again."""
    try:
        numbers = [int(name) for name in os.listdir(_DESCRIPTORS)]
    except OSError:
        return
    for number in numbers:
        try:
            copy = os.dup(number)  # which stays what it is when another thread closes the original
        except OSError:
            continue
        try:
            plug = socket.socket(fileno=copy)
        except OSError:  # a file, a pipe
            os.close(copy)
            continue
        with plug:
            if plug.family in (socket.AF_INET, socket.AF_INET6) and plug.type == socket.SOCK_STREAM:
                yield plug
