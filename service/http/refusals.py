"""Errors that a connection answers by itself, before there is a whole request for the application."""

__all__ = ["Refusal"]

from collections.abc import Sequence
from http import HTTPStatus
from typing import Self

from pentimento.service.errors import STALLED
from pentimento.service.http.exchange import SAFE_HEADERS
from pentimento.service.http.schemas import Problem
from pentimento.service.telemetry.request_log import RequestFacts, log_request, request_id


class Refusal(Exception):
    """Says why a request is not read to its end, and renders the answer.

    Args:
        status: HTTP status of the answer.
        code: Error code, as in all problems.
        detail: One sentence.
        field: What is at fault, where there is such a thing.
    """

    def __init__(self, status: HTTPStatus, code: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self._status, self._code, self._detail, self._field = status, code, detail, field
        self._outcome = code.lower()

    @classmethod
    def of_stall(cls, detail: str) -> Self:
        """408: the client sends its request too slowly."""
        refusal = cls(HTTPStatus.REQUEST_TIMEOUT, "DEADLINE_EXCEEDED", detail)
        refusal._outcome = STALLED
        return refusal

    @classmethod
    def of_headers(cls, detail: str) -> Self:
        """431: the headers are too many or too long."""
        return cls(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "INVALID_ARGUMENT", detail, "headers")

    @classmethod
    def of_length(cls, max_bytes: int) -> Self:
        """431: the request's line and headers together are too long."""
        return cls.of_headers(f"the request's line and headers may have at most {max_bytes} bytes, got more")

    def answer(self, client: str, cors: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
        """The whole answer as bytes; the caller sends it and ends the connection. Also writes the log line.

        Args:
            client: The address of who is refused.
            cors: Headers by which a page of another origin can read it.
        """
        facts = RequestFacts(request_id(None), client=client, outcome=self._outcome)
        body = Problem(
            title=self._status.phrase,
            status=self._status,
            detail=self._detail,
            code=self._code,
            field=self._field,
            request_id=facts.id,
        ).model_dump_json(exclude_none=True)
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
            (b"x-request-id", facts.id.encode()),
            *SAFE_HEADERS,
            *cors,
        ]
        if self._status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"retry-after", b"1"))
        log_request(facts, "http", int(self._status), method="-", path="-")
        line = f"HTTP/1.1 {self._status.value} {self._status.phrase}\r\n".encode()
        return line + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body.encode()
