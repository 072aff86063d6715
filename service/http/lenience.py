"""Understands requests that say the same in other words: HEAD, and a slash at the end of a path."""

__all__ = ["HEAD", "Lenience"]

from starlette.types import ASGIApp, Receive, Scope, Send

HEAD = "pentimento.head"
"""Key of the ASGI scope of a request for the head alone, for routes that need not make a body to know it."""


class Lenience:
    """ASGI middleware in front of whatever goes by method and path; it runs inside `HttpExchanges`.

    HEAD is answered as GET would be, with the headers of that answer; its body is left out by uvicorn, which
    still sees the method. A path with a slash too many is the path without it. A redirect would have to name
    scheme and host, and behind a proxy the server knows neither.

    Args:
        app: What is inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, in plain words; the original, which the log tells of, stays as it is."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if scope["method"] == "HEAD":
                scope = {**scope, "method": "GET", HEAD: True}
            if path.endswith("/") and path != "/":
                scope = {**scope, "path": path[:-1]}
        await self._app(scope, receive, send)
