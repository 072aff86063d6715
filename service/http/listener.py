"""Opens the socket for HTTP, with timeouts of the kernel for clients that are gone or take nothing."""

__all__ = ["BACKLOG", "listen"]

import math
import socket

BACKLOG = 2048
"""Connections that may wait to be accepted."""


def listen(host: str, port: int, max_stall_s: float, *, shared: bool = False) -> socket.socket:
    """Opens a socket that does not block, and listens unless it is one of several on the port.

    Args:
        host: An address or a name of this machine.
        port: 0 takes a free one.
        max_stall_s: Seconds in which a client must take something; the kernel gives it twice as many.
        shared: Whether other workers have the port, too, which the parent has made sure of.

    Raises:
        OSError: One sentence: the address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OSError(f"HTTP cannot listen on {host!r}: {error.strerror}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted connections inherit these
            # A client that vanished without a word would hold its answer for ever, as would one that takes
            # nothing of what the kernel has: too little of an answer for the server to see. What the server
            # does see, it ends itself, and before.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, math.ceil(max_stall_s * 2000))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, math.ceil(max_stall_s / 2))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        listener.bind(address)
        if not shared:  # a worker listens when it can answer: until then others do
            listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(f"HTTP cannot listen on {host}:{port}: {error.strerror}") from None
    listener.setblocking(False)
    return listener
