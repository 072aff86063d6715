"""The bytes of a request body, within its limits, and what its Content-Type says they are."""

__all__ = ["is_json", "limited", "media_type", "read_whole", "unsupported"]

from collections.abc import AsyncGenerator

from starlette.requests import ClientDisconnect, Request

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.http.exchange import exchange_of


async def read_whole(request: Request, limit: int) -> bytes:
    """The whole body.

    Args:
        request: The request, its body unread.
        limit: Bytes that it may have.

    Raises:
        PentimentoError: PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or OVERLOADED.
        ClientDisconnect: The client left.
    """
    return b"".join([chunk async for chunk in limited(request, limit)])


async def limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body's chunks; refuses by the announced length before reading, and by what really comes.

    What comes is counted by the connection, which drops what is beyond the budget of all bodies together.
    Arguments and errors are those of `read_whole`.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise PentimentoError(
            Code.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Encoding must be identity, got {encoding[:60]!r}",
            field="Content-Encoding",
        )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(announced[:30], limit)
    parcel, size, more = exchange_of(request.scope).parcel, 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if parcel is not None:
            parcel.check()
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large("more", limit)
        yield chunk
        more = message.get("more_body", False)


def media_type(request: Request) -> str:
    """The Content-Type in lower case, without its parameters; empty if there is none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return "image/jpeg" if kind == "image/jpg" else kind  # what many programs call it, though it is no type


def is_json(kind: str) -> bool:
    """Whether a Content-Type is JSON, or something made of it."""
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def unsupported(kind: str, *served: str) -> PentimentoError:
    """UNSUPPORTED_MEDIA_TYPE for a body of that type, naming those that are read."""
    got = repr(kind[:100]) if kind else "none"
    message = f"Content-Type must be {' or '.join(served)}, got {got}"
    return PentimentoError(Code.UNSUPPORTED_MEDIA_TYPE, message, field="Content-Type")


def _too_large(size: str, limit: int) -> PentimentoError:
    return PentimentoError(
        Code.PAYLOAD_TOO_LARGE, f"body may have at most {limit} bytes, got {size}", field="body"
    )
