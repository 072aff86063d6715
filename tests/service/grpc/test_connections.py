"""Connections that are found by their addresses and ended: real sockets of this process."""

import contextlib
import socket
import sys
import time

import pytest

from pentimento.service.grpc.connections import end_connections
from pentimento.service.grpc.meter import Meter


@pytest.fixture(params=["127.0.0.1", "::1", "::"])
def listener(request):
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        plug = socket.create_server((request.param, 0), family=family, dualstack_ipv6=request.param == "::")
    except (OSError, ValueError):
        pytest.skip("this machine has no IPv6")
    with plug:
        yield plug


@contextlib.contextmanager
def connected(listener):
    """A client, what was accepted of it, and its name as gRPC writes it."""
    host, port = listener.getsockname()[:2]
    host = "127.0.0.1" if host == "::" else host
    with socket.create_connection((host, port), timeout=10) as client:
        accepted, _ = listener.accept()
        number = client.getsockname()[1]
        with accepted:
            yield client, accepted, f"ipv6:%5B{host}%5D:{number}" if ":" in host else f"ipv4:{host}:{number}"


def test_only_the_one_that_is_named_is_ended_and_what_was_written_is_sent(listener):
    port = listener.getsockname()[1]
    with connected(listener) as (client, accepted, name), connected(listener) as (other, others, _):
        accepted.sendall(b"the last words")
        assert end_connections(port, name) == 1
        assert (client.recv(100), client.recv(100)) == (b"the last words", b"")
        others.sendall(b"more")
        assert other.recv(100) == b"more"
        assert end_connections(port, "ipv4:192.0.2.1:5") == end_connections(port, "unix:/tmp/x") == 0
        assert end_connections(port) == 2, "all that were accepted"
        assert other.recv(100) == b""
    with connected(listener) as (client, _, _):  # who listens goes on
        assert client.fileno() >= 0


def test_no_other_port_is_touched_and_no_descriptor_is_left(listener):
    with socket.create_server(("127.0.0.1", 0)) as other, connected(other) as (client, accepted, _):
        free = socket.socket()
        before = free.fileno()
        free.close()
        assert end_connections(listener.getsockname()[1]) == 0
        accepted.sendall(b"still there")
        assert client.recv(100) == b"still there"
        with socket.socket() as next_one:
            assert next_one.fileno() == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")
def test_what_a_connection_has_received_is_counted_read_or_not(listener):
    meter = Meter(lambda: listener.getsockname()[1])
    with connected(listener) as (client, accepted, name), connected(listener) as (_, _, other):
        assert meter([name, other]) == {name: 0, other: 0}
        client.sendall(b"x" * 10_000)
        accepted.recv(4_000)
        end = time.monotonic() + 20
        while (found := meter([name])) != {name: 10_000}:
            assert time.monotonic() < end, found
    assert meter([name, "ipv4:192.0.2.1:5", "unix:/tmp/x"]) == {}, "it is over"
