"""Health and reflection: what anybody may ask without a key, so within limits of their own."""

__all__ = ["HEALTH", "REFLECTION", "Health", "Reflection"]

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NoReturn, TypeAlias, TypeVar

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from pentimento.service.door.door import Door
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.grpc.arrivals import Arrivals
from pentimento.service.grpc.call import Context, caller_of
from pentimento.service.grpc.refusing import refuse
from pentimento.service.grpc.seats import Seats

HEALTH: str = health.SERVICE_NAME
REFLECTION: str = reflection.SERVICE_NAME

_REFLECTION_S = 60.0  # that a client may take to look at the services; tools make another call

_LOOK_S = 0.01  # between two looks whether all who watch have been told

_Handler: TypeAlias = "grpc.GenericRpcHandler[Any, Any]"
_Ask: TypeAlias = Callable[[Context, str], Awaitable[Any]]  # of a client
_Request = TypeVar("_Request", bound=Message)


class _Service:
    """What both have in common: messages of calls arrive within limits, and errors become statuses."""

    def __init__(self, arrivals: Arrivals, door: Door) -> None:
        self._arrivals, self._door = arrivals, door

    def _bounded(self, ask: _Ask) -> Callable[[object, Context], Awaitable[Any]]:
        async def answer(_: object, context: Context) -> Any:  # noqa: ANN401  # a message, or None for a stream
            try:
                return await ask(context, self._door.bucket(caller_of(context)))
            except PentimentoError as error:
                failure = error.with_traceback(None)
            return await refuse(context, failure)

        return answer

    async def _next(self, context: Context, client: str, kind: type[_Request]) -> _Request | None:
        data = await self._arrivals.read(context, client)
        try:
            return None if data is None else kind.FromString(data)
        except DecodeError:
            raise PentimentoError(Code.INVALID_ARGUMENT, "the request cannot be parsed") from None


class Health(_Service):
    """grpc.health.v1.Health.

    The one that comes with gRPC lets anybody watch as often as he likes, and tells the other watchers of a
    service nothing more when one of them has left.
    """

    def __init__(self, arrivals: Arrivals, door: Door) -> None:
        super().__init__(arrivals, door)
        self._statuses: dict[str, int] = {}
        self._changed = asyncio.Event()  # another one after each change
        self._watching: set[Context] = set()
        self._untold: set[Context] = set()  # those who have not been told of the last change
        self._watches = Seats("health watches", of_connection=8, of_client=128, of_all=1024)

    @property
    def handler(self) -> _Handler:
        """What gRPC calls."""
        methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Check": grpc.stream_unary_rpc_method_handler(
                self._bounded(self._check), response_serializer=_serialize
            ),
            "Watch": grpc.stream_stream_rpc_method_handler(
                self._bounded(self._watch), response_serializer=_serialize
            ),
        }
        return grpc.method_handlers_generic_handler(HEALTH, methods)

    def set(self, service: str, *, serving: bool) -> None:
        """Sets the status of a service, or of the server as a whole: "", and tells who watches it."""
        kinds = health_pb2.HealthCheckResponse
        self._statuses[service] = kinds.SERVING if serving else kinds.NOT_SERVING
        self._untold = set(self._watching)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def told(self, seconds: float) -> None:
        """Waits until all who watch have been told of the last change, for at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._untold:
                    await asyncio.sleep(_LOOK_S)

    async def _check(self, context: Context, client: str) -> Message:
        request = await self._next(context, client, health_pb2.HealthCheckRequest)
        status = None if request is None else self._statuses.get(request.service)
        if status is None:
            raise PentimentoError(Code.NOT_FOUND, "no service of that name is known here", field="service")
        answer: Message = health_pb2.HealthCheckResponse(status=status)
        return answer

    async def _watch(self, context: Context, client: str) -> None:
        with self._watches.one(context.peer(), client):
            request = await self._next(context, client, health_pb2.HealthCheckRequest)
            self._watching.add(context)
            try:
                await self._tell(context, "" if request is None else request.service)
            finally:
                self._watching.discard(context)
                self._untold.discard(context)

    async def _tell(self, context: Context, service: str) -> NoReturn:
        """Tells the status of a service now, and whenever it changes."""
        last = None
        while True:
            changed = self._changed  # before the status is read, or a change while one is written is missed
            status = self._statuses.get(service, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
            if status != last:
                last = status
                await context.write(health_pb2.HealthCheckResponse(status=status))
            if changed is self._changed:
                self._untold.discard(context)
            await changed.wait()


class _Pools:
    """Two pools of descriptors as one, as far as reflection asks; what is in both, the first describes."""

    def __init__(self, first: DescriptorPool) -> None:
        self._first, self._second = first, descriptor_pool.Default()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def find(*args: object) -> Any:  # noqa: ANN401  # a descriptor of any kind
            try:
                return getattr(self._first, name)(*args)
            except (KeyError, TypeError):  # not there, or of the other pool
                return getattr(self._second, name)(*args)

        return find


class Reflection(_Service):
    """grpc.reflection.v1alpha.ServerReflection.

    Args:
        arrivals: Reads its messages.
        door: Knows who asks.
        names: Of the services that it describes.
        pool: Describes those that the default pool does not.
    """

    def __init__(
        self, arrivals: Arrivals, door: Door, names: Sequence[str], pool: DescriptorPool | None = None
    ) -> None:
        super().__init__(arrivals, door)
        pools = None if pool is None else _Pools(pool)
        self._servicer = reflection.aio.ReflectionServicer(names, pools)  # type: ignore[attr-defined]  # not in the stubs
        self._streams = Seats("reflection streams", of_connection=4, of_client=16, of_all=64)

    @property
    def handler(self) -> _Handler:
        """What gRPC calls."""
        method: grpc.RpcMethodHandler[Any, Any] = grpc.stream_stream_rpc_method_handler(
            self._bounded(self._info), response_serializer=_serialize
        )
        return grpc.method_handlers_generic_handler(REFLECTION, {"ServerReflectionInfo": method})

    async def _info(self, context: Context, client: str) -> None:
        async def requests() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
            kind = reflection_pb2.ServerReflectionRequest
            while (request := await self._next(context, client, kind)) is not None:
                yield request

        with self._streams.one(context.peer(), client):
            try:
                async with asyncio.timeout(_REFLECTION_S):
                    async for response in self._servicer.ServerReflectionInfo(requests(), context):
                        await context.write(response)
            except TimeoutError:
                message = f"a reflection stream may take {_REFLECTION_S:.0f} s; make another"
                raise PentimentoError(Code.DEADLINE_EXCEEDED, message) from None


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
