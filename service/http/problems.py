"""Every error as a problem details answer (RFC 9457), whether it is ours, FastAPI's or a defect.

Below the paths of another protocol it is that protocol's own, made from the same facts.
"""

__all__ = [
    "HTTP_STATUS",
    "INTERNAL",
    "Defects",
    "answer_error",
    "describe",
    "install_problem_handlers",
    "problem",
    "refuse",
]

import logging
import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pentimento.service.errors import Code, PentimentoError, named
from pentimento.service.http.exchange import exchange_of
from pentimento.service.http.schemas import Problem

_log = logging.getLogger(__name__)

HTTP_STATUS: dict[Code, int] = {
    Code.INVALID_ARGUMENT: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.UNSUPPORTED: 422,
    Code.NOT_ACCEPTABLE: 406,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.PAYLOAD_TOO_LARGE: 413,
    Code.OVERLOADED: 429,
    Code.DEADLINE_EXCEEDED: 504,
    Code.UNAVAILABLE: 503,
    Code.INFERENCE_FAILED: 500,
    Code.INTERNAL: 500,
}

INTERNAL = PentimentoError(Code.INTERNAL, "internal error; the server's log has the reason")


def problem(error: PentimentoError, request_id: str | None = None) -> Problem:
    """The problem details (RFC 9457) of an error of the core."""
    status = HTTP_STATUS[error.code]
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.message,
        code=error.code.value,
        field=error.field,
        request_id=request_id,
    )


def describe(errors: Sequence[Any], known: Sequence[str]) -> PentimentoError:
    """Turns the first of pydantic's validation errors into a sentence that names field and value.

    Args:
        errors: `ValidationError.errors()`.
        known: Field names to list when one is unknown.
    """
    first = errors[0]
    location = [named(str(part)) for part in first["loc"] if part not in ("query", "body", "path")]
    field = ".".join(location)[:64] or "body"
    kind, got = first["type"], _quote(first.get("input"))
    context = first.get("ctx", {})
    if kind == "extra_forbidden":
        message = f"{field} is not known here; known are: {', '.join(known)}"
    elif kind == "missing":
        message = f"{field} is needed"
    elif kind in ("bool_parsing", "bool_type"):
        message = f"{field} must be true or false, got {got}"
    elif kind == "literal_error":
        message = f"{field} must be {context['expected']}, got {got}"
    elif kind == "string_too_long":
        message = f"{field} may have at most {context['max_length']} characters, got {len(first['input'])}"
    elif kind == "whole_number":
        message = f"{field} {first['msg']}, got {got}"
    else:
        reason = str(first["msg"]).removeprefix("Input ").removeprefix("Value error, ")
        message = f"{field} {reason}, got {got}"
    return PentimentoError(Code.INVALID_ARGUMENT, message, field=field)


def _quote(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a longer one"  # Python refuses to write out integers of thousands of digits
    text = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def install_problem_handlers(app: FastAPI) -> None:
    """Makes every error of an application a problem details answer."""
    app.add_exception_handler(PentimentoError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _nobody_there)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, PentimentoError)
    if error.code in (Code.INTERNAL, Code.INFERENCE_FAILED):
        _log.error("%s %s: %s", request.method, request.url.path, error.message)
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.code is Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(request, problem(error, exchange_of(request.scope).id), headers, error.outcome)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    route = request.scope.get("route")
    dependant = getattr(route, "dependant", None)
    known = sorted(_query_names(dependant)) if dependant is not None else []
    return await _ours(request, describe(error.errors(), known))


def _query_names(dependant: Dependant) -> set[str]:
    """The query parameters that a route and its dependencies take."""
    names: set[str] = set()
    for parameter in dependant.query_params:
        fields = getattr(parameter.field_info.annotation, "model_fields", None)
        names |= set(fields) if fields is not None else {parameter.alias}
    for inner in dependant.dependencies:
        names |= _query_names(inner)
    return names


async def _http(request: Request, error: Exception) -> Response:
    """What Starlette and FastAPI raise themselves: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = str(error.detail)
    if status == HTTPStatus.NOT_FOUND:
        detail = f"there is nothing at {request.url.path[:200]}; see /docs"
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = set((error.headers or {}).get("Allow", "another method").split(", "))
        methods = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
        error.headers = {"Allow": methods}
        detail = f"{request.method} is not possible at {request.url.path[:200]}; use {methods}"
    body = Problem(
        title=status.phrase,
        status=int(status),
        detail=detail,
        code=status.name,
        request_id=exchange_of(request.scope).id,
    )
    return _answer(request, body, dict(error.headers or {}), "invalid_argument")


async def _nobody_there(request: Request, error: Exception) -> Response:
    """The client left: this answer is never sent, but the exchange has to end as one."""
    exchange_of(request.scope).outcome = "cancelled"
    return Response(status_code=499)


async def answer_error(request: Request, error: PentimentoError | ClientDisconnect) -> Response:
    """What the installed handlers would answer, for a route that is called without FastAPI."""
    return await (_ours if isinstance(error, PentimentoError) else _nobody_there)(request, error)


async def refuse(scope: Scope, receive: Receive, send: Send, error: PentimentoError) -> None:
    """Answers with an error from within a middleware, before any route is called."""
    response = await _ours(Request(scope), error)
    await response(scope, receive, send)


class Defects:
    """ASGI middleware that answers 500 where what is inside fails by a defect; the log has the reason.

    Args:
        app: What is inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and answers it if that fails before its answer has begun."""
        try:
            await self._app(scope, receive, send)
        except Exception:
            if scope["type"] != "http" or exchange_of(scope).status is not None:
                raise
            id = exchange_of(scope).id
            _log.exception("request %s failed: %s %s", id, scope["method"], scope["path"])
            await refuse(scope, receive, send, INTERNAL)


def _answer(request: Request, body: Problem, headers: dict[str, str], outcome: str) -> Response:
    exchange = exchange_of(request.scope)
    exchange.outcome = outcome
    if exchange.error_form is not None:
        content = exchange.error_form(body)
        if body.status >= HTTPStatus.INTERNAL_SERVER_ERROR and "Retry-After" not in headers:
            # The openai packages try every 5xx twice more, and what failed once here fails again.
            headers = headers | {"x-should-retry": "false"}
        return Response(content, body.status, headers=headers, media_type="application/json")
    return Response(
        body.model_dump_json(exclude_none=True),
        status_code=body.status,
        headers=headers | {"Cache-Control": "no-store"},  # a 404 may be kept without it
        media_type="application/problem+json",
    )
