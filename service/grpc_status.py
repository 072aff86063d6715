"""How the core's errors look in gRPC, and the handlers that make every RPC answer that way.

An error becomes a status with the error's sentence, and trailing metadata for programs: `pentimento-code`,
`pentimento-field`, `retry-after-ms`.
"""

__all__ = ["GRPC_STATUS", "CallObserver", "Context", "authorization", "generic_handler"]

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal, NoReturn, Protocol, TypeAlias

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from service.errors import Code, PentimentoError
from service.wire_fields import field_name, sentence

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

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Handler: TypeAlias = Callable[[Any, Context], Awaitable[Message | None]]


class CallObserver(Protocol):
    """Who wants to know about RPCs."""

    def call(self, *, method: str, code: str, seconds: float) -> None:
        """An RPC is over; `code` is a status name, CANCELLED where the client or the deadline ended it."""
        ...

    def first_canvas(self, transport: Literal["grpc"], seconds: float) -> None:
        """The first frame of a stream was sent."""
        ...


def generic_handler(
    service: ServiceDescriptor,
    implementation: object,
    *,
    on_call: Callable[[Context], None],
    observer: CallObserver | None = None,
) -> "grpc.GenericRpcHandler[Any, Any]":
    """Makes the handler of a whole service.

    Args:
        service: The service of the proto.
        implementation: Has a coroutine method for each RPC, named alike: it returns the answer or, when the
            RPC streams, writes to the context. It raises PentimentoError and knows nothing of statuses.
        on_call: Told of each call as it starts.
        observer: Told of each call as it ends.
    """
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in service.methods:
        call = _answering(method.name, getattr(implementation, method.name), on_call, observer)
        make = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        handlers[method.name] = make(
            call,
            request_deserializer=_parser(method),
            response_serializer=_kind(method.output_type).SerializeToString,
        )
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def authorization(context: Context) -> str | None:
    """What a call's metadata say of who makes it; None: nothing."""
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            return value if isinstance(value, str) else None
    return None


def _kind(descriptor: Descriptor) -> type[Message]:
    kind: type[Message] = message_factory.GetMessageClass(descriptor)
    return kind


def _parser(method: MethodDescriptor) -> Callable[[bytes], Message | DecodeError]:
    """Bytes to the method's request. gRPC would answer UNKNOWN if this raised, so the error is handed on."""
    kind = _kind(method.input_type)

    def parse(data: bytes) -> Message | DecodeError:
        try:
            return kind.FromString(data)
        except DecodeError as error:
            return error

    return parse


def _answering(
    name: str, handler: _Handler, on_call: Callable[[Context], None], observer: CallObserver | None
) -> _Handler:
    async def call(request: Message | DecodeError, context: Context) -> Message | None:
        on_call(context)
        started = time.monotonic()
        status = grpc.StatusCode.CANCELLED  # unless it comes to an end below
        failure: PentimentoError | None = None
        try:
            if isinstance(request, DecodeError):
                raise PentimentoError(Code.INVALID_ARGUMENT, f"the request of {name} cannot be parsed")
            answer = await handler(request, context)
            status = grpc.StatusCode.OK
            return answer
        except PentimentoError as error:
            failure = error.with_traceback(None)
        except Exception:
            if context.done():  # the client left while an answer was being written
                raise
            _log.exception("%s failed", name)
            failure = PentimentoError(Code.INTERNAL, "internal error; the server's log has the reason")
        finally:
            if failure is not None:
                status = GRPC_STATUS[failure.code]
            if observer is not None:
                observer.call(method=name, code=status.name, seconds=time.monotonic() - started)
        # Not where the error is handled: the context keeps what this raises, and would keep with it the error
        # that it comes from, the handler's frames, the drawing and its graphs.
        await _abort(context, failure)

    return call


async def _abort(context: Context, error: PentimentoError) -> NoReturn:
    metadata = [("pentimento-code", error.code.value)]
    if error.field is not None:
        metadata.append(("pentimento-field", _printable(field_name(error.field))))
    if error.retry_after_s is not None:
        metadata.append(("retry-after-ms", str(round(error.retry_after_s * 1000))))
    details = sentence(error)
    if len(details) > _MAX_STATUS_CHARACTERS:
        details = details[: _MAX_STATUS_CHARACTERS - 1] + "…"
    await context.abort(GRPC_STATUS[error.code], details, tuple(metadata))


def _printable(text: str) -> str:
    """Metadata is printable ASCII; a field's name can hold what the client made up."""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:_MAX_STATUS_CHARACTERS])
