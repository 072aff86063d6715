"""Makes the handlers through which every RPC answers: first who calls is let in, then the message is read."""

__all__ = ["CallObserver", "generic_handler"]

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from pentimento.service.door.door import Door, Guard, Visit
from pentimento.service.door.receiving import Parcel, Receiving
from pentimento.service.errors import Code, PentimentoError, invalid
from pentimento.service.grpc.arrivals import Arrivals
from pentimento.service.grpc.call import Call, Context, Pace
from pentimento.service.grpc.calls import Calls
from pentimento.service.grpc.counts import Counts
from pentimento.service.grpc.refusing import GRPC_STATUS, refuse
from pentimento.service.grpc.sending import Sending
from pentimento.service.telemetry.request_log import log_request

_log = logging.getLogger(__name__)

_Handler: TypeAlias = Callable[[Any, Call], Awaitable[Any]]

_MOMENT_S = 0.05

_GUARDS: dict[str, Guard] = {  # of RPCs that ask for the admin token themselves, or for nothing
    "ReloadModels": "admin",
    "RepositoryModelLoad": "admin",
    "RepositoryModelUnload": "admin",
    "ServerLive": "none",
    "ServerReady": "none",
}


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
    arrivals: Arrivals,
    counts: Counts,
    receiving: Receiving,
    sending: Sending,
    pace: Pace,
    observer: CallObserver | None = None,
    renames: bool = True,
) -> "grpc.GenericRpcHandler[Any, Any]":
    """Makes the gRPC handler of a whole service.

    Args:
        service: The service of the proto.
        implementation: Has a coroutine method for each RPC, named alike: it returns the answer or, when the
            RPC streams, writes all messages but the last to the call, and returns that. Where the client
            streams, too, it is given an iterator of messages and writes all of its own. It raises
            PentimentoError and knows nothing of statuses.
        calls: Told of each call.
        door: Decides which calls are let in.
        arrivals: Reads their messages.
        counts: Limits of their lists.
        receiving: The budget in which messages are counted, from their arrival to the end of their call.
        sending: The budget in which answers are counted, until their client has taken them.
        pace: At which streams must be read.
        observer: Told of each call as it ends.
        renames: Whether errors call fields as our proto does, and not as the core.
    """
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in service.methods:
        # A stream, too, returns its last message: gRPC then sends that and the status together. And a handler
        # reads its message itself, when the call is let in. Where one message is sent, nothing on the wire
        # tells the kinds of methods apart.
        streams = grpc.stream_stream_rpc_method_handler
        make = streams if method.client_streaming else grpc.stream_unary_rpc_method_handler
        rpc = _Rpc(
            method=method,
            kind=_kind(method.input_type),
            handler=getattr(implementation, method.name),
            calls=calls,
            door=door,
            arrivals=arrivals,
            counts=counts,
            receiving=receiving,
            sending=sending,
            pace=pace,
            observer=observer,
            renames=renames,
        )
        handlers[method.name] = make(
            rpc.answer,
            request_deserializer=None,  # not before its lists are counted
            response_serializer=None,  # so that the size of an answer is known
        )
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _kind(descriptor: Descriptor) -> type[Message]:
    kind: type[Message] = message_factory.GetMessageClass(descriptor)
    return kind


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rpc:
    """One RPC of a service: lets its calls in, reads their messages, and answers them."""

    method: MethodDescriptor
    kind: type[Message]
    handler: _Handler
    calls: Calls
    door: Door
    arrivals: Arrivals
    counts: Counts
    receiving: Receiving
    sending: Sending
    pace: Pace
    observer: CallObserver | None
    renames: bool

    async def answer(self, _: object, context: Context) -> bytes | None:
        """What gRPC calls: the last message of the answer; None where the client streams, too."""
        call = Call.begin(context, self.pace, self.sending.open("-"))
        self.calls.begin(context, call.outgoing)
        call.outcome = "cancelled"  # unless it comes to an end below
        visit: Visit | None = None
        parcel = self.receiving.open()
        failure: PentimentoError | None = None
        try:
            visit = self._enter(call)
            call.outgoing.client = visit.bucket
            parcel.belong_to(visit.bucket)
            if self.method.client_streaming:
                await self.handler(self._messages(context, call, visit), call)
                call.outcome = "ok"
                return None
            answer = await self.handler(await self._message(context, visit.bucket, parcel), call)
            rest: bytes = answer.SerializeToString()
            await call.make_room(len(rest), made=True)
            call.outcome = "ok"
            call.sent = len(rest)
            call.outgoing.hand_over(call.sent)
            return rest
        except PentimentoError as error:
            failure = error.with_traceback(None)
        except Exception:
            if context.done():  # the client left while an answer was being written
                raise
            _log.exception("request %s failed: %s", call.id, self.method.name)
            failure = PentimentoError(Code.INTERNAL, "internal error; the server's log has the reason")
        finally:
            call.impatience.stop()
            parcel.close()
            call.outgoing.keep_handed()
            if visit is not None:
                visit.leave()
            self.calls.hand_over(context, call.sent)
            _finish(self.method.name, call, failure, self.observer)
        # Not where the error is handled: the context keeps what this raises, and would keep with it the error
        # that it comes from, the handler's frames, the drawing and its graphs.
        return await refuse(context, failure, call.id, renames=self.renames)

    def _enter(self, call: Call) -> Visit:
        try:
            if call.repeated is not None:
                raise invalid(call.repeated, "is given twice in the metadata")
            visit = self.door.enter(call.caller, _GUARDS.get(self.method.name, "key"))
        except PentimentoError:
            call.client = self.door.address(call.caller)
            raise
        call.client = visit.client
        if self.method.server_streaming:
            visit.open_stream()
        return visit

    async def _message(self, context: Context, client: str, parcel: Parcel) -> Message:
        data = await self.arrivals.read(context, client)
        if data is None:
            # Or the client has left, or sent too much: gRPC then cancels this, a moment later.
            await asyncio.sleep(_MOMENT_S)
            raise PentimentoError(Code.INVALID_ARGUMENT, f"the request of {self.method.name} has no message")
        return self._read(data, parcel)

    async def _messages(self, context: Context, call: Call, visit: Visit) -> AsyncIterator[Message]:
        """All messages of a call, each counted as a request: the first was when the call was let in."""
        first = True
        while (data := await self.arrivals.read(context, visit.bucket)) is not None:
            if not first:
                self.door.enter(call.caller, "key").leave()
            first = False
            parcel = self.receiving.open(visit.bucket)
            try:
                yield self._read(data, parcel)
            finally:
                parcel.close()

    def _read(self, data: bytes, parcel: Parcel) -> Message:
        """Counts a message, and parses it."""
        parcel.take(len(data))
        parcel.check()
        self.counts.check(data, self.method.input_type)
        try:
            return self.kind.FromString(data)
        except DecodeError:
            sentence = f"the request of {self.method.name} cannot be parsed"
            raise PentimentoError(Code.INVALID_ARGUMENT, sentence) from None


def _finish(name: str, call: Call, failure: PentimentoError | None, observer: CallObserver | None) -> None:
    """Logs and counts a call, before its status is sent: a client that reads nothing takes none either."""
    status = grpc.StatusCode.OK if call.outcome == "ok" else grpc.StatusCode.CANCELLED
    if failure is not None:
        call.outcome, status = failure.outcome, GRPC_STATUS[failure.code]
    if observer is not None:
        observer.call(method=call.counts_as or name, outcome=call.outcome, seconds=call.seconds)
    log_request(call, "grpc", status.name, rpc=name)
