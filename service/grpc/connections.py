"""TCP connections of this process, found by their addresses, as gRPC opens them and cannot end one."""

__all__ = ["address_of", "end_connections", "far_end", "of_descriptor"]

import contextlib
import os
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias
from urllib.parse import unquote

_Ip: TypeAlias = IPv4Address | IPv6Address

_DESCRIPTORS = "/dev/fd"  # on Linux and macOS; elsewhere nothing is found


def end_connections(port: int, peer: str | None = None) -> int:
    """Ends connections that were accepted on a port, as if the network had; what was written is sent.

    Args:
        port: The port of this machine; who listens there goes on.
        peer: Whose connection, as gRPC writes it: `ipv4:192.0.2.1:5000` or `ipv6:%5B::1%5D:5000`; None: all.

    Returns:
        How many there were.
    """
    wanted = None if peer is None else address_of(peer)
    ended = 0
    for plug in _sockets():
        with contextlib.suppress(OSError):  # one that listens has no peer, and one may be over by now
            address = far_end(plug)
            if plug.getsockname()[1] == port and (peer is None or address == wanted):
                plug.shutdown(socket.SHUT_RDWR)
                ended += 1
    return ended


def address_of(peer: str) -> tuple[_Ip, int] | None:
    """Address and port of a peer as gRPC writes it; None where it has none."""
    _, _, place = peer.partition(":")
    host, _, port = unquote(place).rpartition(":")
    try:
        return _ip(host.strip("[]")), int(port)
    except ValueError:  # of a socket of Unix, say
        return None


def _ip(host: str) -> _Ip:
    address = ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def far_end(plug: socket.socket) -> tuple[_Ip, int]:
    """Address and port of who is connected to a socket. Raises OSError: nobody is."""
    host, number, *_ = plug.getpeername()
    return _ip(host), number


def _sockets() -> Iterator[socket.socket]:
    """All TCP sockets of this process, one after the other, each as a copy that is closed again."""
    try:
        numbers = [int(name) for name in os.listdir(_DESCRIPTORS)]
    except OSError:
        return
    for number in numbers:
        with of_descriptor(number) as plug:
            if plug is not None:
                yield plug


@contextlib.contextmanager
def of_descriptor(number: int) -> Iterator[socket.socket | None]:
    """A TCP socket of this process, as a copy that is closed again; None: it is none, or none any more."""
    try:
        copy = os.dup(number)  # which stays what it is when another thread closes the original
    except OSError:
        yield None
        return
    try:
        plug = socket.socket(fileno=copy)
    except OSError:  # a file, a pipe
        os.close(copy)
        yield None
        return
    with plug:
        is_tcp = plug.family in (socket.AF_INET, socket.AF_INET6) and plug.type == socket.SOCK_STREAM
        yield plug if is_tcp else None
