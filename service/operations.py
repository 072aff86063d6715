"""The use cases, free of any protocol: check, draw the noise, submit, gather. Both transports call these."""

__all__ = ["Drawing", "Operations"]

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from service.messages import (
    Frame,
    GenerateRequest,
    Header,
    ModelInfo,
    Refusal,
    ScoreRequest,
    ScoreResult,
    Timing,
)


class Drawing:
    """A drawing under way: an async iterator of frames. Leaving the `async with`, for any reason, cancels it."""

    header: Header

    @property
    def timing(self) -> Timing:
        """Times so far; final once the frames have ended."""
        raise NotImplementedError

    def __aiter__(self) -> AsyncIterator[Frame]:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancels what is not drawn yet; its rows are free within one step. Harmless when done, or twice."""
        raise NotImplementedError


class Operations:
    """What can be asked of the served bundles."""

    def models(self) -> tuple[tuple[ModelInfo, ...], tuple[Refusal, ...]]:
        """Served bundles by name, and the folders that were refused."""
        raise NotImplementedError

    def model(self, name: str) -> ModelInfo:
        """One served bundle.

        Raises:
            PentimentoError: NOT_FOUND.
        """
        raise NotImplementedError

    def generate(self, request: GenerateRequest) -> Drawing:
        """Checks everything, admits the drawing, and returns before its first step.

        Raises:
            PentimentoError: INVALID_ARGUMENT, NOT_FOUND, UNSUPPORTED, OVERLOADED, UNAVAILABLE. Later trouble
                (DEADLINE_EXCEEDED, INFERENCE_FAILED) is raised by the iteration.
        """
        raise NotImplementedError

    async def score(self, request: ScoreRequest) -> ScoreResult:
        """Judges images with a bundle's scorer.

        Raises:
            PentimentoError: as `generate`.
        """
        raise NotImplementedError
