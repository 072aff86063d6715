"""Access control over HTTP: API keys, request rates and open streams, before the request itself is read."""

__all__ = ["HttpDoor", "describe_keys"]

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from pentimento.service.door.door import Caller, Door, Guard
from pentimento.service.errors import PentimentoError
from pentimento.service.http.exchange import exchange_of, header
from pentimento.service.http.once import check_headers
from pentimento.service.http.origins import Origins
from pentimento.service.http.picture_path import DRAWINGS
from pentimento.service.open_inference.names import operation_of
from pentimento.service.telemetry.metrics import Operation

# What tells nothing but that this is Pentimento, alive or ready, and how to ask it. /metrics is not among it.
_GUARDS: dict[str, Guard] = {
    "/": "none",
    "/healthz": "none",
    "/readyz": "none",
    "/docs": "none",
    "/openapi.json": "none",
    "/models:reload": "admin",
    "/v2/health/live": "none",
    "/v2/health/ready": "none",
}
_PROBES = frozenset(
    {"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"}
)  # monitors have names of their own for us
_FILES = ("/studio/", "/docs/")  # of pages, the same everywhere: they ask for the key themselves

_OPERATIONS: dict[str, Operation] = {
    "/generate": "generate",
    "/autoencode": "autoencode",
    "/complete": "complete",
    "/encode": "encode",
    "/score": "score",
    "/likelihood": "likelihood",
    "/models": "models",
    "/models:reload": "reload",
    "/v1/images/generations": "generate",
    "/v1/images/edits": "complete",
    "/v1/models": "models",
}
_MODELS = ("/models/", "/v1/models/", "/v2/models/", "/v2/repository/index")
_REPOSITORY = "/v2/repository/models/"


class HttpDoor:
    """ASGI middleware that lets requests in or answers them with an error; it runs inside `HttpExchanges`.

    Args:
        app: What is behind the door.
        door: Decides whether a request is let in.
        origins: Decides whether a page may have sent it; None: every page may, as it needs a key.
        answer_error: Sends the answer of a request that is not.
    """

    def __init__(
        self,
        app: ASGIApp,
        door: Door,
        origins: Origins | None,
        answer_error: Callable[[Scope, Receive, Send, PentimentoError], Awaitable[None]],
    ) -> None:
        self._app = app
        self._door, self._origins = door, origins
        self._answer_error = answer_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on to the app, or answers it with 400, 401, 403 or 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange, path = exchange_of(scope), scope["path"]
        caller = self._caller(scope)
        try:
            check_headers(scope["headers"])  # the first of two keys would count, and nobody would know which
            if self._origins is not None and path not in _PROBES:
                self._origins.check(scope)
            visit = exchange.visit = self._door.enter(caller, _guard(path))
        except PentimentoError as error:
            exchange.client = self._door.address(caller)
            # Counted as what it was to become; what comes in is counted by its route.
            exchange.operation = _operation(path)
            await self._answer_error(scope, receive, send, error)
            return
        exchange.client = visit.client
        if exchange.parcel is not None:
            exchange.parcel.belong_to(visit.bucket)
        try:
            await self._app(scope, receive, send)
        finally:
            visit.leave()

    def _caller(self, scope: Scope) -> Caller:
        address = scope["client"][0] if scope.get("client") else None
        if not self._door.reads_headers:
            return Caller(address)
        hops = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return Caller(
            address,
            authorization=header(scope, b"authorization"),
            api_key=header(scope, b"x-api-key"),
            forwarded_for=",".join(hops) or None,
        )


def _guard(path: str) -> Guard:
    if path.startswith(_REPOSITORY):  # what loads and unloads
        return "admin"
    return "none" if path.startswith(_FILES) else _GUARDS.get(path, "key")


def _operation(path: str) -> Operation | None:
    if path.startswith(DRAWINGS):
        return "generate"
    if path.startswith(_REPOSITORY):
        return "reload"
    if path.startswith("/v2/models/") and path.rstrip("/").endswith("/infer"):
        return operation_of(path.split("/")[3])
    return _OPERATIONS.get(path, "models" if path.startswith(_MODELS) else None)


def describe_keys(schema: dict[str, Any]) -> None:
    """Says in an OpenAPI document, in place, which calls want a key, and how it is given."""
    schemes = schema["components"].setdefault("securitySchemes", {})
    schemes["key"] = {"type": "http", "scheme": "bearer", "description": "An API key."}
    schemes["x-api-key"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    for path, calls in schema["paths"].items():
        if _GUARDS.get(path, "key") == "key":
            for call in calls.values():
                call["security"] = [{"key": []}, {"x-api-key": []}]
                call["responses"]["401"] = {
                    "description": "Unauthorized. There is no API key, or it is not known here.",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                    },
                }
