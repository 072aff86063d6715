"""HTTP on a bare socket, for clients that send and take slowly, wrongly, or not at all."""

__all__ = ["Plug", "connections"]

import json
import socket
import time
from typing import Any, Self


class Plug:
    """A connection to a server; `with` closes it.

    Args:
        server: A `LiveServer`.
        receive_bytes: What the kernel holds for the reader, about; unset: some megabytes.
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
        """Sends a request without a body."""
        self.send("\r\n".join([f"{line} HTTP/1.1", "Host: x", *headers, "", ""]).encode())

    def receive(self, most: int = 65_536) -> bytes:
        """What there is next; nothing: the server has closed."""
        try:
            return self._socket.recv(most)
        except ConnectionError:
            return b""

    def rest(self) -> bytes:
        """Everything until the server closes."""
        return b"".join(iter(self.receive, b""))

    def problem(self) -> tuple[int, dict[str, Any]]:
        """Status and content of a problem, after which the server closes."""
        head, _, body = self.rest().partition(b"\r\n\r\n")
        assert b"application/problem+json" in head and b"nosniff" in head, head
        return int(head.split()[1]), json.loads(body)

    def send_until_closed(self, data: bytes, times: int = 100_000) -> int:
        """Sends the same again and again until the server has closed; how often."""
        for sent in range(times):
            try:
                self.send(data)
            except ConnectionError:
                return sent
        raise AssertionError("the server takes it all")

    def closes_within(self, seconds: float) -> bool:
        """Whether the server closes in that time without a word."""
        end = time.monotonic() + seconds
        return self.receive() == b"" and time.monotonic() < end


def connections(server: Any) -> int:
    """Connections of HTTP that a server has."""
    return len(server.server._http.server_state.connections)
