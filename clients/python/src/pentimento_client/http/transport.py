"""The transport over HTTP: frames come as NDJSON, one line a step."""

__all__ = ["AsyncHttpTransport", "HttpTransport"]

from collections.abc import AsyncGenerator, Callable, Generator
from typing import TypeVar

import httpx

from pentimento_client.connection import Connection
from pentimento_client.http import calls, wire
from pentimento_client.http.calls import CONNECT_S
from pentimento_client.http.errors import http_errors, raise_for_problem
from pentimento_client.messages import Event
from pentimento_client.models import Model, Models, Reload
from pentimento_client.proxies import through
from pentimento_client.requests import EncodeRequest, LikelihoodRequest, ScoreRequest, StreamRequest
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult

Answer = TypeVar("Answer")
HttpClient = TypeVar("HttpClient")


class HttpTransport:
    """Blocking calls over HTTP; methods as described in `Transport`."""

    def __init__(self, connection: Connection) -> None:
        self._client = _open(httpx.Client, connection)

    def stream(self, request: StreamRequest) -> Generator[Event, None, None]:
        """Posts a request to draw, and yields its events; closing the generator cancels the drawing."""
        call = calls.stream_call(request)
        with http_errors(), self._client.stream(**call) as response:
            if not response.is_success:
                response.read()
                raise_for_problem(response)
            reader = wire.StreamReader(response)
            yield reader.header
            for chunk in response.iter_bytes():
                yield from reader.feed(chunk)
            reader.end()

    def score(self, request: ScoreRequest) -> ScoreResult:
        """Calls POST /score."""
        return self._ask(calls.score_call(request), wire.score)

    def encode(self, request: EncodeRequest) -> EncodeResult:
        """Calls POST /encode."""
        return self._ask(calls.encode_call(request), wire.encode)

    def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Calls POST /likelihood."""
        return self._ask(calls.likelihood_call(request), wire.likelihood)

    def models(self) -> Models:
        """Calls GET /models."""
        return self._ask({"method": "GET", "url": "/models"}, wire.models)

    def model(self, name: str) -> Model:
        """Calls GET /models/{name}."""
        return self._ask({"method": "GET", "url": calls.model_path(name)}, wire.model)

    def reload(self, token: str) -> Reload:
        """Calls POST /models:reload, with the admin token."""
        return self._ask(calls.reload_call(token), wire.reload)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _ask(self, call: calls.Call, read: Callable[[wire.Json], Answer]) -> Answer:
        with http_errors():
            response = self._client.request(**call)
            raise_for_problem(response)
            return read(response.json())


class AsyncHttpTransport:
    """The same calls for asyncio; methods as described in `AsyncTransport`."""

    def __init__(self, connection: Connection) -> None:
        self._client = _open(httpx.AsyncClient, connection)

    async def stream(self, request: StreamRequest) -> AsyncGenerator[Event, None]:
        """Posts a request to draw, and yields its events; closing the generator cancels the drawing."""
        call = calls.stream_call(request)
        with http_errors():
            async with self._client.stream(**call) as response:
                if not response.is_success:
                    await response.aread()
                    raise_for_problem(response)
                reader = wire.StreamReader(response)
                yield reader.header
                async for chunk in response.aiter_bytes():
                    for event in reader.feed(chunk):
                        yield event
                reader.end()

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """Calls POST /score."""
        return await self._ask(calls.score_call(request), wire.score)

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """Calls POST /encode."""
        return await self._ask(calls.encode_call(request), wire.encode)

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Calls POST /likelihood."""
        return await self._ask(calls.likelihood_call(request), wire.likelihood)

    async def models(self) -> Models:
        """Calls GET /models."""
        return await self._ask({"method": "GET", "url": "/models"}, wire.models)

    async def model(self, name: str) -> Model:
        """Calls GET /models/{name}."""
        return await self._ask({"method": "GET", "url": calls.model_path(name)}, wire.model)

    async def reload(self, token: str) -> Reload:
        """Calls POST /models:reload, with the admin token."""
        return await self._ask(calls.reload_call(token), wire.reload)

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _ask(self, call: calls.Call, read: Callable[[wire.Json], Answer]) -> Answer:
        with http_errors():
            response = await self._client.request(**call)
            raise_for_problem(response)
            return read(response.json())


def _open(kind: Callable[..., HttpClient], connection: Connection) -> HttpClient:
    """Makes httpx's client.

    Raises:
        ValueError: The environment names a proxy that cannot be used.
    """
    address, tls = connection.address, connection.tls
    # Without authorities of its own, those that httpx would find, were it to look at the environment.
    verify = tls.context if tls is not None else httpx.create_ssl_context() if address.secure else True
    try:
        return kind(
            base_url=address.url,
            headers={} if connection.authorization is None else {"Authorization": connection.authorization},
            timeout=httpx.Timeout(connection.silence_s, connect=min(CONNECT_S, connection.silence_s)),
            verify=verify,
            trust_env=not address.here,  # a proxy would ask its own machine for what is on this one
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ValueError(f"{address.url} cannot be asked{through(address.url)}: {error}") from None
