"""Maps the core's errors to gRPC statuses.

An error becomes a status with the error's sentence, and trailing metadata for programs: `pentimento-code`,
`pentimento-field`, `retry-after-ms`.
"""

__all__ = ["GRPC_STATUS", "refuse"]

import asyncio
from typing import NoReturn

import grpc

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.grpc.call import Context
from pentimento.service.grpc.wire_fields import field_name, sentence

GRPC_STATUS: dict[Code, grpc.StatusCode] = {
    Code.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    Code.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Code.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Code.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Code.UNSUPPORTED: grpc.StatusCode.FAILED_PRECONDITION,
    Code.NOT_ACCEPTABLE: grpc.StatusCode.INVALID_ARGUMENT,
    Code.UNSUPPORTED_MEDIA_TYPE: grpc.StatusCode.INVALID_ARGUMENT,
    # Not RESOURCE_EXHAUSTED, which clients try again: the same message will be too large the next time too.
    Code.PAYLOAD_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
    Code.OVERLOADED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
    Code.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Code.INFERENCE_FAILED: grpc.StatusCode.INTERNAL,
    Code.INTERNAL: grpc.StatusCode.INTERNAL,
}

# A status travels in HTTP/2 headers, of which a client accepts 8 KiB; percent-encoding can triple the text.
_MAX_STATUS_CHARACTERS = 1024


async def refuse(
    context: Context, error: PentimentoError, request_id: str | None = None, *, renames: bool = True
) -> NoReturn:
    """Ends a call with an error.

    Args:
        context: Of the call.
        error: Why.
        request_id: Told to the client, where the call has one.
        renames: Whether fields are called as in our proto; else as in the core.
    """
    metadata = [("pentimento-code", error.code.value)]
    if request_id is not None:
        metadata.append(("x-request-id", request_id))
    if error.field is not None:
        metadata.append(("pentimento-field", _printable(field_name(error.field) if renames else error.field)))
    if error.retry_after_s is not None:
        metadata.append(("retry-after-ms", str(round(error.retry_after_s * 1000))))
    details = sentence(error) if renames else error.message
    if len(details) > _MAX_STATUS_CHARACTERS:
        details = details[: _MAX_STATUS_CHARACTERS - 1] + "…"
    try:
        await context.abort(GRPC_STATUS[error.code], details, tuple(metadata))
    except grpc.aio.InternalError:  # the connection ended before the client had taken it
        raise asyncio.CancelledError from None


def _printable(text: str) -> str:
    """Metadata is printable ASCII; a field's name can hold what the client made up."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:_MAX_STATUS_CHARACTERS])
