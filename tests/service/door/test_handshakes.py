"""A TLS handshake that does not end is a connection like any other: counted, timed, and let go of."""

import socket
import ssl
import time

import pytest

from tests.service.door.test_tls import Files
from tests.service.live import LiveServer, wait_until
from tests.service.sockets import connections

LIMIT, STALL_S, TOLD = 3, 3.0, 128


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def small(toys, files):
    settings = {"max_connections": LIMIT, "max_stall_s": STALL_S, "calibrate": False} | files.settings
    server = LiveServer(toys, default_model="toy-steps", **settings)
    yield server
    server.close()


def count_open(plugs):
    """How many of these the server has not closed."""
    still = 0
    for plug in plugs:
        plug.setblocking(False)
        try:
            still += plug.recv(1) != b""
        except BlockingIOError:
            still += 1
        except OSError:
            pass
    return still


@pytest.mark.parametrize(("transport", "most"), [("http", LIMIT + TOLD), ("grpc", LIMIT)])
def test_silent_ones_are_bounded_and_let_go_of(small, transport, most):
    port = getattr(small.server, f"{transport}_port")
    plugs = [socket.create_connection(("127.0.0.1", port)) for _ in range(LIMIT + TOLD + 100)]
    try:
        assert wait_until(lambda: count_open(plugs) <= most)
        began = time.monotonic()
        assert wait_until(lambda: count_open(plugs) == 0, STALL_S * 5), f"{count_open(plugs)} stay"
        assert time.monotonic() - began < STALL_S * 5
    finally:
        for plug in plugs:
            plug.close()
    assert wait_until(lambda: connections(small) == 0)


def handshake(port, context, more):
    """Connects, and sends the last of the handshake and `more` in one packet; returns all of the answer."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", port)) as plug:
        plug.settimeout(20)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plug.sendall(outgoing.read())
                data = plug.recv(1 << 16)
                assert data, "the server has hung up"
                incoming.write(data)
        tls.write(more)
        plug.sendall(outgoing.read())  # the client's Finished, and what follows
        said = b""
        while True:
            try:
                if not (part := tls.read(1 << 16)):
                    return said
                said += part
            except ssl.SSLWantReadError:
                data = plug.recv(1 << 16)
                if not data:
                    return said
                incoming.write(data)
            except ssl.SSLError:
                return said


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_comes_with_the_last_of_a_handshake_is_read(small, files, version):
    context = files.context()
    context.minimum_version = context.maximum_version = version
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    for _ in range(20):
        assert handshake(small.server.http_port, context, ask).startswith(b"HTTP/1.1 200 OK")
    assert wait_until(lambda: connections(small) == 0)


def test_one_too_many_is_told_so_after_its_handshake(small, files):
    plugs = [socket.create_connection(("127.0.0.1", small.server.http_port)) for _ in range(LIMIT)]
    try:
        assert wait_until(lambda: connections(small) == LIMIT)
        ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = handshake(small.server.http_port, files.context(), ask)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"max_connections is 3" in answer
    finally:
        for plug in plugs:
            plug.close()


def test_who_hangs_up_or_speaks_no_tls_leaves_nothing_behind(small, caplog):
    for said in (b"", b"GET /healthz HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", small.server.http_port)) as plug:
                plug.sendall(said)
        assert wait_until(lambda: connections(small) == 0)
    assert not [record for record in caplog.records if record.exc_info]


def test_a_handshake_under_way_does_not_hold_up_a_stop(toys, files):
    server = LiveServer(toys, calibrate=False, max_stall_s=60, **files.settings)
    with socket.create_connection(("127.0.0.1", server.server.http_port)):
        assert wait_until(lambda: connections(server) == 1)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 20
