"""Options and requests, the same for both transports.

Shapes: n images in a request, C channels, H x W pixels.
"""

__all__ = [
    "AutoencodeOptions",
    "AutoencodeRequest",
    "CompleteOptions",
    "CompleteRequest",
    "DrawOptions",
    "DrawRequest",
    "EncodeRequest",
    "Label",
    "LikelihoodOptions",
    "LikelihoodRequest",
    "ReadOptions",
    "ReadRequest",
    "ScoreRequest",
    "StreamRequest",
    "label_list",
    "latent_arrays",
]

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from pentimento_client.errors import Code, PentimentoError
from pentimento_client.pixels import Floats

Fit: TypeAlias = Literal["exact", "resize"]
Travel: TypeAlias = Literal["png", "float32"]
Label: TypeAlias = int | str
"""A class of a model: its index, or its name; digits as text are an index."""


class DrawOptions(TypedDict, total=False):
    """Options of a drawing from noise; all have defaults."""

    n: int
    """Images to draw; by default as many as the latents that are given, or else 1."""
    steps: int
    """Canvases to show; by default the model's own number."""
    seed: int
    """Seed of all noise, in [0, 2^63 - 1]; by default the server chooses one, and tells it in the header."""
    label: Label
    """Class to draw, for models with labels: a name among `Model.labels`, in whatever case, or its index."""
    labels: Sequence[Label]
    """Classes to draw, one for each of the n images, instead of `label` for all of them."""
    score: bool
    """Whether the model's scorer judges every canvas."""
    score_by: str
    """A model whose scorer judges every canvas instead of the model's own; implies `score`, which must not be
    False then."""
    boxes: bool
    """True refuses a model whose canvases come without attention boxes."""
    latents: Mapping[str, ArrayLike]
    """Noise by name instead of from the seed, (n, ...) or, for noise per call, (n, calls, ...)."""
    seeds: Mapping[str, int]
    """Seeds by the name of a noise that shall not use `seed`: the levels of a model, one at a time."""
    controls: Mapping[str, float]
    """Values of the model's controls by name, see `Model.controls`; by default their own."""
    timeout_s: float
    """Seconds after which the drawing is given up; by default the server's limit."""
    encoding: Travel
    """How canvases travel: `png` rounds to 8 bits a channel; `float32` is exact, and for gRPC only."""


class ReadOptions(TypedDict, total=False):
    """Options of requests that start from pictures; all have defaults."""

    fit: Fit
    """What to do with a picture of another size or colour mode: refuse it, or resize and convert."""
    label: Label
    """Class of the pictures, for models with labels: its name or its index."""
    seed: int
    """Seed of all noise, in [0, 2^63 - 1]; by default the server chooses one, and tells it."""
    timeout_s: float
    """Seconds after which the request is given up; by default the server's limit."""


class AutoencodeOptions(ReadOptions, total=False):
    """Options of `autoencode`, besides those of ReadOptions."""

    samples: int
    """Reconstructions, each from a draw of its own; by default 1."""
    steps: int
    """Canvases to show; by default the model's own number."""
    score: bool
    """Whether the model's scorer judges every canvas."""
    score_by: str
    """A model whose scorer judges instead, as in DrawOptions."""
    boxes: bool
    """True refuses a model without attention boxes, as in DrawOptions."""
    controls: Mapping[str, float]
    """Values of the model's controls by name, as in DrawOptions."""
    encoding: Travel
    """How canvases travel, as in DrawOptions."""


class CompleteOptions(ReadOptions, total=False):
    """Options of `complete`, besides those of ReadOptions."""

    n: int
    """Completions, each from noise of its own; by default 1."""
    steps: int
    """Canvases to show; by default the model's own number."""
    score: bool
    """Whether the model's scorer judges every canvas."""
    score_by: str
    """A model whose scorer judges instead, as in DrawOptions."""
    boxes: bool
    """True refuses a model without attention boxes, as in DrawOptions."""
    controls: Mapping[str, float]
    """Values of the model's controls by name, as in DrawOptions."""
    encoding: Travel
    """How canvases travel, as in DrawOptions."""


