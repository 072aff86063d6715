"""A bare HTTP client on a socket, for tests that send and receive slowly, wrongly, or not at all."""

__all__ = ["Plug", "connections"]

import json
import socket
import time
from typing import Any, Self


class Plug:
    """One connection to a server; `with` closes it.

    Args:
        server: A `LiveServer`.
        receive_bytes: About what the kernel holds for the reader; by default some megabytes.
    """

    def __init__(self, server: Any, *, receive_bytes: int | None = None) -> None:
        self._socket = socket.socket()
        if receive_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._socket.settimeout(30)
        self._socket.connect(("127.0.0.1", server.server.http_port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._socket.sendall(data)

    def ask(self, line: str, *headers: str) -> None:
        """Sends a request without a body; `line` is its first line."""
        self.send("\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode())

    def receive(self, most: int = 65_536) -> bytes:
        """Receives what there is next, `most` bytes at the most; nothing if the server has closed."""
        try:
            return self._socket.recv(most)
        except ConnectionError:
            return b""

    def rest(self) -> bytes:
        """Receives everything until the server closes."""
        return b"".join(iter(self.receive, b""))

    def problem(self) -> tuple[int, dict[str, Any]]:
        """Receives an error, after which the server closes; returns status and the problem in the body."""
        head, _, body = self.rest().partition(b"\r\n\r\n")
        assert b"application/problem+json" in head and b"nosniff" in head, head
        return int(head.split()[1]), json.loads(body)

    def send_until_closed(self, data: bytes, times: int = 100_000) -> int:
        """Sends the same again and again until the server has closed; returns how often."""
        for sent in range(times):
            try:
                self.send(data)
            except ConnectionError:
                return sent
        raise AssertionError("the server takes it all")

    def closes_within(self, seconds: float) -> bool:
        """Whether the server closes the connection within that time, without sending anything."""
        end = time.monotonic() + seconds
        return self.receive() == b"" and time.monotonic() < end


def connections(server: Any) -> int:
    """Number of HTTP connections that a server has open."""
    return len(server.server._http.server_state.connections)
