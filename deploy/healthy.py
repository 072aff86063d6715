"""The image's health check: exit code 0 if the server in this container is ready.

On a socket of its own: to load urllib takes longer than all of this, every few seconds.
`healthy.py PORT` asks another port.
"""

import socket
import sys

port = int(sys.argv[1]) if sys.argv[1:] else 8000
with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
    connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
    answer = connection.recv(64)
sys.exit(0 if answer.split()[1:2] == [b"200"] else f"not ready: {answer!r}")