class LikelihoodOptions(ReadOptions, total=False):
    """Options of `likelihood`, besides those of ReadOptions."""

    importance_samples: int
    """Draws for each image, by default 1; more make a bound tighter. An exact model takes 1 only."""
    pixels: bool
    """Whether to answer with the log-likelihood of each pixel too, where the model has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawRequest:
    """A request to draw from noise; None means the default. Fields as in DrawOptions."""

    model: str | None = None
    n: int | None = None
    steps: int | None = None
    seed: int | None = None
    label: Label | None = None
    labels: Sequence[Label] | None = None
    score: bool | None = None
    score_by: str | None = None
    boxes: bool | None = None
    latents: Mapping[str, ArrayLike] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    controls: Mapping[str, float] = field(default_factory=dict)
    timeout_s: float | None = None
    encoding: Travel = "png"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadRequest:
    """The fields that requests with pictures share; a picture is the bytes of a PNG or JPEG file."""

    model: str | None = None
    fit: Fit = "exact"
    label: Label | None = None
    seed: int | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoencodeRequest(ReadRequest):
    """A request to encode a picture and draw it again. Fields as in AutoencodeOptions."""

    image: bytes
    samples: int | None = None
    steps: int | None = None
    score: bool | None = None
    score_by: str | None = None
    boxes: bool | None = None
    controls: Mapping[str, float] = field(default_factory=dict)
    encoding: Travel = "png"


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteRequest(ReadRequest):
    """A request to complete a picture where the mask is black. Fields as in CompleteOptions."""

    image: bytes
    mask: bytes
    n: int | None = None
    steps: int | None = None
    score: bool | None = None
    score_by: str | None = None
    boxes: bool | None = None
    controls: Mapping[str, float] = field(default_factory=dict)
    encoding: Travel = "png"


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodeRequest(ReadRequest):
    """A request to encode pictures."""

    images: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodRequest(ReadRequest):
    """A request for the log-likelihood of pictures. Fields as in LikelihoodOptions."""

    images: tuple[bytes, ...]
    importance_samples: int | None = None
    pixels: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRequest:
    """A request to score pictures, each the bytes of a PNG or JPEG file."""

    model: str | None = None
    images: tuple[bytes, ...]
    fit: Fit = "exact"
    label: Label | None = None
    latents: Mapping[str, ArrayLike] = field(default_factory=dict)
    group: bool = False
    timeout_s: float | None = None


StreamRequest: TypeAlias = DrawRequest | AutoencodeRequest | CompleteRequest
"""The requests whose answer is a stream of frames."""


def latent_arrays(request: DrawRequest | ScoreRequest) -> dict[str, Floats]:
    """Converts the latents of a request to float32 arrays.

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


def label_list(request: DrawRequest) -> list[Label] | None:
    """Converts the labels of a request to integers and names; None if there are none.

    Raises:
        PentimentoError: INVALID_ARGUMENT: one is neither a whole number nor a text, they are one text, or the
            list is empty.
    """
    if request.labels is None:
        return None
    if isinstance(request.labels, str):  # a sequence too, of its letters
        message = f"labels must be a list, such as [{request.labels[:40]!r}], got a text"
        raise PentimentoError(Code.INVALID_ARGUMENT, message, field="labels")
    try:
        labels = [each if isinstance(each, str) else operator.index(each) for each in request.labels]
    except TypeError as error:
        message = f"labels must be whole numbers or names: {error}"
        raise PentimentoError(Code.INVALID_ARGUMENT, message, field="labels") from None
    if not labels:  # gRPC would take that for no labels at all
        message = "labels must be one for each image, got none"
        raise PentimentoError(Code.INVALID_ARGUMENT, message, field="labels")
    return labels
