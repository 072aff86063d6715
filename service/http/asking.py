"""What all routes that draw do: say what a request counts as, admit it, answer in frames or whole."""

__all__ = ["begin", "stream", "take_note", "unless_gone"]

from collections.abc import Coroutine
from typing import Any

from fastapi import Request
from starlette.responses import Response

from pentimento.service.http.context import Context
from pentimento.service.http.exchange import Exchange, exchange_of
from pentimento.service.http.streams import DrawingStream, Events
from pentimento.service.http.watching import unless_disconnected
from pentimento.service.operations.operations import Drawing
from pentimento.service.telemetry.metrics import Operation
from pentimento.service.telemetry.request_log import Asked

_LATE_S = 1.0  # from a drawing's deadline, which frees its rows, to the end of an answer that nobody reads


def begin(request: Request, operation: Operation) -> tuple[Exchange, Context]:
    """Says what the request counts as; returns its exchange and the application's context."""
    exchange, context = exchange_of(request.scope), request.app.state.context
    exchange.operation = operation
    return exchange, context


def take_note(exchange: Exchange, asked: Asked, *, streams: bool) -> None:
    """Notes what is asked for, for the log, and counts a stream; OVERLOADED if the client has too many."""
    exchange.asks(asked)
    if streams and exchange.visit is not None:
        exchange.visit.open_stream()


async def unless_gone(request: Request, beginning: Coroutine[Any, Any, Drawing]) -> Drawing:
    """The drawing that `beginning` admits, unless its client leaves while it is made ready.

    Small drawings have next to nothing to wait for there, and watching costs as much as beginning them.
    """
    return await unless_disconnected(
        request.receive, beginning, undo=lambda drawing: drawing.close("cancelled")
    )


def stream(request: Request, drawing: Drawing, events: Events) -> Response:
    """The drawing as a stream, which closes it; its connection is cut if nobody reads after the deadline."""
    exchange = exchange_of(request.scope)
    exchange.must_end_within(drawing.left_s + _LATE_S)
    return DrawingStream(drawing, events, exchange, request.app.state.context.metrics)
