"""The easel: what does the work of a command, in this process or on a server, behind one interface."""

__all__ = ["DrawingRequest", "ModelRow", "Sketch", "Easel"]

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pentimento.bundle.drawing import Control, FrameOutput
from pentimento.service.catalog.served import Refusal
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    EncodeResult,
    Floats,
    Frame,
    GenerateRequest,
    Header,
    LikelihoodRequest,
    LikelihoodResult,
    ScoreKind,
    ScoreRequest,
    ScoreResult,
)

DrawingRequest: TypeAlias = GenerateRequest | AutoencodeRequest | CompleteRequest
"""The requests whose answer is a drawing, frame by frame."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRow:
    """One model, as `pentimento models` lists it."""

    name: str
    version: str
    family: str
    summary: str
    image_shape: tuple[int, int, int]  # (C, H, W)
    steps: tuple[int, int, int] | None  # fewest, most, default
    labels: tuple[str, ...]  # names of the classes
    score_kind: ScoreKind | None
    operations: tuple[str, ...]
    latents: tuple[str, ...]  # names of the noise that a drawing takes
    controls: tuple[Control, ...]  # numbers that a drawing may be asked for with
    is_default: bool


class Sketch(Protocol):
    """A drawing under way: an async iterator of its frames, with what is known of it."""

    @property
    def header(self) -> Header:
        """Model, version, seed and steps; `conditioning` at the latest when the frames have ended."""
        ...

    @property
    def given(self) -> Floats | None:
        """The given picture as the model sees it, (1, C, H, W), in the end at the latest; None without."""
        ...

    @property
    def outputs(self) -> tuple[FrameOutput, ...]:
        """What comes with each canvas besides it; known if boxes were asked for."""
        ...

    def __aiter__(self) -> AsyncIterator[Frame]: ...


class Easel(Protocol):
    """Draws, scores and lists models for the commands; errors are PentimentoError."""

    def draw(self, request: DrawingRequest, *, exact: bool) -> AbstractAsyncContextManager[Sketch]:
        """Opens a drawing; leaving the context cancels it.

        Args:
            request: What to draw.
            exact: Whether unrounded canvases are worth more bytes on the wire.
        """
        ...

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """A scorer's verdict on pictures."""
        ...

    async def encode(self, request: EncodeRequest) -> EncodeResult:
        """What a model's encoder makes of pictures."""
        ...

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """The log-likelihood of pictures under a model, or a lower bound of it."""
        ...

    async def models(self) -> tuple[list[ModelRow], list[Refusal]]:
        """The served models, and the bundles that were refused."""
        ...
