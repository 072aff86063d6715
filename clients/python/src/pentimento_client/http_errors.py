"""HTTP's ways to fail, as PentimentoError: problem details (RFC 9457), and what httpx raises."""

__all__ = ["error_from", "http_errors", "raise_for_problem"]

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from pentimento_client.errors import Code, PentimentoError


def raise_for_problem(response: httpx.Response) -> None:
    """Raises what the server said, unless all is well; the body must have been read."""
    if response.is_success:
        return
    try:
        content = response.json()
    except ValueError:
        content = None
    if not isinstance(content, dict) or "detail" not in content:
        # Not from this server: a proxy in between, or another program.
        content = {"detail": f"HTTP status {response.status_code} from {response.url}"}
    raise error_from(content, response.headers)


@contextmanager
def http_errors() -> Iterator[None]:
    """Turns httpx's errors into PentimentoError."""
    try:
        yield
    except httpx.TimeoutException as error:
        message = f"no answer from {_where(error)} in time"
        raise PentimentoError(Code.DEADLINE_EXCEEDED, message) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"cannot reach {_where(error)}: {error or type(error).__name__}"
        raise PentimentoError(Code.UNAVAILABLE, message) from error
    except (KeyError, ValueError, TypeError) as error:
        message = f"the answer is not Pentimento's: {type(error).__name__}: {error}"
        raise PentimentoError(Code.INTERNAL, message) from error


def error_from(content: Mapping[str, Any], headers: Mapping[str, str]) -> PentimentoError:
    """The error that problem details, or the last line of a stream, tell of."""
    status = content.get("status")
    known = {code.value for code in Code}
    code = content.get("code")
    if code not in known:
        code = Code.NOT_FOUND if status == 404 else Code.INTERNAL if status is None or status >= 500 else None
    retry = headers.get("Retry-After", "")
    return PentimentoError(
        Code(code or Code.INVALID_ARGUMENT),
        content["detail"],
        field=content.get("field"),
        retry_after_s=float(retry) if retry.isdecimal() else None,
    )


def _where(error: Exception) -> str:
    try:
        request = error.request  # type: ignore[attr-defined]
    except (AttributeError, RuntimeError):
        return "the server"
    return str(request.url.copy_with(path="/", query=None)).rstrip("/")
