"""An exchange is one HTTP request with its answer: id, outcome, time. The middleware here counts and logs it.

Pure ASGI: Starlette's BaseHTTPMiddleware hides the client's disconnect from what is inside.
"""

__all__ = [
    "CONNECTION",
    "PARCEL",
    "SAFE_HEADERS",
    "Connection",
    "ErrorForm",
    "Exchange",
    "HttpExchanges",
    "exchange_of",
    "header",
]

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pentimento.service.door.door import Visit
from pentimento.service.door.receiving import Parcel
from pentimento.service.errors import Code
from pentimento.service.http.schemas import Problem
from pentimento.service.telemetry.metrics import Metrics, Operation
from pentimento.service.telemetry.request_log import RequestFacts, log_request, request_id

CONNECTION = "pentimento.connection"
"""Key of the ASGI scope under which `LimitedConnection` leaves itself."""

PARCEL = "pentimento.parcel"
"""Key of the ASGI scope under which it leaves the parcel that the request's body is counted in."""

_AGAIN_S = 1.0  # between looks at an answer whose deadline has passed
_KEY = "pentimento.exchange"

_STRICT = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_POLICY = b"content-security-policy"

SAFE_HEADERS: list[tuple[bytes, bytes]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (_POLICY, _STRICT),
]
"""Security headers of every answer: a browser shows it by itself and loads nothing for it."""

_PROBES = frozenset({"/healthz", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready"})
_PAGE_FILES = ("/studio/", "/docs/")  # some twenty for each time that a page is opened


ErrorForm: TypeAlias = Callable[[Problem], bytes]
"""Writes an error as the JSON of another protocol, instead of problem details."""


class Connection(Protocol):
    """The HTTP connection of a request, as far as an exchange needs it."""

    @property
    def is_full(self) -> bool:
        """Whether an answer waits for its client to read more."""
        ...

    @property
    def cut_as(self) -> str | None:
        """Outcome of a request whose connection the server has cut; None if it has not."""
        ...

    def cut(self, reason: str, outcome: str) -> None:
        """Closes the connection at once, whatever the client has not read.

        Args:
            reason: For the log.
            outcome: Of the request that is cut off; only the first counts.
        """
        ...


@dataclass(slots=True)
class Exchange(RequestFacts):
    """One request as log and metrics record it, with its connection; routes fill in operation and outcome."""

    operation: Operation | None = None  # None: not counted (health, metrics, documentation)
    status: int | None = None  # once the answer has started
    visit: Visit | None = None  # once it was let in
    connection: Connection | None = None  # None: it cannot be cut
    parcel: Parcel | None = None  # its body; None: it is not counted
    error_form: ErrorForm | None = None  # of its protocol; None: ours
    end: asyncio.TimerHandle | None = None

    @property
    def departure(self) -> str:
        """The outcome when the client is gone: `cancelled`, or what the server cut the connection as."""
        cut_as = None if self.connection is None else self.connection.cut_as
        return "cancelled" if cut_as is None else cut_as

    def close_parcel(self) -> None:
        """Says that the body is not held any more."""
        if self.parcel is not None:
            self.parcel.close()

    def must_end_within(self, seconds: float) -> None:
        """Cuts the connection if the answer waits for its client to read after `seconds`, or later."""
        if self.connection is not None:
            self.end = asyncio.get_running_loop().call_later(seconds, self._end)

    def _end(self) -> None:
        assert self.connection is not None
        if self.connection.is_full:
            late = "the deadline passed while the client was not reading"
            self.connection.cut(late, Code.DEADLINE_EXCEEDED.value.lower())
        else:  # the answer ends by itself, unless its client stops reading yet
            self.must_end_within(_AGAIN_S)


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of a name, given in lower case; None without one."""
    for key, value in scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return None


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request, by its ASGI scope."""
    exchange: Exchange = scope[_KEY]
    return exchange


class HttpExchanges:
    """ASGI middleware around everything else: makes an exchange for each request, counts it and logs it.

    A request id is taken from `X-Request-Id` where it is sane, else made; it is returned, logged, and named
    in every problem.

    Args:
        app: What is inside.
        metrics: Told of every counted request.
        error_forms: How errors are written below some paths, by their first part, such as `/v1`.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, error_forms: Mapping[str, ErrorForm] | None = None
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._error_forms = error_forms or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request: adds the headers of every answer, and records how the request ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = scope[_KEY] = Exchange(
            request_id(header(scope, b"x-request-id")),
            client=scope["client"][0] if scope.get("client") else "-",
            # Taken out: a scope that led to its connection, which has it, would await garbage collection.
            connection=scope.pop(CONNECTION, None),
            parcel=scope.pop(PARCEL, None),
            error_form=self._error_forms.get(_first_part(scope["path"])),
        )

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                exchange.close_parcel()  # whoever begins to answer has read what there was to read
                message["headers"] = _complete(message.get("headers", ()), exchange.id)
            await send(message)

        try:
            await self._app(scope, receive, tagged)
        except Exception:
            exchange.outcome = "internal"
            raise  # the answer is under way: all that is left is to close the connection
        except BaseException:
            exchange.outcome = "cancelled"
            raise
        finally:
            self._finish(scope, exchange)

    def _finish(self, scope: Scope, exchange: Exchange) -> None:
        if exchange.end is not None:
            exchange.end.cancel()
        if exchange.outcome != "ok" and exchange.departure != "cancelled":
            exchange.outcome = exchange.departure  # whatever else became of it when nobody took the answer
        exchange.close_parcel()
        exchange.connection = exchange.end = None
        if exchange.operation is not None:
            self._metrics.finished(exchange.operation, "http", exchange.outcome, exchange.seconds)
        path = scope["path"]
        quiet = exchange.status in (200, 304) and (path in _PROBES or path.startswith(_PAGE_FILES))
        log_request(
            exchange,
            "http",
            "-" if exchange.status is None else exchange.status,
            method=scope["method"],
            path=path,
            level=logging.DEBUG if quiet else logging.INFO,
        )


def _first_part(path: str) -> str:
    return path[: path.find("/", 1) % (len(path) + 1)]  # all of it, where there is no other slash


def _complete(headers: Sequence[tuple[bytes, bytes]], id: str) -> list[tuple[bytes, bytes]]:
    """An answer's headers, the request id, and the security headers that every answer has."""
    safe = SAFE_HEADERS
    for name, _ in headers:
        if name == _POLICY:  # a page's own
            safe = safe[:-1]
    return [*headers, (b"x-request-id", id.encode()), *safe]
