"""Notices that a client leaves, and ends what is done for it."""

__all__ = ["ClientWatch", "unless_disconnected"]

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from pentimento.service.http.exchange import Exchange
from pentimento.service.operations.operations import Drawing

T = TypeVar("T")


class ClientWatch:
    """Closes a drawing as soon as its client leaves; the request's body must have been read before.

    Args:
        receive: Of the request.
        drawing: What is closed.
        exchange: Says what the departure is called; None: `cancelled`.
    """

    def __init__(self, receive: Receive, drawing: Drawing, exchange: Exchange | None) -> None:
        self._receive, self._drawing, self._exchange = receive, drawing, exchange
        self.gone = False

    def __enter__(self) -> Self:
        self._task = asyncio.ensure_future(self._watch())
        return self

    def __exit__(self, *_: object) -> None:
        self._task.cancel()
        # Its traceback leads back here: a circle, which would hold the drawing and its graphs.
        del self._task

    async def _watch(self) -> None:
        await _disconnected(self._receive)
        self.gone = True
        self._drawing.close("cancelled" if self._exchange is None else self._exchange.departure)


async def unless_disconnected(
    receive: Receive, work: Coroutine[Any, Any, T], undo: Callable[[T], None] = lambda _: None
) -> T:
    """Awaits `work`, and cancels it as soon as the client leaves; the body must have been read before.

    Args:
        receive: Of the request.
        work: What is done for the client.
        undo: Told what came of it, if that was too late.

    Raises:
        ClientDisconnect: The client left.
    """
    left = True
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if left := not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for waiter in (task, gone):
            waiter.cancel()
        result, _ = await asyncio.gather(task, gone, return_exceptions=True)
        if left and not isinstance(result, BaseException):
            undo(result)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
