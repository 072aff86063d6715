"""Ports that all workers of a server listen on, and nobody else."""

__all__ = ["Ports"]

import contextlib
import socket

from pentimento.service.settings import Settings


class Ports:
    """Both ports, reserved until `close`: bound here and not listened on, so that workers can share them.

    Args:
        settings: Where to listen; port 0 takes a free one.

    Raises:
        OSError: One sentence: an address cannot be had, or another server has it.
    """

    def __init__(self, settings: Settings) -> None:
        self._held: list[socket.socket] = []
        try:
            self.http = self._reserve("HTTP", settings.host, settings.http_port)
            self.grpc = self._reserve("gRPC", settings.host, settings.grpc_port)
        except OSError:
            self.close()
            raise

    def _reserve(self, what: str, host: str, port: int) -> int:
        try:
            family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            raise OSError(f"{what} cannot listen on {host!r}: {error.strerror}") from None
        try:
            if port:
                # Two servers of the same user could share a port as workers do. One that listens already is
                # found by a socket that shares with nobody; of two that start at once, one has the name.
                with socket.socket(family, kind) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(address)
                    probe.listen(1)
                self._held.append(_name(address))
            held = socket.socket(family, kind)
            self._held.append(held)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(address)
        except OSError as error:
            raise OSError(f"{what} cannot listen on {host}:{port}: {error.strerror}") from None
        return int(held.getsockname()[1])

    def close(self) -> None:
        """Lets go of both."""
        for held in self._held:
            with contextlib.suppress(OSError):
                held.close()


def _name(address: tuple[object, ...]) -> socket.socket:
    """Takes a name in the kernel that one process at a time can have, for as long as the socket is open."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0pentimento {address[0]} {address[1]}")
    except OSError:
        name.close()
        raise
    return name
