"""Turns errors of HTTP into PentimentoError: problem details (RFC 9457), and what httpx raises."""

__all__ = ["error_from", "http_errors", "raise_for_problem"]

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.proxies import through

# For answers that are not the server's own: of a proxy in between, or of another program.
_CODES = {
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    408: Code.DEADLINE_EXCEEDED,
    413: Code.PAYLOAD_TOO_LARGE,
    429: Code.OVERLOADED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}


def raise_for_problem(response: httpx.Response) -> None:
    """Raises the error that an answer tells of, if its status is one; the body must have been read."""
    if response.is_success:
        return
    try:
        content = response.json()
    except ValueError:
        content = None
    if not isinstance(content, dict) or "detail" not in content:
        # Not from this server: a proxy in between, or another program.
        url = str(response.url)
        message = f"HTTP status {response.status_code} from {url}{through(url)}"
        content = {"detail": message, "status": response.status_code}
    raise error_from(content, response.headers)


@contextmanager
def http_errors() -> Iterator[None]:
    """Turns what httpx raises, and answers that cannot be read, into PentimentoError."""
    try:
        yield
    except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
        message = f"no answer from {_where(error)} in time"
        raise PentimentoError(Code.DEADLINE_EXCEEDED, message) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        where = _where(error)
        message = f"cannot reach {where}{through(where)}: {error or type(error).__name__}"
        raise PentimentoError(Code.UNAVAILABLE, message) from error
    except (KeyError, ValueError, TypeError) as error:
        message = f"the answer is not Pentimento's: {type(error).__name__}: {error}"
        raise PentimentoError(Code.INTERNAL, message) from error


def error_from(content: Mapping[str, Any], headers: Mapping[str, str]) -> PentimentoError:
    """Makes the error that problem details, or the last line of a stream, tell of."""
    code, known = content.get("code"), {code.value for code in Code}
    if code not in known:
        status = content.get("status", 500)
        code = _CODES.get(status, Code.INTERNAL if status >= 500 else Code.INVALID_ARGUMENT)
    return PentimentoError(
        Code(code),
        content["detail"],
        field=content.get("field"),
        retry_after_s=_seconds(headers.get("Retry-After", "")),
        request_id=content.get("request_id"),
    )


def _seconds(retry_after: str) -> float | None:
    """Reads Retry-After, a number of seconds or, of some proxies, a date; None if it is neither."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return None


def _where(error: Exception) -> str:
    try:
        request = error.request  # type: ignore[attr-defined]
    except (AttributeError, RuntimeError):
        return "the server"
    return str(request.url.copy_with(path="/", query=None)).rstrip("/")
