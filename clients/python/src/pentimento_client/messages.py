"""A drawing as the client gives it, and the events that it comes in; the same for both transports.

Shapes: n images in a request, C channels, H x W pixels; arrays are float32 in [0, 1].
"""

__all__ = [
    "Done",
    "Drawing",
    "Event",
    "Frame",
    "Header",
    "Origin",
    "ScoredBy",
    "Scores",
    "Timing",
]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from PIL import Image

from pentimento_client.models import ScoreKind
from pentimento_client.pixels import Floats, film_strip, to_image


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredBy:
    """The model whose scorer judges a drawing: the one that draws, or that of `score_by`."""

    model: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What is known of a drawing before its first frame."""

    model: str
    version: str
    seed: int
    steps: int
    score_kind: ScoreKind | None = None  # of the scorer that judges; None when no scores were asked for
    scored_by: ScoredBy | None = None  # likewise


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scores:
    """A scorer's verdict on n images; of either kind, higher means more like real data.

    A critic's score is no probability: it is unbounded, and comparable only within one model.
    """

    kind: ScoreKind
    logits: Floats  # (n,), of a critic its scores; NaN where the server could not say
    probabilities: Floats | None  # (n,), of `real`; None of a critic


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Frame:
    """One shown canvas of every image of a drawing."""

    step: int  # from 1
    arrays: Floats  # (n, C, H, W)
    scores: Scores | None
    elapsed_us: int  # from admission, on the server
    outputs: Mapping[str, Floats] = field(default_factory=dict)  # by name, (n, ...); see Model.outputs

    @property
    def images(self) -> list[Image.Image]:
        """The canvases as Pillow images, grey or RGB."""
        return [to_image(array) for array in self.arrays]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Where the time went on the server, in microseconds from admission."""

    queue_us: int
    total_us: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Origin:
    """What a drawing starts from besides noise, as far as it is known by now."""

    input: Floats | None = None  # the given picture as the model sees it, (C, H, W)
    encoding: Mapping[str, Floats] | None = None  # by output of the encoder, (n, ...)
    conditioning: str | None = None  # of a completion: what the drawn pixels could see of the given ones


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The end of a complete drawing."""

    timing: Timing


Event: TypeAlias = Header | Origin | Frame | Done
"""What a transport's stream gives: a header, frames, and a Done; or an error is raised. An Origin may come
between them."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Drawing:
    """A complete drawing: its header and all its frames, and what it started from."""

    header: Header
    frames: tuple[Frame, ...]
    timing: Timing
    input: Floats | None = None  # the given picture as the model saw it, (C, H, W); None if there was none
    encoding: Mapping[str, Floats] | None = None  # of `autoencode`: what the encoder put out, (n, ...)
    conditioning: str | None = None  # of `complete`: what the drawn pixels could see of the given ones

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
        """The drawing as one picture: a row an image, a column a step; of one step a grid.

        A drawing that starts from a given picture has that as its first column.

        Args:
            scale: Pixels for each pixel of a canvas, at least 1.
        """
        columns = [frame.arrays for frame in self.frames]
        if self.input is not None:
            columns.insert(0, self.input[None].repeat(len(columns[0]), axis=0))
        return film_strip(np.stack(columns, axis=1), scale)
