"""One HTTP request and its answer: id, outcome, time; the middleware that begins, counts and logs it.

Pure ASGI: Starlette's BaseHTTPMiddleware hides the client's disconnect from what is inside.
"""

__all__ = ["Exchange", "HttpExchanges", "exchange_of"]

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import Metrics, Operation

_log = logging.getLogger("pentimento.http")

_KEY = "pentimento.exchange"
_ID = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}")


@dataclass(slots=True)
class Exchange:
    """What is known of one request; routes fill in operation and outcome."""

    id: str
    operation: Operation | None = None  # None: not counted (health, metrics, documentation)
    outcome: str = "ok"  # ok, cancelled, or an error code in lower case
    started: float = field(default_factory=time.monotonic)
    status: int | None = None  # once the answer has started

    @property
    def seconds(self) -> float:
        """Time since the request began."""
        return time.monotonic() - self.started


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that a request belongs to."""
    exchange: Exchange = scope[_KEY]
    return exchange


class HttpExchanges:
    """ASGI middleware around all routes.

    A request id is taken from `X-Request-Id` where it is sane (up to 128 letters, digits and ._~+/=:@-), else
    made; it is returned, logged, and named in every problem.

    Args:
        app: What is inside.
        metrics: Told of every counted request.
        answer_defect: Answers a request whose handling failed by a defect.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        answer_defect: Callable[[Scope, Receive, Send], Awaitable[None]],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._answer_defect = answer_defect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = scope[_KEY] = Exchange(_request_id(Headers(scope=scope).get("x-request-id")))

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = exchange.id
            await send(message)

        try:
            await self._app(scope, receive, tagged)
        except Exception:
            exchange.outcome = "internal"
            if exchange.status is not None:
                raise  # the answer is under way: all that is left is to close the connection
            _log.exception("request %s failed: %s %s", exchange.id, scope["method"], scope["path"])
            await self._answer_defect(scope, receive, tagged)
        except BaseException:
            exchange.outcome = "cancelled"
            raise
        finally:
            self._finish(scope, exchange)

    def _finish(self, scope: Scope, exchange: Exchange) -> None:
        if exchange.operation is not None:
            self._metrics.finished(exchange.operation, "http", exchange.outcome, exchange.seconds)
        _log.debug(
            "%s %s %s %s %.1f ms %s",
            scope["method"],
            scope["path"][:200].encode("ascii", "backslashreplace").decode().replace("\n", "\\n"),
            exchange.status if exchange.status is not None else "-",
            exchange.outcome,
            exchange.seconds * 1000,
            exchange.id,
        )


def _request_id(given: str | None) -> str:
    if given is not None and _ID.fullmatch(given):
        return given
    return secrets.token_hex(8)
