"""Maps the core's errors to gRPC statuses, and makes the handlers through which every RPC answers.

An error becomes a status with the error's sentence, and trailing metadata for programs: `pentimento-code`,
`pentimento-field`, `retry-after-ms`.
"""

__all__ = ["GRPC_STATUS", "CallObserver", "generic_handler"]

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal, NoReturn, Protocol, TypeAlias

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from pentimento.service.door.door import Door, Visit
from pentimento.service.errors import Code, PentimentoError, invalid
from pentimento.service.grpc.call import Call, Context, Pace
from pentimento.service.grpc.calls import Calls
from pentimento.service.grpc.wire_fields import field_name, sentence
from pentimento.service.telemetry.request_log import log_request

_log = logging.getLogger(__name__)

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

_Handler: TypeAlias = Callable[[Any, Call], Awaitable[Message]]

_ADMIN = "ReloadModels"  # asks for the admin token itself, and not for a key


class CallObserver(Protocol):
    """Is told of RPCs; `Metrics` is one."""

    def call(self, *, method: str, outcome: str, seconds: float) -> None:
        """Called when an RPC is over.

        Args:
            method: Name of the RPC.
            outcome: As of `Metrics.finished`; `cancelled` where the client or its deadline ended it.
            seconds: From its start to its end.
        """
        ...

    def first_canvas(self, transport: Literal["grpc"], seconds: float) -> None:
        """Called when the first frame of a stream was sent, so many seconds after the RPC began."""
        ...


def generic_handler(
    service: ServiceDescriptor,
    implementation: object,
    *,
    calls: Calls,
    door: Door,
    pace: Pace,
    observer: CallObserver | None = None,
) -> "grpc.GenericRpcHandler[Any, Any]":
    """Makes the gRPC handler of a whole service.

    Args:
        service: The service of the proto.
        implementation: Has a coroutine method for each RPC, named alike: it returns the answer or, when the
            RPC streams, writes all messages but the last to the call, and returns that. It raises
            PentimentoError and knows nothing of statuses.
        calls: Told of each call.
        door: Decides which calls are let in.
        pace: At which streams must be read.
        observer: Told of each call as it ends.
    """
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in service.methods:
        # A stream, too, returns its last message: gRPC then sends that and the status together. Where a
        # client sends one message, nothing on the wire tells the two kinds of answers apart.
        handlers[method.name] = grpc.unary_unary_rpc_method_handler(
            _answering(method, getattr(implementation, method.name), calls, door, pace, observer),
            request_deserializer=None,  # not before it is let in
            response_serializer=None,  # so that the size of an answer is known
        )
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _kind(descriptor: Descriptor) -> type[Message]:
    kind: type[Message] = message_factory.GetMessageClass(descriptor)
    return kind


def _answering(
    method: MethodDescriptor,
    handler: _Handler,
    calls: Calls,
    door: Door,
    pace: Pace,
    observer: CallObserver | None,
) -> Callable[[bytes, Context], Awaitable[bytes]]:
    name, kind = method.name, _kind(method.input_type)

    def enter(call: Call) -> Visit:
        try:
            if call.repeated is not None:
                raise invalid(call.repeated, "is given twice in the metadata")
            visit = door.enter(call.caller, "admin" if name == _ADMIN else "key")
        except PentimentoError:
            call.client = door.address(call.caller)
            raise
        call.client = visit.client
        if method.server_streaming:
            visit.open_stream()
        return visit

    async def answer(data: bytes, context: Context) -> bytes:
        calls.begin(context)
        call = Call.begin(context, pace)
        call.outcome = "cancelled"  # unless it comes to an end below
        visit: Visit | None = None
        failure: PentimentoError | None = None
        try:
            visit = enter(call)
            answer = await handler(_parsed(kind, data, name), call)
            call.outcome = "ok"
            rest = answer.SerializeToString()
            call.sent = len(rest)
            return rest
        except PentimentoError as error:
            failure = error.with_traceback(None)
        except Exception:
            if context.done():  # the client left while an answer was being written
                raise
            _log.exception("request %s failed: %s", call.id, name)
            failure = PentimentoError(Code.INTERNAL, "internal error; the server's log has the reason")
        finally:
            call.impatience.stop()
            if visit is not None:
                visit.leave()
            calls.hand_over(context, call.sent)
            _finish(name, call, failure, observer)
        # Not where the error is handled: the context keeps what this raises, and would keep with it the error
        # that it comes from, the handler's frames, the drawing and its graphs.
        await _abort(context, failure, call.id)

    return answer


def _parsed(kind: type[Message], data: bytes, name: str) -> Message:
    try:
        return kind.FromString(data)
    except DecodeError:
        raise PentimentoError(Code.INVALID_ARGUMENT, f"the request of {name} cannot be parsed") from None


def _finish(name: str, call: Call, failure: PentimentoError | None, observer: CallObserver | None) -> None:
    """Logs and counts a call, before its status is sent: a client that reads nothing takes none either."""
    status = grpc.StatusCode.OK if call.outcome == "ok" else grpc.StatusCode.CANCELLED
    if failure is not None:
        call.outcome, status = failure.outcome, GRPC_STATUS[failure.code]
    if observer is not None:
        observer.call(method=name, outcome=call.outcome, seconds=call.seconds)
    log_request(call, "grpc", status.name, rpc=name)


async def _abort(context: Context, error: PentimentoError, request_id: str) -> NoReturn:
    metadata = [("pentimento-code", error.code.value), ("x-request-id", request_id)]
    if error.field is not None:
        metadata.append(("pentimento-field", _printable(field_name(error.field))))
    if error.retry_after_s is not None:
        metadata.append(("retry-after-ms", str(round(error.retry_after_s * 1000))))
    details = sentence(error)
    if len(details) > _MAX_STATUS_CHARACTERS:
        details = details[: _MAX_STATUS_CHARACTERS - 1] + "…"
    try:
        await context.abort(GRPC_STATUS[error.code], details, tuple(metadata))
    except grpc.aio.InternalError:  # the connection ended before the client had taken it
        raise asyncio.CancelledError from None


def _printable(text: str) -> str:
    """Metadata is printable ASCII; a field's name can hold what the client made up."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:_MAX_STATUS_CHARACTERS])
