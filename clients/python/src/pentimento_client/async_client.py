"""The asyncio client."""

__all__ = ["AsyncClient", "AsyncFrameStream"]

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Literal, Self, Unpack

from numpy.typing import ArrayLike

from pentimento_client.connection import ConnectOptions, connect
from pentimento_client.grpc.transport import AsyncGrpcTransport
from pentimento_client.http.transport import AsyncHttpTransport
from pentimento_client.messages import Drawing, Event, Frame
from pentimento_client.models import Model, Models, Reload
from pentimento_client.pixels import ImageLike, to_picture_file
from pentimento_client.requests import (
    AutoencodeOptions,
    AutoencodeRequest,
    CompleteOptions,
    CompleteRequest,
    DrawOptions,
    DrawRequest,
    EncodeRequest,
    Label,
    LikelihoodOptions,
    LikelihoodRequest,
    ReadOptions,
    ScoreRequest,
    StreamRequest,
)
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult
from pentimento_client.retrying import AsyncRetryingTransport
from pentimento_client.secrecy import warn_unencrypted
from pentimento_client.stream_state import StreamState
from pentimento_client.transport import AsyncTransport


class AsyncFrameStream(StreamState):
    """A drawing as it comes: enter it, then iterate over frames. Leaving it early cancels the drawing.

    Cancellation of the task does so, too. `header` (model, version, seed, steps) is there as soon as it is
    entered, `timing` when it is complete.
    """

    def __init__(self, events: AsyncGenerator[Event, None]) -> None:
        super().__init__()
        self._events = events

    async def __aenter__(self) -> Self:
        try:
            self._accept(await anext(self._events))
        except BaseException:
            await self._events.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        self._check_entered()
        async for event in self._events:
            if isinstance(event, Frame):
                return event
            self._accept(event)
        raise StopAsyncIteration

    async def close(self) -> None:
        """Cancels what is not drawn yet. Does nothing when all is drawn, or the second time."""
        await self._events.aclose()


class AsyncClient:
    """A connection to a Pentimento server, for asyncio; like Client in everything else.

        async with AsyncClient("grpc://localhost:50051") as client:
            async with client.stream("gran5-mnist", n=4, seed=7) as frames:
                async for frame in frames:
                    frame.images[0].save(f"step{frame.step}.png")

    Args:
        url: as for Client.
        **options: as for Client.

    Raises:
        ValueError: as Client.
        OSError: as Client.
    """

    def __init__(self, url: str, **options: Unpack[ConnectOptions]) -> None:
        connection = connect(url, **options)
        self._address = connection.address
        transport: AsyncTransport = (
            AsyncHttpTransport(connection)
            if connection.address.kind == "http"
            else AsyncGrpcTransport(connection)
        )
        self._transport: AsyncTransport = AsyncRetryingTransport(transport, connection.retries)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def stream(self, model: str | None = None, **options: Unpack[DrawOptions]) -> AsyncFrameStream:
        """Draws images and gives every canvas as it is drawn; arguments as Client.stream.

        Returns:
            A stream to be used in an `async with` statement.
        """
        return AsyncFrameStream(self._transport.stream(DrawRequest(model=model, **options)))

    async def generate(self, model: str | None = None, **options: Unpack[DrawOptions]) -> Drawing:
        """Draws images and returns when they are complete; arguments as Client.stream."""
        return await _collect(self.stream(model, **options))

    def stream_autoencode(
        self, image: ImageLike, model: str | None = None, **options: Unpack[AutoencodeOptions]
    ) -> AsyncFrameStream:
        """Encodes a picture and draws it again, canvas by canvas; arguments as Client.stream_autoencode.

        Returns:
            A stream to be used in an `async with` statement.
        """

        def read() -> StreamRequest:
            return AutoencodeRequest(model=model, image=to_picture_file(image), **options)

        return AsyncFrameStream(self._read_and_stream(read))

    async def autoencode(
        self, image: ImageLike, model: str | None = None, **options: Unpack[AutoencodeOptions]
    ) -> Drawing:
        """Encodes a picture, draws it again and returns when that is done; as Client.stream_autoencode."""
        return await _collect(self.stream_autoencode(image, model, **options))

    def stream_complete(
        self, image: ImageLike, mask: ImageLike, model: str | None = None, **options: Unpack[CompleteOptions]
    ) -> AsyncFrameStream:
        """Keeps the given pixels of a picture, draws the others; arguments as Client.stream_complete.

        Returns:
            A stream to be used in an `async with` statement.
        """

        def read() -> StreamRequest:
            files = {"image": to_picture_file(image), "mask": to_picture_file(mask)}
            return CompleteRequest(model=model, **files, **options)

        return AsyncFrameStream(self._read_and_stream(read))

    async def complete(
        self, image: ImageLike, mask: ImageLike, model: str | None = None, **options: Unpack[CompleteOptions]
    ) -> Drawing:
        """Completes a picture and returns when that is done; arguments as Client.stream_complete."""
        return await _collect(self.stream_complete(image, mask, model, **options))

    async def encode(
        self, images: Iterable[ImageLike], model: str | None = None, **options: Unpack[ReadOptions]
    ) -> EncodeResult:
        """Encodes pictures with a model's encoder; arguments as Client.encode."""
        request = EncodeRequest(model=model, images=await _files(images), **options)
        return await self._transport.encode(request)

    async def likelihood(
        self, images: Iterable[ImageLike], model: str | None = None, **options: Unpack[LikelihoodOptions]
    ) -> LikelihoodResult:
        """Computes the log-likelihood of pictures, or a bound of it; arguments as Client.likelihood."""
        request = LikelihoodRequest(model=model, images=await _files(images), **options)
        return await self._transport.likelihood(request)

    async def score(
        self,
        images: Iterable[ImageLike],
        model: str | None = None,
        *,
        fit: Literal["exact", "resize"] = "exact",
        label: Label | None = None,
        latents: Mapping[str, ArrayLike] | None = None,
        group: bool = False,
        timeout_s: float | None = None,
    ) -> ScoreResult:
        """Scores pictures with a model's discriminator or critic; arguments as Client.score."""
        files = await _files(images)
        request = ScoreRequest(
            model=model,
            images=files,
            fit=fit,
            label=label,
            latents=latents or {},
            group=group,
            timeout_s=timeout_s,
        )
        return await self._transport.score(request)

    async def models(self) -> Models:
        """Lists the served models, and the folders that were refused."""
        return await self._transport.models()

    async def model(self, name: str) -> Model:
        """Returns one served model with its whole manifest; arguments as Client.model."""
        return await self._transport.model(name)

    async def reload_models(self, token: str) -> Reload:
        """Lets the server read its bundle folder again; arguments as Client.reload_models."""
        warn_unencrypted(self._address, "the admin token", stacklevel=3)
        return await self._transport.reload(token)

    async def close(self) -> None:
        """Closes the connection, and cancels what still runs on it."""
        await self._transport.close()

    async def _read_and_stream(self, read: Callable[[], StreamRequest]) -> AsyncGenerator[Event, None]:
        """Reads the pictures off the event loop, then streams; closing the generator cancels the drawing."""
        request = await asyncio.to_thread(read)
        async with aclosing(self._transport.stream(request)) as events:
            async for event in events:
                yield event


async def _collect(stream: AsyncFrameStream) -> Drawing:
    async with stream:
        frames = tuple([frame async for frame in stream])
        return stream.drawing(frames)


async def _files(images: Iterable[ImageLike]) -> tuple[bytes, ...]:
    return await asyncio.to_thread(lambda: tuple(to_picture_file(image) for image in images))
