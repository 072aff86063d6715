"""TLS on both transports, with certificates that are made here; and what keeps a server from starting."""

import socket
import ssl

import grpc
import httpx
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from pentimento.service.app import Server, StartError
from pentimento.service.door.tls import Tls
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento.service.settings import Settings
from tests.service.live import LiveServer, sse_events, wait_until
from tests.service.sockets import connections


class Files:
    """An authority, a server's certificate signed by it, and a client's; as files."""

    def __init__(self, folder):
        self.authority = trustme.CA()
        self.ca = self._write(folder / "ca.pem", self.authority.cert_pem)
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        self.certificate = self._write(folder / "certificate.pem", *issued.cert_chain_pems)
        self.key = self._write(folder / "key.pem", issued.private_key_pem)
        self.client = self.authority.issue_cert("client@example.com")
        self.client_both = self._write(folder / "client.pem", self.client.private_key_and_cert_chain_pem)
        stranger = trustme.CA().issue_cert("stranger@example.com")
        self.stranger_both = self._write(folder / "stranger.pem", stranger.private_key_and_cert_chain_pem)

    @property
    def settings(self):
        return {"tls_certificate_file": self.certificate, "tls_key_file": self.key}

    def context(self, *, both=None):
        context = ssl.create_default_context(cafile=self.ca)
        if both is not None:
            context.load_cert_chain(both)
        return context

    @staticmethod
    def _write(file, *parts):
        file.write_bytes(b"".join(part.bytes() for part in parts))
        return file


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(toys, files):
    server = LiveServer(toys, default_model="toy-steps", **files.settings)
    yield server
    server.close()


@pytest.fixture(scope="module")
def mutual(toys, files):
    server = LiveServer(toys, default_model="toy-steps", tls_client_ca_file=files.ca, **files.settings)
    yield server
    server.close()


def get(server, context, path="/models"):
    url = f"https://127.0.0.1:{server.server.http_port}{path}"
    return httpx.get(url, verify=context, trust_env=False, timeout=30)


def models(server, credentials):
    with grpc.secure_channel(server.grpc, credentials) as channel:
        return pb_grpc.CanvasServiceStub(channel).ListModels(pb.ListModelsRequest(), timeout=30).models


def test_both_speak_tls(secure, files):
    assert f"https://127.0.0.1:{secure.server.http_port}, " in secure.server.ready.text
    assert get(secure, files.context()).status_code == 200
    assert models(secure, grpc.ssl_channel_credentials(files.ca.read_bytes()))


def test_a_stream_over_tls(secure, files):
    url = f"https://127.0.0.1:{secure.server.http_port}/generate?steps=3&n=64"
    with httpx.Client(verify=files.context(), trust_env=False, timeout=30) as client:
        with client.stream("POST", url, headers={"Accept": "text/event-stream"}) as response:
            events = [name for name, _ in sse_events(response.iter_lines())]
    assert events == ["frame"] * 3 + ["done"]
    with grpc.secure_channel(secure.grpc, grpc.ssl_channel_credentials(files.ca.read_bytes())) as channel:
        request = pb.StreamCanvasRequest(drawing=pb.DrawingSpec(step_count=3, image_count=64))
        assert len(list(pb_grpc.CanvasServiceStub(channel).StreamCanvas(request, timeout=30))) == 5


def test_the_limits_hold_under_tls(toys, files):
    large = {"max_images": 4096, "max_rows_in_flight": 4096, "default_model": "toy-steps"}
    server = LiveServer(toys, **large, **files.settings, max_stall_s=1.0, default_timeout_ms=600_000)
    try:
        place = ("127.0.0.1", server.server.http_port)
        with socket.create_connection(place, timeout=30) as plain:
            with files.context().wrap_socket(plain, server_hostname="localhost") as plug:
                plug.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n")
                assert b" 431 " in plug.recv(65_536)
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect(place)
        with files.context().wrap_socket(plain, server_hostname="localhost") as plug:
            plug.sendall(
                b"POST /generate?n=4096&steps=16 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                b"Accept: application/x-ndjson\r\n\r\n"
            )
            assert b" 200 OK" in plug.recv(1000)
            assert wait_until(lambda: server.rows == 4096)
            assert wait_until(lambda: server.rows == 0 and connections(server) == 0, 20)
    finally:
        server.close()


