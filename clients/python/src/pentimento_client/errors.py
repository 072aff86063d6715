"""The one exception of the client, whatever the transport."""

__all__ = ["Code", "PentimentoError"]

from enum import StrEnum


class Code(StrEnum):
    """What went wrong, as a program can act on it; the server's own codes."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    """The request can never succeed as it is; `field` says where."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """The server wants an API key or token, and got none, or a wrong one."""
    PERMISSION_DENIED = "PERMISSION_DENIED"
    """The caller may not do that there, or nobody may."""
    NOT_FOUND = "NOT_FOUND"
    """No such model."""
    UNSUPPORTED = "UNSUPPORTED"
    """This model, or this transport, cannot do that."""
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    OVERLOADED = "OVERLOADED"
    """The server's queue is full; `retry_after_s` says when to come back."""
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    """The server cannot be reached, is starting, or is shutting down."""
    INFERENCE_FAILED = "INFERENCE_FAILED"
    INTERNAL = "INTERNAL"


class PentimentoError(Exception):
    """A request failed.

    Attributes:
        code: What went wrong.
        message: One sentence.
        field: The argument at fault, where there is one.
        retry_after_s: Seconds after which trying again makes sense, where the server said so.
        request_id: What the server's log calls the request, where it said so.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        field: str | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s
        self.request_id = request_id
