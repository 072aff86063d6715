"""Errors of the core, without a protocol in them; each transport maps the codes by a table of its own.

A message names the field, the limit and the value given. Internals go to the log, never into a message.
"""

__all__ = ["STALLED", "Code", "PentimentoError", "Stalled", "entry", "invalid", "named", "quoted"]

import re
from enum import Enum

STALLED = "stalled"
"""Outcome of a request that the server ended because its client read or sent too slowly."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+(\[[0-9]+\])?(\.[A-Za-z0-9_-]+(\[[0-9]+\])?)*")
_MOST_CHARACTERS = 64  # of a name that a client made up


class Code(Enum):
    """What went wrong, as a client can act on it."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"  # the request can never succeed as it is
    UNAUTHENTICATED = "UNAUTHENTICATED"  # no credentials, or wrong ones
    PERMISSION_DENIED = "PERMISSION_DENIED"  # the caller may not do that here, or nobody may
    NOT_FOUND = "NOT_FOUND"  # no such bundle
    UNSUPPORTED = "UNSUPPORTED"  # this bundle cannot do that
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"  # no answer format that the client accepts
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"  # body format that is not read here
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    OVERLOADED = "OVERLOADED"  # the queue is full; try again after `retry_after_s`
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"  # the server is starting or draining
    INFERENCE_FAILED = "INFERENCE_FAILED"  # a graph call failed; the log has the reason
    INTERNAL = "INTERNAL"


class PentimentoError(Exception):
    """The one exception that operations and engine raise for a client to see.

    Args:
        code: What went wrong.
        message: One sentence for the client.
        field: The request field at fault, where there is one.
        retry_after_s: Seconds after which trying again makes sense, for OVERLOADED and UNAVAILABLE.
    """

    def __init__(
        self, code: Code, message: str, *, field: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s

    @property
    def outcome(self) -> str:
        """The name of this error in log and metrics: its code in lower case."""
        return self.code.value.lower()

    def __reduce__(self) -> tuple[object, ...]:
        """Lets pickle carry the error, with all its fields, from one process to another."""
        return _again, (self.code, self.message, self.field, self.retry_after_s)


def _again(code: Code, message: str, field: str | None, retry_after_s: float | None) -> PentimentoError:
    return PentimentoError(code, message, field=field, retry_after_s=retry_after_s)


class Stalled(PentimentoError):
    """The client reads or sends too slowly: DEADLINE_EXCEEDED to it, `stalled` in log and metrics.

    Args:
        message: One sentence, for a client that goes on reading.
    """

    def __init__(self, message: str) -> None:
        super().__init__(Code.DEADLINE_EXCEEDED, message)

    @property
    def outcome(self) -> str:
        """`stalled`, on both transports."""
        return STALLED


def named(made_up: str) -> str:
    """What messages call a field that a client named: in quotes where it would not be seen to be a name."""
    shown = made_up if len(made_up) <= _MOST_CHARACTERS else made_up[: _MOST_CHARACTERS - 1] + "…"
    return shown if _PLAIN.fullmatch(shown) else repr(shown)


def entry(field: str, made_up: str) -> str:
    """What messages call an entry of a field that a client named: `latents.z`, or `latents['my z']`."""
    shown = named(made_up)
    return f"{field}.{shown}" if shown == made_up else f"{field}[{shown}]"


def quoted(text: str) -> str:
    """What messages quote of a text: in quotes, at most 60 characters of it."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def invalid(field: str, message: str) -> PentimentoError:
    """INVALID_ARGUMENT for one field; the message starts with the field's name."""
    return PentimentoError(Code.INVALID_ARGUMENT, f"{field} {message}", field=field)