def test_nothing_is_said_without_tls(secure):
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{secure.server.http_port}/healthz", trust_env=False, timeout=30)
    with grpc.insecure_channel(secure.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        pb_grpc.CanvasServiceStub(channel).ListModels(pb.ListModelsRequest(), timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_client_that_knows_another_authority_does_not_believe_it(secure, tmp_path):
    other = Files(tmp_path)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        get(secure, other.context())
    with pytest.raises(grpc.RpcError) as caught:
        models(secure, grpc.ssl_channel_credentials(other.ca.read_bytes()))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_old_tls_is_refused(files):
    """Clients of today cannot even ask for it any more, so it is the server's own word."""
    assert Tls.of(Settings(**files.settings)).context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_clients_need_a_certificate_where_an_authority_is_set(mutual, files):
    assert get(mutual, files.context(both=files.client_both), "/healthz").status_code == 200
    (chain,) = files.client.cert_chain_pems
    key = files.client.private_key_pem.bytes()
    assert models(mutual, grpc.ssl_channel_credentials(files.ca.read_bytes(), key, chain.bytes()))


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_without_one_of_that_authority_nothing_is_said(mutual, files, who):
    both = None if who == "nobody" else files.stranger_both
    with pytest.raises(httpx.HTTPError):
        get(mutual, files.context(both=both), "/healthz")
    pems = () if both is None else (both.read_bytes(), both.read_bytes())
    with pytest.raises(grpc.RpcError) as caught:
        models(mutual, grpc.ssl_channel_credentials(files.ca.read_bytes(), *pems))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def with_password(files, folder):
    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )
    (folder / "locked.pem").write_bytes(encrypted)
    return folder / "locked.pem"


async def test_what_does_not_fit_is_one_sentence(toys, files, tmp_path):
    (tmp_path / "text.pem").write_text("hello")
    text, other = tmp_path / "text.pem", tmp_path / "other"
    other.mkdir()
    key = {"tls_key_file": files.key}
    certificate = {"tls_certificate_file": files.certificate}
    for wrong, words in (
        (key, "tls_key_file is set, but TLS needs tls_certificate_file and tls_key_file"),
        (certificate, "tls_certificate_file is set, but TLS needs"),
        ({"tls_client_ca_file": files.ca}, "tls_client_ca_file is set, but TLS needs"),
        (
            key | {"tls_certificate_file": tmp_path / "no"},
            "tls_certificate_file '.*no' cannot be read: No such file",
        ),
        (certificate | {"tls_key_file": tmp_path / "no"}, "tls_key_file '.*no' cannot be read: No such file"),
        (certificate | {"tls_key_file": tmp_path}, "tls_key_file '.*' cannot be read: Is a directory"),
        (
            files.settings | {"tls_client_ca_file": tmp_path / "no"},
            "tls_client_ca_file '.*no' cannot be read",
        ),
        (
            key | {"tls_certificate_file": text},
            r"tls_certificate_file '.*text\.pem' has no certificate in PEM",
        ),
        (certificate | {"tls_key_file": text}, r"tls_key_file '.*text\.pem' has no private key in PEM"),
        (files.settings | {"tls_client_ca_file": text}, "tls_client_ca_file '.*' has no certificate in PEM"),
        (
            certificate | {"tls_key_file": Files(other).key},
            "tls_key_file '.*' is not the key of the certificate in",
        ),
        (
            certificate | {"tls_key_file": with_password(files, tmp_path)},
            "tls_key_file has a password; it must be",
        ),
    ):
        with pytest.raises(StartError, match=words) as caught:
            async with Server(Settings(bundles=toys, http_port=0, grpc_port=0, **wrong)):
                pytest.fail("it started")
        assert "\n" not in str(caught.value)


def test_the_key_is_not_shown(secure):
    assert "PRIVATE KEY" not in repr(secure.server._tls)
