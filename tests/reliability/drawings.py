"""Clients that ask for drawings in every way there is, and can leave at any moment."""

__all__ = ["Clients", "Sitting"]

import asyncio
import base64
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

import grpc
import numpy as np

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.reliability.asks import Ask, Ending, Way
from tests.reliability.server import Place, ServerProcess
from tests.reliability.wire import Cut, HttpConnection


class Sitting(ABC):
    """A drawing under way: an iterator of frames that does not raise, however the drawing ends.

    Attributes:
        frames: PNGs of every image, for each step that came so far.
    """

    def __init__(self) -> None:
        self.frames: list[list[bytes]] = []
        self._end: Ending | None = None
        self._events = self._read()

    async def frame(self) -> list[bytes] | None:
        """Waits for the next frame; None when the drawing has ended."""
        return await anext(self._events, None)

    async def ending(self) -> Ending:
        """Reads to the end of the drawing, and returns how it ended."""
        async for _ in self._events:
            pass
        self.hang_up()
        return self._end or Ending(code="CUT", detail="the stream stopped", frames=self.frames)

    @abstractmethod
    def hang_up(self) -> None:
        """Breaks the connection without a word."""

    @abstractmethod
    def _read(self) -> AsyncIterator[list[bytes]]:
        """Yields frame by frame, and sets how the drawing ended."""

    def _finish(self, code: str = "OK", detail: str = "", retry_after_s: float | None = None) -> None:
        assert self._end is None, "a stream ends once"
        self._end = Ending(code=code, detail=detail, retry_after_s=retry_after_s, frames=self.frames)


class Clients:
    """Clients of one server, over HTTP and gRPC; `async with` breaks off at its end what is still open.

    Args:
        server: The server, or where it is.
        small_buffer: Whether the kernel holds little of what a client does not read.
    """

    def __init__(self, server: ServerProcess | Place, *, small_buffer: bool = False) -> None:
        self._place = server if isinstance(server, Place) else server.place
        self._small = small_buffer
        self._connections: list[HttpConnection] = []

    async def __aenter__(self) -> Self:
        self.channel = grpc.aio.insecure_channel(
            f"{self._place.host}:{self._place.grpc_port}",
            options=(
                ("grpc.use_local_subchannel_pool", 1),  # a connection of its own
                ("grpc.max_receive_message_length", 64 << 20),
                ("grpc.enable_retries", 0),
            ),
        )
        self._stub = pb_grpc.CanvasServiceStub(self.channel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections:
            connection.hang_up()
        await self.channel.close()

    async def begin(self, way: Way, ask: Ask, *, deadline_s: float | None = None) -> Sitting:
        """Sends a request, and returns before its answer; `deadline_s` is for a call over gRPC."""
        if way.transport == "grpc":
            return _GrpcSitting(self._stub, way, ask, deadline_s)
        connection = await HttpConnection(
            self._place.http_port, host=self._place.host, small_buffer=self._small
        ).__aenter__()
        self._connections.append(connection)
        body = json.dumps({**ask.numbers, "latents": _lists(ask.latents)}).encode()
        headers = {"Accept": way.value, "Content-Type": "application/json"}
        await connection.ask("POST", "/generate", headers=headers, body=body)
        return _HttpSitting(connection, self._connections, way)

    async def draw(self, way: Way, ask: Ask, *, deadline_s: float | None = None) -> Ending:
        """Asks for a drawing and reads it to its end."""
        try:
            return await (await self.begin(way, ask, deadline_s=deadline_s)).ending()
        except OSError as error:
            return Ending(code="CUT", detail=repr(error))


class _HttpSitting(Sitting):
    def __init__(self, connection: HttpConnection, connections: list[HttpConnection], way: Way) -> None:
        super().__init__()
        self._connection, self._connections, self._way = connection, connections, way

    def hang_up(self) -> None:
        if self._connection in self._connections:
            self._connections.remove(self._connection)
        self._connection.hang_up()

    async def _read(self) -> AsyncIterator[list[bytes]]:
        try:
            status, headers = await self._connection.head()
            if status == 200 and self._way is not Way.JSON:
                async for pictures in self._stream():
                    yield pictures
                return
            content = json.loads(await self._connection.body())
        except Cut as cut:
            self._end = Ending(code="CUT", detail=str(cut), frames=self.frames)
            return
        if status != 200:
            retry_after = headers.get("retry-after")
            self._finish(content["code"], content["detail"], float(retry_after) if retry_after else None)
            return
        self.frames += [_pictures(frame) for frame in content["frames"]]
        self._finish()

    async def _stream(self) -> AsyncIterator[list[bytes]]:
        pending = b""
        end = b"\n\n" if self._way is Way.SSE else b"\n"
        async for chunk in self._connection.chunks():
            *events, pending = (pending + chunk).split(end)
            for event in events:
                kind, content = self._event(event)
                if kind == "frame":
                    self.frames.append(_pictures(content))
                    yield self.frames[-1]
                elif kind == "error":
                    self._finish(content["code"], content["detail"])
                elif kind == "done":
                    self._finish()

    def _event(self, event: bytes) -> tuple[str | None, Any]:
        if self._way is Way.NDJSON:
            content = json.loads(event)
            return content["type"], content
        lines = dict(line.split(": ", 1) for line in event.decode().split("\n") if not line.startswith(":"))
        return lines.get("event"), json.loads(lines.get("data", "null"))


class _GrpcSitting(Sitting):
    def __init__(self, stub: pb_grpc.CanvasServiceStub, way: Way, ask: Ask, deadline_s: float | None) -> None:
        super().__init__()
        names = {"n": "image_count", "steps": "step_count"}
        spec = pb.DrawingSpec(**{names.get(name, name): value for name, value in ask.numbers.items()})
        for name, values in ask.latents.items():
            spec.latents.add(name=name, shape=values.shape, data=values.astype("<f4").tobytes())
        self._call = (
            stub.Generate(pb.GenerateRequest(drawing=spec), timeout=deadline_s)
            if way is Way.UNARY
            else stub.StreamCanvas(pb.StreamCanvasRequest(drawing=spec), timeout=deadline_s)
        )
        self._whole = way is Way.UNARY

    def hang_up(self) -> None:
        self._call.cancel()

    async def _read(self) -> AsyncIterator[list[bytes]]:
        try:
            if self._whole:
                self.frames += [list(frame.images) for frame in (await self._call).frames]
                self._finish()
                return
            async for response in self._call:
                if response.HasField("frame"):
                    self.frames.append(list(response.frame.images))
                    yield self.frames[-1]
                elif response.HasField("summary"):
                    self._finish()
        except grpc.aio.AioRpcError as error:
            metadata = dict(error.trailing_metadata() or ())
            retry = metadata.get("retry-after-ms")
            code = metadata.get("pentimento-code", error.code().name)
            self._finish(str(code), error.details() or "", float(retry) / 1000 if retry else None)
        except asyncio.CancelledError:
            if not self._call.cancelled():
                raise  # this task was cancelled, not the call
            self._finish("CUT", "the call was cancelled")


def _lists(latents: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: values.tolist() for name, values in latents.items()}


def _pictures(frame: Mapping[str, Any]) -> list[bytes]:
    return [base64.b64decode(image) for image in frame["images"]]
