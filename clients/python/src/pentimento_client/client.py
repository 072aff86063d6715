"""The blocking client."""

__all__ = ["Client", "FrameStream"]

from collections.abc import Generator, Iterable, Iterator
from types import TracebackType
from typing import Literal, Self, Unpack

from pentimento_client.grpc_transport import GrpcTransport
from pentimento_client.http_transport import HttpTransport
from pentimento_client.messages import (
    Drawing,
    DrawOptions,
    DrawRequest,
    Event,
    Frame,
    ScoreRequest,
    ScoreResult,
)
from pentimento_client.models import Model, Models
from pentimento_client.pixels import ImageLike, to_picture_file
from pentimento_client.stream_state import StreamState
from pentimento_client.transport import Transport, parse_url


class FrameStream(StreamState):
    """A drawing as it comes: enter it, then iterate. Leaving it early cancels the drawing.

    `header` (model, version, seed, steps) is there as soon as it is entered, `timing` when it is complete.
    """

    def __init__(self, events: Generator[Event, None, None]) -> None:
        super().__init__()
        self._events = events

    def __enter__(self) -> Self:
        try:
            self._accept(next(self._events))
        except BaseException:
            self._events.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        self._check_entered()
        for event in self._events:
            if isinstance(event, Frame):
                return event
            self._accept(event)
        raise StopIteration

    def close(self) -> None:
        """Cancels what is not drawn yet. Harmless when done, or twice."""
        self._events.close()


class Client:
    """A connection to a Pentimento server.

        with Client("http://localhost:8000") as client:
            with client.stream("gran5-mnist", n=4, seed=7) as frames:
                for frame in frames:
                    frame.images[0].save(f"step{frame.step}.png")

    Every failure is a PentimentoError.

    Args:
        url: `http://HOST:PORT` or `grpc://HOST:PORT`; `https://` and `grpcs://` use TLS.

    Raises:
        ValueError: The URL is none of these.
    """

    def __init__(self, url: str) -> None:
        address = parse_url(url)
        self._transport: Transport = (
            HttpTransport(address) if address.kind == "http" else GrpcTransport(address)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stream(self, model: str | None = None, **options: Unpack[DrawOptions]) -> FrameStream:
        """Draws images and gives every canvas as it is drawn.

        Args:
            model: A served model; by default the server's.
            **options: n, steps, seed, label, score, latents, timeout_s, encoding: see DrawOptions.

        Returns:
            A stream to be used in a `with` statement.
        """
        return FrameStream(self._transport.stream(DrawRequest(model=model, **options)))

    def generate(self, model: str | None = None, **options: Unpack[DrawOptions]) -> Drawing:
        """Draws images and returns when they are complete; arguments as `stream`."""
        with self.stream(model, **options) as stream:
            frames = tuple(stream)
            return stream.drawing(frames)

    def score(
        self,
        images: Iterable[ImageLike],
        model: str | None = None,
        *,
        fit: Literal["exact", "resize"] = "exact",
        timeout_s: float | None = None,
    ) -> ScoreResult:
        """Asks a model's scorer for its opinion of pictures.

        Args:
            images: File contents, paths, Pillow images or arrays.
            model: A served model; by default the server's.
            fit: What to do with a picture of another size or colour mode: refuse it, or resize and convert.
            timeout_s: Seconds after which the request is given up; by default the server's limit.
        """
        files = tuple(to_picture_file(image) for image in images)
        return self._transport.score(ScoreRequest(model=model, images=files, fit=fit, timeout_s=timeout_s))

    def models(self) -> Models:
        """The served models, and the folders that were refused."""
        return self._transport.models()

    def model(self, name: str) -> Model:
        """One served model with its whole manifest."""
        return self._transport.model(name)

    def close(self) -> None:
        """Closes the connection, and cancels what still runs on it."""
        self._transport.close()
