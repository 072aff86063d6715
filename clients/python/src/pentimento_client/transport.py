"""The interface of the transports, HTTP and gRPC, blocking and asyncio; and the server's address."""

__all__ = ["Address", "AsyncTransport", "Transport", "bearer", "parse_url"]

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.messages import Event
from pentimento_client.models import Model, Models, Reload
from pentimento_client.proxies import is_loopback
from pentimento_client.requests import EncodeRequest, LikelihoodRequest, ScoreRequest, StreamRequest
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult

_GRPC_PORT = 50051


class Transport(Protocol):
    """Blocking calls to a server. Every error is a PentimentoError."""

    def stream(self, request: StreamRequest) -> Generator[Event, None, None]:
        """Yields the events of a drawing as they come; closing the generator cancels the drawing."""
        ...

    def score(self, request: ScoreRequest) -> ScoreResult:
        """Scores pictures with a model's discriminator or critic."""
        ...

    def encode(self, request: EncodeRequest) -> EncodeResult:
        """Encodes pictures with a model's encoder."""
        ...

    def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Computes the log-likelihood of pictures, or a lower bound of it."""
        ...

    def models(self) -> Models:
        """Lists the served models, and the folders that were refused."""
        ...

    def model(self, name: str) -> Model:
        """Returns one served model with its manifest."""
        ...

    def reload(self, token: str) -> Reload:
        """Lets the server read its bundle folder again; needs its admin token."""
        ...

    def close(self) -> None:
        """Closes the connections, and cancels what still runs on them."""
        ...


class AsyncTransport(Protocol):
    """The same calls for asyncio. Every error is a PentimentoError."""

    def stream(self, request: StreamRequest) -> AsyncGenerator[Event, None]:
        """Yields the events of a drawing as they come; closing the generator cancels the drawing."""
        ...

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """Scores pictures with a model's discriminator or critic."""
        ...

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """Encodes pictures with a model's encoder."""
        ...

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Computes the log-likelihood of pictures, or a lower bound of it."""
        ...

    async def models(self) -> Models:
        """Lists the served models, and the folders that were refused."""
        ...

    async def model(self, name: str) -> Model:
        """Returns one served model with its manifest."""
        ...

    async def reload(self, token: str) -> Reload:
        """Lets the server read its bundle folder again; needs its admin token."""
        ...

    async def close(self) -> None:
        """Closes the connections, and cancels what still runs on them."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """The address of a server, and the transport and security that its URL asks for."""

    kind: Literal["http", "grpc"]
    url: str  # of HTTP
    target: str  # of gRPC: host:port
    secure: bool
    here: bool  # on this machine, where no proxy of the environment is asked


def parse_url(url: str) -> Address:
    """Parses a server's URL: `http://`, `https://`, `grpc://` or `grpcs://` with a host, maybe a port.

    Raises:
        ValueError: It is something else.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "grpc", "grpcs") or not parts.hostname:
        raise ValueError(
            f"a server's URL is http://HOST:PORT or grpc://HOST:PORT (https, grpcs with TLS), got {url!r}"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(
        kind="http" if parts.scheme.startswith("http") else "grpc",
        url=url.rstrip("/"),
        target=f"{host}:{parts.port or _GRPC_PORT}",
        secure=parts.scheme.endswith("s"),
        here=is_loopback(parts.hostname),
    )


def bearer(token: str, name: str = "token") -> str:
    """Makes the value of `authorization` for a token: `Bearer TOKEN`.

    Args:
        token: A secret.
        name: What it is called, for the message.

    Raises:
        PentimentoError: INVALID_ARGUMENT, without the token in it, which neither httpx nor gRPC would spare.
    """
    if not token or not all("!" <= character <= "~" for character in token):
        message = f"{name} must be visible ASCII characters, got {len(token)} characters that are not all so"
        raise PentimentoError(Code.INVALID_ARGUMENT, message, field=name)
    return f"Bearer {token}"
