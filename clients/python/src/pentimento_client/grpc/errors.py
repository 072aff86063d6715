"""Turns errors of gRPC into PentimentoError: the server's own statuses, and those of gRPC or a proxy."""

__all__ = ["grpc_errors"]

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.proxies import through

# The proto's names where this client and HTTP say it shorter: the server's table the other way round.
_FIELDS = {
    "image_count": "n",
    "step_count": "steps",
    "with_scores": "score",
    "with_boxes": "boxes",
    "sample_count": "samples",
    "importance_sample_count": "importance_samples",
    "with_pixels": "pixels",
}

# For answers that are not the server's own: of gRPC itself, or of a proxy.
_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: Code.INVALID_ARGUMENT,
    grpc.StatusCode.UNAUTHENTICATED: Code.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED: Code.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND: Code.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Code.OVERLOADED,
    grpc.StatusCode.DEADLINE_EXCEEDED: Code.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNAVAILABLE: Code.UNAVAILABLE,
    grpc.StatusCode.CANCELLED: Code.UNAVAILABLE,
    grpc.StatusCode.UNIMPLEMENTED: Code.UNSUPPORTED,
}


@contextmanager
def grpc_errors(target: str) -> Iterator[None]:
    """Turns gRPC's errors, of blocking and of asyncio calls, into PentimentoError.

    Args:
        target: Whom the call goes to, for the message.
    """
    try:
        yield
    except grpc.RpcError as error:
        raise _error(error, target) from error


def _error(error: grpc.RpcError, target: str) -> PentimentoError:
    status: grpc.StatusCode = error.code()
    details: str = error.details() or status.name
    pairs: Any = error.trailing_metadata() or ()  # of grpcio's own tuples
    metadata: dict[str, str] = dict(pairs)
    if "pentimento-code" not in metadata:
        code = _CODES.get(status, Code.INTERNAL)
        if code is Code.OVERLOADED and re.search("larger than|exceeds", details):
            code = Code.PAYLOAD_TOO_LARGE  # gRPC's own limits have the same status, and no wait would help
        reached = code is not Code.UNAVAILABLE
        way = through(f"grpc://{target}")
        return PentimentoError(code, details if reached else f"cannot reach {target}{way}: {details}")
    field = metadata.get("pentimento-field")
    if field in _FIELDS:
        details = details.replace(field, _FIELDS[field], 1) if details.startswith(f"{field} ") else details
        field = _FIELDS[field]
    retry = metadata.get("retry-after-ms")
    known = {code.value for code in Code}
    return PentimentoError(
        Code(metadata["pentimento-code"]) if metadata["pentimento-code"] in known else Code.INTERNAL,
        details,
        field=field,
        retry_after_s=None if retry is None else int(retry) / 1000,
        request_id=metadata.get("x-request-id"),
    )
