"""The blocking client."""

__all__ = ["Client", "FrameStream"]

from collections.abc import Generator, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Literal, Self, Unpack

from numpy.typing import ArrayLike

from pentimento_client.connection import ConnectOptions, connect
from pentimento_client.grpc.transport import GrpcTransport
from pentimento_client.http.transport import HttpTransport
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
)
from pentimento_client.results import EncodeResult, LikelihoodResult, ScoreResult
from pentimento_client.retrying import RetryingTransport
from pentimento_client.secrecy import warn_unencrypted
from pentimento_client.stream_state import StreamState
from pentimento_client.transport import Transport


class FrameStream(StreamState):
    """A drawing as it comes: enter it, then iterate over frames. Leaving it early cancels the drawing.

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
        """Cancels what is not drawn yet. Does nothing when all is drawn, or the second time."""
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
        **options: api_key, ca_file, certificate_file, key_file, retries, silence_s: see ConnectOptions.

    Raises:
        ValueError: The URL is none of these, or an option is wrong.
        OSError: A file of the options cannot be read.
    """

    def __init__(self, url: str, **options: Unpack[ConnectOptions]) -> None:
        connection = connect(url, **options)
        self._address = connection.address
        transport: Transport = (
            HttpTransport(connection) if connection.address.kind == "http" else GrpcTransport(connection)
        )
        self._transport: Transport = RetryingTransport(transport, connection.retries)

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
            **options: n, steps, seed, label, labels, score, score_by, boxes, latents, seeds, controls,
                timeout_s, encoding: see DrawOptions.

        Returns:
            A stream to be used in a `with` statement.
        """
        return FrameStream(self._transport.stream(DrawRequest(model=model, **options)))

    def generate(self, model: str | None = None, **options: Unpack[DrawOptions]) -> Drawing:
        """Draws images and returns when they are complete; arguments as `stream`."""
        return _collect(self.stream(model, **options))

    def stream_autoencode(
        self, image: ImageLike, model: str | None = None, **options: Unpack[AutoencodeOptions]
    ) -> FrameStream:
        """Encodes a picture and draws it again, giving every canvas as it is drawn.

        Args:
            image: File contents, a path, a Pillow image or an array.
            model: A served model; by default the server's.
            **options: samples, steps, seed, label, score, score_by, boxes, controls, fit, timeout_s,
                encoding: see AutoencodeOptions.

        Returns:
            A stream to be used in a `with` statement.
        """
        request = AutoencodeRequest(model=model, image=to_picture_file(image), **options)
        return FrameStream(self._transport.stream(request))

    def autoencode(
        self, image: ImageLike, model: str | None = None, **options: Unpack[AutoencodeOptions]
    ) -> Drawing:
        """Encodes a picture, draws it again and returns when that is complete; as `stream_autoencode`."""
        return _collect(self.stream_autoencode(image, model, **options))

    def stream_complete(
        self, image: ImageLike, mask: ImageLike, model: str | None = None, **options: Unpack[CompleteOptions]
    ) -> FrameStream:
        """Keeps the pixels of a picture where the mask is white and draws the others, canvas by canvas.

        Args:
            image: File contents, a path, a Pillow image or an array.
            mask: Likewise, of the model's size, white where pixels are given and black elsewhere.
            model: A served model; by default the server's.
            **options: n, steps, seed, label, score, score_by, boxes, controls, fit, timeout_s,
                encoding: see CompleteOptions.

        Returns:
            A stream to be used in a `with` statement.
        """
        request = CompleteRequest(
            model=model, image=to_picture_file(image), mask=to_picture_file(mask), **options
        )
        return FrameStream(self._transport.stream(request))

    def complete(
        self, image: ImageLike, mask: ImageLike, model: str | None = None, **options: Unpack[CompleteOptions]
    ) -> Drawing:
        """Completes a picture and returns when that is done; arguments as `stream_complete`."""
        return _collect(self.stream_complete(image, mask, model, **options))

    def encode(
        self, images: Iterable[ImageLike], model: str | None = None, **options: Unpack[ReadOptions]
    ) -> EncodeResult:
        """Encodes pictures; the latents of the result can be given to `generate`.

        Args:
            images: File contents, paths, Pillow images or arrays.
            model: A served model; by default the server's.
            **options: fit, label, seed, timeout_s: see ReadOptions.
        """
        return self._transport.encode(EncodeRequest(model=model, images=_files(images), **options))

    def likelihood(
        self, images: Iterable[ImageLike], model: str | None = None, **options: Unpack[LikelihoodOptions]
    ) -> LikelihoodResult:
        """Computes the log-likelihood of pictures under a model, or a lower bound of it.

        Args:
            images: File contents, paths, Pillow images or arrays.
            model: A served model; by default the server's.
            **options: importance_samples, pixels, fit, label, seed, timeout_s: see LikelihoodOptions.

        Returns:
            Nats and bits per dimension of each picture.
        """
        return self._transport.likelihood(LikelihoodRequest(model=model, images=_files(images), **options))

    def score(
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
        """Scores pictures with a model's discriminator or critic.

        Args:
            images: File contents, paths, Pillow images or arrays.
            model: A served model; by default the server's.
            fit: What to do with a picture of another size or colour mode: refuse it, or resize and convert.
            label: Class of the pictures, its name or index, for a scorer that takes it.
            latents: By name, (n, ...), for a scorer that judges pairs (`Model.score_takes`): an encoding, or
                what was drawn from.
            group: Judge the pictures together, at most `Model.group_size`: score i is about the first i + 1.
            timeout_s: Seconds after which the request is given up; by default the server's limit.
        """
        files = _files(images)
        request = ScoreRequest(
            model=model,
            images=files,
            fit=fit,
            label=label,
            latents=latents or {},
            group=group,
            timeout_s=timeout_s,
        )
        return self._transport.score(request)

    def models(self) -> Models:
        """Lists the served models, and the folders that were refused."""
        return self._transport.models()

    def model(self, name: str) -> Model:
        """Returns one served model with its whole manifest.

        Args:
            name: As in `models`.
        """
        return self._transport.model(name)

    def reload_models(self, token: str) -> Reload:
        """Lets the server read its bundle folder again, and says what that changed.

        Args:
            token: The server's admin token.
        """
        warn_unencrypted(self._address, "the admin token", stacklevel=3)
        return self._transport.reload(token)

    def close(self) -> None:
        """Closes the connection, and cancels what still runs on it."""
        self._transport.close()


def _collect(stream: FrameStream) -> Drawing:
    with stream:
        frames = tuple(stream)
        return stream.drawing(frames)


def _files(images: Iterable[ImageLike]) -> tuple[bytes, ...]:
    return tuple(to_picture_file(image) for image in images)
