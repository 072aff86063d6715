"""How many bytes the connections of this process have received, as Linux counts them: gRPC does not say."""

__all__ = ["Meter"]

import contextlib
import os
import socket
import sys
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address

from pentimento.service.grpc.connections import address_of, far_end, of_descriptor

_FOLDER = "/proc/self/fd"  # of links, whose targets name a socket for as long as it exists
_RECEIVED = slice(128, 136)  # of struct tcp_info: tcpi_bytes_received, since Linux 4.1

_Address = tuple[IPv4Address | IPv6Address, int]


class Meter:
    """Measures connections that were accepted on one port.

    All are looked through only for one that is new; and to ask a socket who is at its other end takes longer
    than to see which it is. So both are kept.

    Args:
        port: Gives the port of this machine.
    """

    def __init__(self, port: Callable[[], int]) -> None:
        self._port = port
        self._seen: dict[str, _Address | None] = {}  # by link; None: another kind of socket, or another port
        self._numbers: dict[_Address, int] = {}  # of descriptors, by who was at the other end

    def __call__(self, peers: Iterable[str]) -> dict[str, int]:
        """Bytes that connections have received since they began, whether or not anybody has read them.

        Args:
            peers: Whose, as gRPC writes them.

        Returns:
            By peer, of those that are connected. Nothing where the system does not tell.
        """
        if sys.platform != "linux":
            return {}
        wanted = {address: peer for peer in peers if (address := address_of(peer)) is not None}
        received = {peer: self._received(address) for address, peer in wanted.items()}
        if None in received.values():
            self._look_through()
            received = {peer: self._received(address) for address, peer in wanted.items()}
        return {peer: count for peer, count in received.items() if count is not None}

    def _look_through(self) -> None:
        """Finds the descriptors of all connections on the port, and who is at their other ends."""
        seen: dict[str, _Address | None] = {}
        numbers: dict[_Address, int] = {}
        for name in os.listdir(_FOLDER):
            try:
                link = os.readlink(f"{_FOLDER}/{name}")
            except OSError:  # it is closed by now
                continue
            if link.startswith("socket:"):
                address = self._seen[link] if link in self._seen else self._peer(int(name))
                seen[link] = address
                if address is not None:
                    numbers[address] = int(name)
        self._seen, self._numbers = seen, numbers

    def _peer(self, number: int) -> _Address | None:
        with of_descriptor(number) as plug, contextlib.suppress(OSError):
            if plug is not None and plug.getsockname()[1] == self._port():
                return far_end(plug)
        return None

    def _received(self, address: _Address) -> int | None:
        number = self._numbers.get(address)
        if number is None:
            return None
        with of_descriptor(number) as plug, contextlib.suppress(OSError):
            # By now it may be another's.
            if plug is not None and far_end(plug) == address and plug.getsockname()[1] == self._port():
                told = plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED.stop)
                if len(told) == _RECEIVED.stop:
                    return int.from_bytes(told[_RECEIVED], sys.byteorder)
        return None
