"""What may be given only once: with several, the first or the last would count and nobody would know."""

__all__ = ["check_headers", "check_query"]

from collections.abc import Iterable

from starlette.datastructures import QueryParams

from pentimento.service.errors import invalid, named

# Headers that are read here and are no lists. Others may come several times, as Accept and X-Forwarded-For;
# lengths and codings of a body that are given twice, the parser refuses.
_SINGLE = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-type",
        b"host",
        b"last-event-id",
        b"origin",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"x-api-key",
    }
)


def check_query(query: bytes) -> None:
    """Refuses a query in which a parameter is given twice, be it with the same value.

    Raises:
        PentimentoError: INVALID_ARGUMENT, naming the parameter and both values.
    """
    if b"&" not in query:  # one parameter, or none
        return
    given: dict[str, str] = {}
    for name, value in QueryParams(query).multi_items():
        if name in given:
            both = f"{given[name][:60]!r} and {value[:60]!r}"
            raise invalid(named(name), f"is given twice in the query: {both}")
        given[name] = value


def check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuses a request with two headers of one name where only one is read; the values may be secrets.

    Raises:
        PentimentoError: INVALID_ARGUMENT, naming the header.
    """
    given: set[bytes] = set()
    for name, _ in headers:
        if name in _SINGLE:
            if name in given:
                raise invalid(name.decode(), "is given twice in the headers")
            given.add(name)
