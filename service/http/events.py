"""Events of a stream as bytes, and the ids by which a reader that lost its connection goes on.

Browsers' EventSource sends the last id that it has, `Last-Event-ID`, when it connects again, and it does so
after the last event, too; that is answered with 204, by which it is told to stay away.
"""

__all__ = ["EventIds", "ndjson", "sse"]

import re

from pentimento.service.errors import Code, PentimentoError, invalid

_ID = re.compile(r"([0-9a-f]{32})-(end|[1-9][0-9]{0,8})")


def sse(kind: bytes, content: bytes, id: bytes | None = None) -> bytes:
    """A server-sent event; `content` is one line, as JSON is here."""
    named = b"" if id is None else b"id: %b\n" % id
    return b"event: %b\n%bdata: %b\n\n" % (kind, named, content)


def ndjson(kind: bytes, content: bytes, _: bytes | None = None) -> bytes:
    """A line of NDJSON; `content` is a JSON object that is not empty. It has no ids."""
    return b'{"type":"%b",%b\n' % (kind, content[1:])


class EventIds:
    """The ids of one drawing's stream: its name and a step, or `end`.

    The name is in them as another version may be served at the same address when a reader is back: its
    canvases are not the next ones of what the reader has.

    Args:
        name: Of the drawing, as of its entity tag.
        steps: How many it has.
        given: `Last-Event-ID`; None or empty begins with the first step, as browsers without an id do.

    Attributes:
        after: The last step that the reader has; 0 without one.
        is_over: Whether it has everything.

    Raises:
        PentimentoError: INVALID_ARGUMENT: it is no such id. NOT_FOUND: it is that of another drawing.
    """

    def __init__(self, name: str, steps: int, given: str | None) -> None:
        self._name, self.after, self.is_over = name, 0, False
        if not given:
            return
        match = _ID.fullmatch(given)
        if match is None:
            raise invalid("Last-Event-ID", f"must be an id of this stream, as {name}-1, got {given[:60]!r}")
        if match[1] != name:
            message = (
                "Last-Event-ID is of another drawing than the one that is here now: another version of the "
                f"model, or other parameters; begin again without it, got {given!r}"
            )
            raise PentimentoError(Code.NOT_FOUND, message, field="Last-Event-ID")
        self.is_over = match[2] == "end"
        if not self.is_over:
            self.after = int(match[2])
            if self.after > steps:
                raise invalid("Last-Event-ID", f"must be of step 1..{steps}, got {given!r}")

    def frame(self, step: int) -> bytes:
        """The id of a step's event."""
        return f"{self._name}-{step}".encode()

    @property
    def end(self) -> bytes:
        """The id of the last event."""
        return f"{self._name}-end".encode()
