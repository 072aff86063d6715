"""What travels between transports, operations and engine: frozen values, no protocol, no behaviour.

Shapes: n images in a request, C channels, H x W pixels.
"""

__all__ = [
    "Frame",
    "GenerateRequest",
    "Header",
    "ImageInput",
    "ModelInfo",
    "Refusal",
    "ScoreRequest",
    "ScoreResult",
    "Scores",
    "Timing",
]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bundle.manifest import Manifest

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateRequest:
    """Draw `n` images in `steps` shown canvases. None means: the bundle's or the server's default."""

    model: str | None = None
    n: int | None = None  # as many as there are explicit latents, or else 1
    steps: int | None = None
    seed: int | None = None  # drawn by the server when None, and returned
    label: int | None = None
    score: bool = False
    latents: Mapping[str, object] = field(
        default_factory=dict
    )  # explicit noise, nested lists or arrays (n, ...)
    timeout_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageInput:
    """An encoded picture as it came in: PNG or JPEG bytes."""

    data: bytes
    name: str = "image"  # what an error message calls it


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRequest:
    """Judge images with a bundle's scorer."""

    model: str | None = None
    images: tuple[ImageInput, ...]
    fit: Literal["exact", "resize"] = "exact"  # resize: scale and convert to the bundle's size and colour
    timeout_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What is known of a drawing before its first frame."""

    model: str
    version: str
    seed: int
    n: int
    steps: int
    score_kind: Literal["discriminator", "critic"] | None  # set when scores were asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """A scorer's opinion of n images."""

    kind: Literal["discriminator", "critic"]
    logit: Floats  # (n,)
    probability: Floats | None  # (n,), only for a discriminator: the sigmoid of the logit


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One shown canvas of every image of a request."""

    step: int  # 1-based: the step that produced this canvas
    canvas: Floats  # (n, C, H, W) in [0, 1]
    scores: Scores | None = None
    elapsed_us: int = 0  # from admission to this frame


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Where a request's time went, in microseconds; the longest over the request's parts."""

    queue_us: int  # from admission to the first graph call
    total_us: int  # from admission to the last frame


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelInfo:
    """A served bundle and what it can do."""

    manifest: Manifest
    operations: tuple[Literal["generate", "score"], ...]
    is_default: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A folder that is not served, and why, in a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreResult:
    """Answer to a ScoreRequest."""

    model: str
    version: str
    scores: Scores
    timing: Timing
