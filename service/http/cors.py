"""Which pages of other origins may read answers (CORS): the application's, and the connection's own."""

__all__ = ["Cors"]

import re
from collections.abc import Sequence
from typing import Any, Self

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from pentimento.service.http.docs import GENERATE
from pentimento.service.settings import Settings

_ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-fA-F:]+\](:[0-9]{1,5})?")


_READ = ["Authorization", "If-None-Match", "Last-Event-ID", "X-API-Key", "X-Request-Id"]
_OPENAI = [  # what its client for JavaScript sends from a page, for nobody here to read
    "User-Agent",
    "OpenAI-Organization",
    "OpenAI-Project",
    *(
        f"X-Stainless-{name}"
        for name in (
            "Arch",
            "Lang",
            "OS",
            "Package-Version",
            "Retry-Count",
            "Runtime",
            "Runtime-Version",
            "Timeout",
        )
    ),
]


class Cors:
    """The origins that are set, and the headers that their pages need to read an answer.

    Args:
        origins: Such as https://example.com; `*` stands for all. At least one.

    Raises:
        RuntimeError: One sentence: one of them is no origin.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise RuntimeError(
                    f"cors_origins must be * or origins such as https://example.com, got {origin[:60]!r}"
                )
        self.options: dict[str, Any] = {
            "allow_origins": origins,
            "allow_methods": ["GET", "HEAD", "POST"],
            "allow_headers": [*_READ, *_OPENAI],
            "expose_headers": ["ETag", "X-Request-Id", "Retry-After", *GENERATE["responses"][200]["headers"]],
        }
        """Of Starlette's middleware, which answers preflights and adds the headers to answers."""
        self._rules = CORSMiddleware(_nobody, **self.options)
        self._only = origins[0] if len(origins) == 1 else None

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Reads the setting `cors_origins`; None where pages of other origins stay outside.

        Raises:
            RuntimeError: One sentence: one of them is no origin.
        """
        origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
        return cls(origins) if origins else None

    def allows(self, origin: str | None) -> bool:
        """Whether pages of an origin may ask; None: one that the browser does not name, as for `<img>`."""
        return self._rules.allow_all_origins or (origin is not None and self._rules.is_allowed_origin(origin))

    def headers(self, origin: str | None) -> list[tuple[bytes, bytes]]:
        """The headers that the middleware would add, for an answer that is given without the application.

        Args:
            origin: The request's `Origin`; None: it has none, or was refused before it was read. A single
                origin that is set is then named all the same: nobody else learns anything from that.
        """
        origin = self._only if origin is None else origin
        headers = MutableHeaders()
        if origin is not None:
            headers.update(self._rules.simple_headers)
        if origin is not None and not self._rules.allow_all_origins and self._rules.is_allowed_origin(origin):
            self._rules.allow_explicit_origin(headers, origin)
        else:
            headers["Vary"] = "Origin"
        return headers.raw


async def _nobody(scope: Scope, receive: Receive, send: Send) -> None:
    """An application behind the rules that are only looked at."""
