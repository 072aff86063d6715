"""Which answer format a client wants: the Accept header against what is served (RFC 9110, section 12.5.1)."""

__all__ = ["Answer", "choose_answer"]

from enum import Enum

from pentimento.service.errors import Code, PentimentoError


class Answer(Enum):
    """The formats of a drawing; earlier ones win where the client has no preference."""

    JSON = "application/json"
    SSE = "text/event-stream"
    NDJSON = "application/x-ndjson"
    PNG = "image/png"
    GIF = "image/gif"
    APNG = "image/apng"
    NPY = "application/x-npy"

    @property
    def streams(self) -> bool:
        """Whether frames leave as they are drawn."""
        return self in (Answer.SSE, Answer.NDJSON)


def choose_answer(accept: str | None) -> Answer:
    """Chooses the format that the client likes best.

    Args:
        accept: The Accept header, several joined with commas; None or empty accepts everything.

    Returns:
        The format of the highest q-value; of several, the first in the order of `Answer`.

    Raises:
        PentimentoError: NOT_ACCEPTABLE, listing what is served.
    """
    if accept is None or not accept.strip():
        return Answer.JSON
    ranges = [parsed for part in accept.split(",") if (parsed := _parse(part)) is not None]
    best = max(Answer, key=lambda answer: _quality(answer, ranges))  # of equals, max takes the first
    if _quality(best, ranges) == 0:
        served = ", ".join(answer.value for answer in Answer)
        raise PentimentoError(
            Code.NOT_ACCEPTABLE, f"Accept must allow one of {served}; got {accept[:200]!r}", field="Accept"
        )
    return best


def _quality(answer: Answer, ranges: list[tuple[str, float]]) -> float:
    """The q-value of the most specific range that matches."""
    kind = answer.value.partition("/")[0]
    for wanted in (answer.value, f"{kind}/*", "*/*"):
        values = [quality for name, quality in ranges if name == wanted]
        if values:
            return max(values)
    return 0.0


def _parse(part: str) -> tuple[str, float] | None:
    """A media range and its q-value; None where the text is no media range, which then matches nothing."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    if name == "*":  # not in the RFC, but some old clients send it
        name = "*/*"
    if "/" not in name:
        return None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return None
            return (name, quality) if 0 <= quality <= 1 else None
    return name, 1.0
