"""What a stream of frames knows besides its frames; the same for blocking and asyncio streams."""

__all__ = ["StreamState"]

from pentimento_client.messages import Done, Drawing, Event, Frame, Header, Timing


class StreamState:
    """Header and timing of a stream."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self.timing: Timing | None = None
        """Where the time went; None until the drawing is complete."""

    @property
    def header(self) -> Header:
        """Model, version, seed and steps of the drawing."""
        self._check_entered()
        assert self._header is not None
        return self._header

    def drawing(self, frames: tuple[Frame, ...]) -> Drawing:
        """The complete drawing, of all its frames."""
        assert self.timing is not None
        return Drawing(header=self.header, frames=frames, timing=self.timing)

    def _accept(self, event: Event) -> None:
        if isinstance(event, Header):
            self._header = event
        elif isinstance(event, Done):
            self.timing = event.timing

    def _check_entered(self) -> None:
        if self._header is None:
            # Outside a `with` nobody would cancel the drawing of a loop that is left early.
            raise RuntimeError("a stream is used inside a `with` or `async with` statement")
