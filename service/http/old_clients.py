"""Answers of unknown length to clients of HTTP/1.0, which know no chunks: the connection's end is theirs."""

__all__ = ["speaks_chunks", "until_close"]

from uvicorn._types import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
)
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


def speaks_chunks(scope: HTTPScope) -> bool:
    """Whether a client knows `Transfer-Encoding: chunked`, as all of HTTP/1.1 do."""
    return scope["http_version"] not in ("0.9", "1.0")


def until_close(app: ASGI3Application, cycle: RequestResponseCycle) -> ASGI3Application:
    """Makes uvicorn write what `app` answers without chunks, and end the connection after it.

    Args:
        app: What answers.
        cycle: Of the request, in which uvicorn keeps how the body is framed.
    """

    async def plain(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        cycle.keep_alive = False
        cycle.waiting_for_100_continue = False  # nor do they know an answer before the answer
        has_length = True

        async def unframed(message: ASGISendEvent) -> None:
            nonlocal has_length
            if message["type"] == "http.response.start":
                has_length = any(name.lower() == b"content-length" for name, _ in message.get("headers", ()))
                if not has_length:
                    cycle.chunked_encoding = False
            elif message["type"] == "http.response.body" and not has_length:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, unframed)

    return plain
