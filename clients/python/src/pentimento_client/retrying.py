"""Retries requests that met an overloaded or unreachable server.

Nothing that is retried changes anything on the server. A stream is retried only until its first event is
given out: from then on somebody has seen its seed.
"""

__all__ = ["AsyncRetryingTransport", "RetryingTransport"]

import asyncio
import random
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import replace
from typing import TypeVar

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.messages import Event
from pentimento_client.models import Model, Models, Reload
from pentimento_client.requests import EncodeRequest, LikelihoodRequest, ScoreRequest, StreamRequest
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult
from pentimento_client.transport import AsyncTransport, Transport

FIRST_WAIT_S = 0.2  # doubles with each try
LONGEST_WAIT_S = 5.0
LONGEST_RETRY_AFTER_S = 60.0  # a server's wish beyond that is not waited for: the caller gets the error

_TRANSIENT = (Code.OVERLOADED, Code.UNAVAILABLE)

Answer = TypeVar("Answer")
Request = TypeVar("Request", bound="StreamRequest | ScoreRequest | EncodeRequest | LikelihoodRequest")


class _Tries:
    """Counts the tries of one request, and keeps them within its time."""

    def __init__(self, retries: int, timeout_s: float | None) -> None:
        self._retries = self._left = retries
        self._range_s = FIRST_WAIT_S
        self._end = None if timeout_s is None else time.monotonic() + timeout_s

    def wait_s(self, error: PentimentoError) -> float | None:
        """Seconds before the next try, or None: no more.

        With exponential backoff and full jitter, so that clients do not come back together, and not before
        the server's `retry_after_s`.
        """
        if error.code not in _TRANSIENT or self._left == 0:
            return None
        if (error.retry_after_s or 0) > LONGEST_RETRY_AFTER_S:
            return None
        wait_s = (error.retry_after_s or 0) + random.uniform(0, self._range_s)
        if self._end is not None and time.monotonic() + wait_s >= self._end:
            return None
        self._left -= 1
        self._range_s = min(LONGEST_WAIT_S, 2 * self._range_s)
        return wait_s

    def timed(self, request: Request) -> Request:
        """The request with what is left of its time as `timeout_s`."""
        if self._end is None or self._left == self._retries:  # the first: as the caller said it
            return request
        return replace(request, timeout_s=max(0.001, self._end - time.monotonic()))


class RetryingTransport:
    """A blocking transport that retries the calls of another; methods as described in `Transport`.

    Args:
        inner: Makes the calls.
        retries: How often one call is repeated at most.
    """

    def __init__(self, inner: Transport, retries: int) -> None:
        self._inner = inner
        self._retries = retries
        self._closed = threading.Event()

    def stream(self, request: StreamRequest) -> Generator[Event, None, None]:
        """Yields the events of a drawing; closing the generator cancels it."""
        events, first = self._again(self._begin, request)
        try:
            yield first
            yield from events
        finally:
            events.close()

    def _begin(self, request: StreamRequest) -> tuple[Generator[Event, None, None], Event]:
        events = self._inner.stream(request)
        return events, next(events)

    def score(self, request: ScoreRequest) -> ScoreResult:
        """Scores pictures."""
        return self._again(self._inner.score, request)

    def encode(self, request: EncodeRequest) -> EncodeResult:
        """Encodes pictures."""
        return self._again(self._inner.encode, request)

    def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Computes the log-likelihood of pictures, or a bound of it."""
        return self._again(self._inner.likelihood, request)

    def models(self) -> Models:
        """Lists the served models."""
        return self._repeat(_Tries(self._retries, None), self._inner.models)

    def model(self, name: str) -> Model:
        """Returns one served model with its manifest."""
        return self._repeat(_Tries(self._retries, None), lambda: self._inner.model(name))

    def reload(self, token: str) -> Reload:
        """Lets the server read its bundle folder again; once: a second try would find nothing changed."""
        return self._inner.reload(token)

    def close(self) -> None:
        """Closes the connections, and ends the waiting between tries."""
        self._closed.set()
        self._inner.close()

    def _again(self, call: Callable[[Request], Answer], request: Request) -> Answer:
        tries = _Tries(self._retries, request.timeout_s)
        return self._repeat(tries, lambda: call(tries.timed(request)))

    def _repeat(self, tries: _Tries, call: Callable[[], Answer]) -> Answer:
        while True:
            try:
                return call()
            except PentimentoError as error:
                wait_s = tries.wait_s(error)
                if wait_s is None or self._closed.wait(wait_s):
                    raise


class AsyncRetryingTransport:
    """The same for asyncio; methods as described in `AsyncTransport`.

    Args:
        inner: Makes the calls.
        retries: How often one call is repeated at most.
    """

    def __init__(self, inner: AsyncTransport, retries: int) -> None:
        self._inner = inner
        self._retries = retries
        self._closed = False

    async def stream(self, request: StreamRequest) -> AsyncGenerator[Event, None]:
        """Yields the events of a drawing; closing the generator cancels it."""
        events, first = await self._again(self._begin, request)
        try:
            yield first
            async for event in events:
                yield event
        finally:
            await events.aclose()

    async def _begin(self, request: StreamRequest) -> tuple[AsyncGenerator[Event, None], Event]:
        events = self._inner.stream(request)
        return events, await anext(events)

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """Scores pictures."""
        return await self._again(self._inner.score, request)

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """Encodes pictures."""
        return await self._again(self._inner.encode, request)

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Computes the log-likelihood of pictures, or a bound of it."""
        return await self._again(self._inner.likelihood, request)

    async def models(self) -> Models:
        """Lists the served models."""
        return await self._repeat(_Tries(self._retries, None), self._inner.models)

    async def model(self, name: str) -> Model:
        """Returns one served model with its manifest."""
        return await self._repeat(_Tries(self._retries, None), lambda: self._inner.model(name))

    async def reload(self, token: str) -> Reload:
        """Lets the server read its bundle folder again; not retried, as in `RetryingTransport`."""
        return await self._inner.reload(token)

    async def close(self) -> None:
        """Closes the connections; nothing is tried again."""
        self._closed = True
        await self._inner.close()

    async def _again(self, call: Callable[[Request], Awaitable[Answer]], request: Request) -> Answer:
        tries = _Tries(self._retries, request.timeout_s)
        return await self._repeat(tries, lambda: call(tries.timed(request)))

    async def _repeat(self, tries: _Tries, call: Callable[[], Awaitable[Answer]]) -> Answer:
        while True:
            try:
                return await call()
            except PentimentoError as error:
                wait_s = tries.wait_s(error)
                if wait_s is None or self._closed:
                    raise
                await asyncio.sleep(wait_s)
                if self._closed:
                    raise
