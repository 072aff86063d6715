"""The transport over gRPC: frames come as messages of a stream.

A call that is not read to its end is cancelled explicitly: one that is merely dropped would go on, since the
asyncio calls of grpcio are not collected while they run (grpc/grpc#43462).
"""

__all__ = ["AsyncGrpcTransport", "GrpcTransport"]

from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from typing import TypedDict

import grpc

from pentimento_client.connection import Connection
from pentimento_client.grpc import calls, wire
from pentimento_client.grpc.errors import grpc_errors
from pentimento_client.messages import Event
from pentimento_client.models import Model, Models, Reload
from pentimento_client.pb import canvas_service_pb2 as pb
from pentimento_client.pb import canvas_service_pb2_grpc as pb_grpc
from pentimento_client.requests import EncodeRequest, LikelihoodRequest, ScoreRequest, StreamRequest
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult
from pentimento_client.transport import bearer


class GrpcTransport:
    """Blocking calls over gRPC; methods as described in `Transport`."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._target = connection, connection.address.target
        options, credentials = wire.channel_options(connection.address.here), connection.credentials
        self._channel = (
            grpc.insecure_channel(self._target, options=options)
            if credentials is None
            else grpc.secure_channel(self._target, credentials, options=options)
        )
        self._stub = pb_grpc.CanvasServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def stream(self, request: StreamRequest) -> Generator[Event, None, None]:
        """Calls the RPC that draws, and yields its events; closing the generator cancels the drawing."""
        reader = wire.EventReader()
        with grpc_errors(self._target):
            method, message = calls.stream_call(request)
            call = getattr(self._stub, method)(message, **_how(self._connection, request.timeout_s))
            try:
                for answer in call:
                    yield from reader.read(answer)
                reader.end()
            finally:
                call.cancel()

    def score(self, request: ScoreRequest) -> ScoreResult:
        """Calls the RPC Score."""
        with grpc_errors(self._target):
            message, how = calls.score_call(request), _how(self._connection, request.timeout_s)
            return wire.score(self._stub.Score(message, **how))

    def encode(self, request: EncodeRequest) -> EncodeResult:
        """Calls the RPC Encode."""
        with grpc_errors(self._target):
            message, how = calls.encode_call(request), _how(self._connection, request.timeout_s)
            return wire.encode(self._stub.Encode(message, **how))

    def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Calls the RPC EstimateLikelihood."""
        with grpc_errors(self._target):
            message, how = calls.likelihood_call(request), _how(self._connection, request.timeout_s)
            return wire.likelihood(self._stub.EstimateLikelihood(message, **how))

    def models(self) -> Models:
        """Calls the RPC ListModels."""
        with grpc_errors(self._target):
            return wire.models(self._stub.ListModels(pb.ListModelsRequest(), **_how(self._connection)))

    def model(self, name: str) -> Model:
        """Calls the RPC GetModel."""
        with grpc_errors(self._target):
            request, how = pb.GetModelRequest(name=name), _how(self._connection)
            return wire.model(self._stub.GetModel(request, **how))

    def reload(self, token: str) -> Reload:
        """Calls the RPC ReloadModels, with the admin token."""
        how = _how(replace(self._connection, authorization=bearer(token)))
        with grpc_errors(self._target):
            return wire.reload(self._stub.ReloadModels(pb.ReloadModelsRequest(), **how))

    def close(self) -> None:
        """Closes the connection, and cancels what still runs on it."""
        self._channel.close()


class AsyncGrpcTransport:
    """The same calls for asyncio; methods as described in `AsyncTransport`."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._target = connection, connection.address.target
        self._channel: grpc.aio.Channel | None = None

    async def stream(self, request: StreamRequest) -> AsyncGenerator[Event, None]:
        """Calls the RPC that draws, and yields its events; closing the generator cancels the drawing."""
        reader = wire.EventReader()
        with grpc_errors(self._target):
            method, message = calls.stream_call(request)
            call = getattr(self._stub(), method)(message, **_how(self._connection, request.timeout_s))
            try:
                async for answer in call:
                    for event in reader.read(answer):
                        yield event
                reader.end()
            finally:
                call.cancel()

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """Calls the RPC Score."""
        with grpc_errors(self._target):
            message, how = calls.score_call(request), _how(self._connection, request.timeout_s)
            return wire.score(await self._stub().Score(message, **how))

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """Calls the RPC Encode."""
        with grpc_errors(self._target):
            message, how = calls.encode_call(request), _how(self._connection, request.timeout_s)
            return wire.encode(await self._stub().Encode(message, **how))

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """Calls the RPC EstimateLikelihood."""
        with grpc_errors(self._target):
            message, how = calls.likelihood_call(request), _how(self._connection, request.timeout_s)
            return wire.likelihood(await self._stub().EstimateLikelihood(message, **how))

    async def models(self) -> Models:
        """Calls the RPC ListModels."""
        with grpc_errors(self._target):
            return wire.models(
                await self._stub().ListModels(pb.ListModelsRequest(), **_how(self._connection))
            )

    async def model(self, name: str) -> Model:
        """Calls the RPC GetModel."""
        with grpc_errors(self._target):
            request, how = pb.GetModelRequest(name=name), _how(self._connection)
            return wire.model(await self._stub().GetModel(request, **how))

    async def reload(self, token: str) -> Reload:
        """Calls the RPC ReloadModels, with the admin token."""
        how = _how(replace(self._connection, authorization=bearer(token)))
        with grpc_errors(self._target):
            return wire.reload(await self._stub().ReloadModels(pb.ReloadModelsRequest(), **how))

    async def close(self) -> None:
        """Closes the connection, and cancels what still runs on it."""
        if self._channel is not None:
            await self._channel.close(None)

    def _stub(self) -> pb_grpc.CanvasServiceStub:
        if self._channel is None:  # made on first use: it belongs to the event loop that runs then
            options = wire.channel_options(self._connection.address.here)
            credentials = self._connection.credentials
            self._channel = (
                grpc.aio.insecure_channel(self._target, options=options)
                if credentials is None
                else grpc.aio.secure_channel(self._target, credentials, options=options)
            )
        return pb_grpc.CanvasServiceStub(self._channel)  # type: ignore[no-untyped-call]


class _How(TypedDict):
    timeout: float
    metadata: tuple[tuple[str, str], ...]


def _how(connection: Connection, timeout_s: float | None = None) -> _How:
    """Deadline and metadata of a call."""
    return {
        "timeout": calls.deadline_s(timeout_s, connection.silence_s),
        "metadata": connection.metadata,
    }
