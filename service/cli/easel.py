"""What the commands need of wherever the work is done; everything speaks the core's messages."""

__all__ = ["DrawingRequest", "ModelRow", "Sketch", "Easel"]

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pentimento.service.catalog.served import Refusal
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
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
"""What is answered with frames."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRow:
    """What a list of models says of one."""

    name: str
    version: str
    family: str
    summary: str
    image_shape: tuple[int, int, int]  # (C, H, W)
    steps: tuple[int, int, int] | None  # fewest, most, default
    labels: tuple[str, ...]  # names of the classes
    score_kind: ScoreKind | None
    operations: tuple[str, ...]
    is_default: bool


class Sketch(Protocol):
    """A drawing under way."""

    @property
    def header(self) -> Header:
        """What is known of it; `conditioning` at the latest when the frames have ended."""
        ...

    @property
    def given(self) -> Floats | None:
        """The picture it starts from as the model sees it, (1, C, H, W), at the latest in the end."""
        ...

    def __aiter__(self) -> AsyncIterator[Frame]: ...


class Easel(Protocol):
    """What commands need."""

    def draw(self, request: DrawingRequest, *, exact: bool) -> AbstractAsyncContextManager[Sketch]:
        """A drawing; leaving the context cancels it.

        Args:
            request: What to draw.
            exact: Whether unrounded canvases are worth more bytes on the wire.
        """
        ...

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """A scorer's opinion of pictures."""
        ...

    async def likelihood(self, request: LikelihoodRequest) -> LikelihoodResult:
        """How likely a model finds pictures."""
        ...

    async def models(self) -> tuple[list[ModelRow], list[Refusal]]:
        """What can be drawn with, and what was refused."""
        ...
