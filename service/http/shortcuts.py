"""Calls the functions of the drawing routes directly, without FastAPI's routing.

FastAPI describes these routes, and would answer them alike. Its way there is a dozen layers of matching, exit
stacks and wrapped senders, which take longer than everything else that a small drawing needs besides its
graph calls.
"""

__all__ = ["Shortcuts"]

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pentimento.service.errors import PentimentoError
from pentimento.service.http.problems import answer_error

Endpoint = Callable[[Request], Awaitable[Response]]


class Shortcuts:
    """ASGI middleware that answers some POST requests itself; it runs inside `HttpExchanges` and `HttpDoor`.

    Args:
        app: Answers everything else.
        posts: By path, the functions of POST routes that read nothing but their request.
    """

    def __init__(self, app: ASGIApp, posts: Mapping[str, Endpoint]) -> None:
        self._app = app
        self._posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request whose path is known here, and passes any other on."""
        endpoint = self._posts.get(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except (PentimentoError, ClientDisconnect) as error:
            response = await answer_error(request, error)
        await response(scope, receive, send)
