"""What goes to the server and comes back, free of any transport.

Shapes: n images in a request, C channels, H x W pixels; arrays are float32 in [0, 1].
"""

__all__ = [
    "Done",
    "DrawOptions",
    "DrawRequest",
    "Drawing",
    "Event",
    "Frame",
    "Header",
    "ScoreRequest",
    "ScoreResult",
    "Scores",
    "Timing",
    "latent_arrays",
]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypedDict

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.models import ScoreKind
from pentimento_client.pixels import Floats, film_strip, to_image


class DrawOptions(TypedDict, total=False):
    """What a drawing can be asked for; everything has a default."""

    n: int
    """Images to draw; by default as many as the latents that are given, or else 1."""
    steps: int
    """Canvases to show; by default the model's own number."""
    seed: int
    """Seed of all noise, in [0, 2^63 - 1]; by default the server chooses one, and tells it in the header."""
    label: int
    """Class to draw, for models with labels."""
    score: bool
    """Whether the model's scorer judges every canvas."""
    latents: Mapping[str, ArrayLike]
    """Noise by name instead of from the seed, (n, ...) or, for noise per call, (n, calls, ...)."""
    timeout_s: float
    """Seconds after which the drawing is given up; by default the server's limit."""
    encoding: Literal["png", "float32"]
    """How canvases travel: `png` rounds to 8 bits a channel; `float32` is exact, and for gRPC only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawRequest:
    """A drawing that is asked for; None means the default. Fields as in DrawOptions."""

    model: str | None = None
    n: int | None = None
    steps: int | None = None
    seed: int | None = None
    label: int | None = None
    score: bool = False
    latents: Mapping[str, ArrayLike] = field(default_factory=dict)
    timeout_s: float | None = None
    encoding: Literal["png", "float32"] = "png"


def latent_arrays(request: DrawRequest) -> dict[str, Floats]:
    """The latents of a request as float32.

    Raises:
        PentimentoError: INVALID_ARGUMENT: one is not an array of numbers.
    """
    arrays: dict[str, Floats] = {}
    for name, values in request.latents.items():
        try:
            arrays[name] = np.asarray(values, dtype=np.float32)
        except (TypeError, ValueError) as error:
            field = f"latents.{name}"
            message = f"{field} must be numbers in an array: {error}"
            raise PentimentoError(Code.INVALID_ARGUMENT, message, field=field) from None
    return arrays


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRequest:
    """Pictures to judge, each the bytes of a PNG or JPEG file."""

    model: str | None = None
    images: tuple[bytes, ...]
    fit: Literal["exact", "resize"] = "exact"
    timeout_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What is known of a drawing before its first frame."""

    model: str
    version: str
    seed: int
    steps: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scores:
    """A scorer's opinion of n images."""

    kind: ScoreKind
    logits: Floats  # (n,); NaN where the server could not say
    probabilities: Floats | None  # (n,), only of a discriminator: of `real`


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Frame:
    """One shown canvas of every image of a drawing."""

    step: int  # from 1
    arrays: Floats  # (n, C, H, W)
    scores: Scores | None
    elapsed_us: int  # from admission, on the server

    @property
    def images(self) -> list[Image.Image]:
        """The canvases as Pillow images, grey or RGB."""
        return [to_image(array) for array in self.arrays]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Where the time went on the server, in microseconds from admission."""

    queue_us: int
    total_us: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The end of a complete drawing."""

    timing: Timing


Event: TypeAlias = Header | Frame | Done
"""What a transport's stream gives: a header, frames, and a Done; or an error is raised."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Drawing:
    """A complete drawing."""

    header: Header
    frames: tuple[Frame, ...]
    timing: Timing

    @property
    def seed(self) -> int:
        """The seed used, whether it was given or not."""
        return self.header.seed

    @property
    def arrays(self) -> Floats:
        """All canvases, (n, steps, C, H, W)."""
        return np.stack([frame.arrays for frame in self.frames], axis=1)

    @property
    def images(self) -> list[Image.Image]:
        """The finished pictures."""
        return self.frames[-1].images

    def film_strip(self, scale: int = 1) -> Image.Image:
        """The drawing as one picture: a row an image, a column a step.

        Args:
            scale: Pixels for each pixel of a canvas, at least 1.
        """
        return film_strip(self.arrays, scale)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreResult:
    """Answer of `score`."""

    model: str
    version: str
    scores: Scores
    timing: Timing
