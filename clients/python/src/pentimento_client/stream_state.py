"""What blocking and asyncio streams share: header, timing, and what the drawing starts from."""

__all__ = ["StreamState"]

from collections.abc import Mapping

from pentimento_client.messages import Done, Drawing, Event, Frame, Header, Origin, Timing
from pentimento_client.pixels import Floats


class StreamState:
    """What a stream of frames knows besides its frames."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self.timing: Timing | None = None
        """Where the time went; None until the drawing is complete."""
        self.input: Floats | None = None
        """The given picture as the model sees it, (C, H, W): over gRPC with the first frame, over HTTP in the
        end; None if there was none."""
        self.encoding: Mapping[str, Floats] | None = None
        """Of `autoencode`, what the encoder put out by name, (n, ...); there when `input` is."""
        self.conditioning: str | None = None
        """Of `complete`, what the drawn pixels could see of the given ones; there when `input` is."""

    @property
    def header(self) -> Header:
        """Model, version, seed, steps and scorer; RuntimeError before the stream is entered."""
        self._check_entered()
        assert self._header is not None
        return self._header

    def drawing(self, frames: tuple[Frame, ...]) -> Drawing:
        """The complete drawing, made of all its frames and of what is known here."""
        assert self.timing is not None
        return Drawing(
            header=self.header,
            frames=frames,
            timing=self.timing,
            input=self.input,
            encoding=self.encoding,
            conditioning=self.conditioning,
        )

    def _accept(self, event: Event) -> None:
        if isinstance(event, Header):
            self._header = event
        elif isinstance(event, Done):
            self.timing = event.timing
        elif isinstance(event, Origin):
            self.input = self.input if event.input is None else event.input
            self.encoding = self.encoding if event.encoding is None else event.encoding
            self.conditioning = self.conditioning or event.conditioning

    def _check_entered(self) -> None:
        if self._header is None:
            # Outside a `with` nobody would cancel the drawing of a loop that is left early.
            raise RuntimeError("a stream is used inside a `with` or `async with` statement")
