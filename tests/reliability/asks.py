"""A request for a drawing, the ways of asking for it, and how it can end."""

__all__ = ["DRAWN_WHOLE", "EITHER", "STREAMED", "WAYS", "Ask", "Ending", "Way"]

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np


class Way(Enum):
    """How a drawing is asked for."""

    JSON = "application/json"
    SSE = "text/event-stream"
    NDJSON = "application/x-ndjson"
    UNARY = "Generate"
    STREAM = "StreamCanvas"

    @property
    def transport(self) -> str:
        """Name of the transport in the server's metrics."""
        return "grpc" if self in (Way.UNARY, Way.STREAM) else "http"


WAYS = tuple(Way)
STREAMED = (Way.SSE, Way.NDJSON, Way.STREAM)
DRAWN_WHOLE = (Way.JSON, Way.UNARY)
EITHER = (*(("shared", way) for way in WAYS), ("pair", Way.JSON), ("pair", Way.STREAM))
"""Servers, by their fixtures, and ways: of the one with workers, a way for each transport."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request for a drawing; `work` and `mood` are for toy-puppet, one for each row or one for all."""

    model: str = "toy-puppet"
    n: int = 1
    steps: int = 5
    seed: int | None = None
    label: int | None = None
    timeout_ms: int | None = None
    work: float | None = None
    mood: float | tuple[float, ...] | None = None

    @property
    def latents(self) -> dict[str, np.ndarray]:
        """The latents that the request gives itself, each of shape (n, 1), by name."""
        given = {"work": self.work, "mood": self.mood}
        return {
            name: np.broadcast_to(np.reshape(np.float32(value), (-1, 1)), (self.n, 1))
            for name, value in given.items()
            if value is not None
        }

    @property
    def numbers(self) -> dict[str, Any]:
        """The other fields that are given, by their names in HTTP."""
        fields = ("model", "n", "steps", "seed", "label", "timeout_ms")
        return {name: value for name in fields if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a drawing ended.

    Attributes:
        code: OK, the error's code (OVERLOADED, ...), or CUT: the connection broke without a word.
        detail: The error's sentence.
        retry_after_s: When to come back, where the server says so.
        frames: PNGs of every image, for each step that came.
    """

    code: str = "OK"
    detail: str = ""
    retry_after_s: float | None = None
    frames: list[list[bytes]] = field(default_factory=list)
