"""Fixtures of the client's tests: real servers, and one interface to blocking and async clients."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pentimento_client import AsyncClient, Client, Drawing, Frame

from tests.service.live import LiveServer
from tests.service.toys import write_toys

ZOO = Path(__file__).parents[2] / "zoo"
BUNDLES = ("gran5-mnist", "acgan-mnist", "pixelcnn-mnist", "pixelvae-mnist", "vae-mnist")

KEY, ADMIN = "key-" + "a" * 20, "admin-" + "z" * 20


class Face:
    """A client with the same calls whether it blocks or is async, so that one set of tests covers both."""

    def __init__(self, url: str, style: str, **connect: Any) -> None:
        self.url, self.style, self.connect = url, style, connect

    def call(self, name: str, *args: Any, **options: Any) -> Any:
        """Calls a method of the client, and returns its result."""
        if self.style == "sync":
            with Client(self.url, **self.connect) as client:
                return getattr(client, name)(*args, **options)

        async def call() -> Any:
            async with AsyncClient(self.url, **self.connect) as client:
                return await getattr(client, name)(*args, **options)

        return asyncio.run(call())

    def generate(self, *args: Any, **options: Any) -> Drawing:
        """Calls the client's `generate`, and returns the drawing."""
        drawing = self.call("generate", *args, **options)
        assert isinstance(drawing, Drawing)
        return drawing

    def take(
        self, count: int, *args: Any, inside: Callable[[], None], after: Callable[[], None], **options: Any
    ) -> list[Frame]:
        """Takes the first `count` frames of a stream, and then leaves it.

        `inside` is called while the stream is open, `after` when it was left and the client is open.
        """
        if self.style == "sync":
            with Client(self.url, **self.connect) as client:
                with client.stream(*args, **options) as stream:
                    frames = [next(stream) for _ in range(count)]
                    inside()
                after()
                return frames

        async def take() -> list[Frame]:
            async with AsyncClient(self.url, **self.connect) as client:
                async with client.stream(*args, **options) as stream:
                    frames = [await anext(stream) for _ in range(count)]
                    await asyncio.to_thread(inside)
                await asyncio.to_thread(after)
                return frames

        return asyncio.run(take())


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of all toys and of a broken bundle, with one lane and room for 64 rows."""
    bundles = tmp_path_factory.mktemp("bundles")
    write_toys(bundles)
    (bundles / "broken").mkdir()
    server = LiveServer(bundles, default_model="toy-steps", max_rows_in_flight=64)
    yield server
    server.close()


def url_of(live: LiveServer, transport: str) -> str:
    """Address at which a client finds the server over a transport."""
    return live.http if transport == "http" else f"grpc://{live.grpc}"


@pytest.fixture(params=["http", "grpc"])
def url(request: pytest.FixtureRequest, live: LiveServer) -> str:
    """Address of the server; tests run once for each transport."""
    return url_of(live, request.param)


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest, url: str) -> Face:
    """A client; tests run for the blocking and the async one, over both transports."""
    return Face(url, request.param)


class Files:
    """Certificates and keys as files: of an authority, of a server, of a client."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca = self._write(folder / "ca.pem", authority.cert_pem)
        server = authority.issue_cert("localhost", "127.0.0.1")
        self.certificate = self._write(folder / "server.pem", *server.cert_chain_pems)
        self.key = self._write(folder / "server.key", server.private_key_pem)
        client = authority.issue_cert("client@example.com")
        self.client = self._write(folder / "client.pem", *client.cert_chain_pems)
        self.client_key = self._write(folder / "client.key", client.private_key_pem)
        self.client_both = self._write(folder / "both.pem", client.private_key_and_cert_chain_pem)

    @staticmethod
    def _write(file: Path, *parts: trustme.Blob) -> Path:
        file.write_bytes(b"".join(part.bytes() for part in parts))
        return file


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory, files: Files) -> Iterator[LiveServer]:
    """A server that demands TLS, a client's certificate and an API key."""
    folder = tmp_path_factory.mktemp("bundles")
    write_toys(folder, ("toy-steps",))
    server = LiveServer(
        folder,
        api_keys=KEY,
        admin_token=ADMIN,
        tls_certificate_file=files.certificate,
        tls_key_file=files.key,
        tls_client_ca_file=files.ca,
        calibrate=False,
    )
    yield server
    server.close()


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of the bundles of zoo/ that the documents of the clients name."""
    folder = tmp_path_factory.mktemp("zoo")
    for name in BUNDLES:
        shutil.copytree(ZOO / name, folder / name)
    server = LiveServer(folder, calibrate=False)
    yield server
    server.close()
