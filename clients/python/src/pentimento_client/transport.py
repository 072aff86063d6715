"""What a client needs of a transport, sync or async. A stream that is closed is cancelled."""

__all__ = ["Address", "AsyncTransport", "Transport", "bearer", "parse_url"]

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.messages import Event
from pentimento_client.models import Model, Models, Reload
from pentimento_client.requests import EncodeRequest, LikelihoodRequest, ScoreRequest, StreamRequest
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult

_GRPC_PORT = 50051


class Transport(Protocol):
    """Calls that block. Every error is a PentimentoError."""

    def stream(self, request: StreamRequest) -> Generator[Event, None, None]:
        """A drawing as it comes; closing the generator cancels it."""
        ...

    def score(self, request: ScoreRequest) -> ScoreResult:
        """A scorer's opinion of pictures."""
        ...

    def encode(self, request: EncodeRequest) -> EncodeResult:
        """What an encoder makes of pictures."""
        ...

    def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """How likely a model finds pictures."""
        ...

    def models(self) -> Models:
        """All served models."""
        ...

    def model(self, name: str) -> Model:
        """One served model with its manifest."""
        ...

    def reload(self, token: str) -> Reload:
        """Lets the server read its bundle folder again."""
        ...

    def close(self) -> None:
        """Closes the connections."""
        ...


class AsyncTransport(Protocol):
    """The same calls for asyncio."""

    def stream(self, request: StreamRequest) -> AsyncGenerator[Event, None]:
        """A drawing as it comes; closing the generator cancels it."""
        ...

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """A scorer's opinion of pictures."""
        ...

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """What an encoder makes of pictures."""
        ...

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """How likely a model finds pictures."""
        ...

    async def models(self) -> Models:
        """All served models."""
        ...

    async def model(self, name: str) -> Model:
        """One served model with its manifest."""
        ...

    async def reload(self, token: str) -> Reload:
        """Lets the server read its bundle folder again."""
        ...

    async def close(self) -> None:
        """Closes the connections."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a server is, and how to speak to it."""

    kind: Literal["http", "grpc"]
    url: str  # of HTTP
    target: str  # of gRPC: host:port
    secure: bool


def parse_url(url: str) -> Address:
    """Reads `http://`, `https://`, `grpc://` or `grpcs://` with host and port.

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
    )


def bearer(token: str, name: str = "token") -> str:
    """The value of `authorization` for a token.

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
