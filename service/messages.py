"""Requests and results as transports, operations and engine pass them on: frozen values without a protocol.

Shapes: n images in a request, C channels, H x W pixels.
"""

__all__ = [
    "AutoencodeRequest",
    "CompleteRequest",
    "EncodeRequest",
    "EncodeResult",
    "Fit",
    "Floats",
    "Frame",
    "GenerateRequest",
    "Header",
    "ImageInput",
    "Label",
    "LikelihoodRequest",
    "LikelihoodResult",
    "OUTPUT_WEIGHT",
    "OperationName",
    "ScoreKind",
    "ScoreRequest",
    "ScoreResult",
    "ScoredBy",
    "Scores",
    "Timing",
]

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

Fit = Literal["exact", "resize"]
"""What becomes of a picture of another size or colour: refused, or scaled and converted."""

ScoreKind = Literal["discriminator", "critic"]

Label: TypeAlias = int | str
"""A class of a conditional bundle: its index, or its name; digits as text are an index."""

OperationName = Literal["generate", "score", "encode", "autoencode", "likelihood", "complete"]
"""What can be asked of a bundle, if its graphs allow it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateRequest:
    """Draw `n` images in `steps` shown canvases. None means: the bundle's or the server's default.

    `score` asks for the opinion of the bundle's own scorer on every canvas. `score_by` names the bundle whose
    scorer gives its opinion instead, and implies `score`: the bundle's own name is the same as `score` alone,
    and a `score` of False contradicts it.
    """

    model: str | None = None
    n: int | None = None  # as many as there are explicit latents, or else 1
    steps: int | None = None
    seed: int | None = None  # drawn by the server when None, and returned
    label: Label | None = None
    labels: tuple[Label, ...] | None = None  # one for each image, instead of `label`
    score: bool | None = None
    score_by: str | None = None
    boxes: bool | None = None  # True insists on a model whose canvases come with boxes
    # Explicit noise by name: nested lists or arrays, (n, ...).
    latents: Mapping[str, object] = field(default_factory=dict)
    # Seeds by noise name, where they differ from `seed`: the levels of a model, varied one at a time.
    seeds: Mapping[str, int] = field(default_factory=dict)
    controls: Mapping[str, float] = field(default_factory=dict)  # by name; else the bundle's defaults
    timeout_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageInput:
    """A picture as it came in: PNG or JPEG bytes, or its pixels."""

    data: bytes
    name: str = "image"  # what an error message calls it
    pixels: Floats | None = None  # instead of `data`, (C, H, W); they are still to be checked


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRequest:
    """Judge images with a bundle's scorer."""

    model: str | None = None
    images: tuple[ImageInput, ...]
    fit: Fit = "exact"
    label: Label | None = None  # for a scorer of classes
    # Latents of the images by name, for a scorer of pairs: nested lists or arrays, (n, ...).
    latents: Mapping[str, object] = field(default_factory=dict)
    group: bool = False  # judge the images together: a score for every prefix, the first of one image
    timeout_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodeRequest:
    """Encode images. The encoder's `eps` is drawn from the seed."""

    model: str | None = None
    images: tuple[ImageInput, ...]
    fit: Fit = "exact"
    label: Label | None = None
    seed: int | None = None
    timeout_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoencodeRequest:
    """Encode one image, and draw it again `samples` times, step by step, each from its own `eps`."""

    model: str | None = None
    image: ImageInput
    samples: int = 1
    fit: Fit = "exact"
    steps: int | None = None
    seed: int | None = None
    label: Label | None = None
    score: bool | None = None
    score_by: str | None = None
    boxes: bool | None = None
    controls: Mapping[str, float] = field(default_factory=dict)
    timeout_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteRequest:
    """Keep the pixels of one image that its mask says are given, and draw the others, `n` times.

    By `colour`, white pixels of a mask are given and black ones drawn; by `alpha`, wholly transparent ones
    are drawn and all others given.
    """

    model: str | None = None
    image: ImageInput
    mask: ImageInput
    mask_by: Literal["colour", "alpha"] = "colour"  # the image itself may be its mask by alpha
    n: int = 1
    fit: Fit = "exact"
    steps: int | None = None
    seed: int | None = None
    label: Label | None = None
    score: bool | None = None
    score_by: str | None = None
    boxes: bool | None = None
    controls: Mapping[str, float] = field(default_factory=dict)
    timeout_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodRequest:
    """Estimate the log-likelihood of images; with a bound, from `importance_samples` draws for each."""

    model: str | None = None
    images: tuple[ImageInput, ...]
    importance_samples: int = 1
    pixels: bool = False  # also the log-likelihood of each pixel
    fit: Fit = "exact"
    label: Label | None = None
    seed: int | None = None
    timeout_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredBy:
    """The bundle whose scorer judges a drawing, and how its logits are to be read."""

    model: str
    version: str
    kind: ScoreKind
    real_label: float = 1.0  # a discriminator's target for data in its training; see `bundle.facts.Scorer`


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What is known of a drawing before its first frame."""

    model: str
    version: str
    seed: int
    n: int
    steps: int
    scored_by: ScoredBy | None = None  # set when scores were asked for
    conditioning: str | None = None  # of a completed picture: what the drawn pixels could see of the given


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """A scorer's verdict on n images; a higher number means more like real data."""

    kind: ScoreKind
    logit: Floats  # (n,); of a critic: its score, unbounded
    probability: Floats | None  # (n,), only for a discriminator: of being real

    def of_group(self, n: int) -> "Scores":
        """Of the scores of one group, (1, m), those of its first n prefixes, (n,)."""
        probability = None if self.probability is None else self.probability[0, :n]
        return Scores(kind=self.kind, logit=self.logit[0, :n], probability=probability)


OUTPUT_WEIGHT = 8
"""Pixel values that a number of an output weighs: in JSON it is twenty characters, where a pixel is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One shown canvas of every image of a request."""

    step: int  # 1-based: the step that produced this canvas
    canvas: Floats  # (n, C, H, W) in [0, 1]
    scores: Scores | None = None
    outputs: Mapping[str, Floats] = field(default_factory=dict)  # what else the step put out, (n, ...)
    elapsed_us: int = 0  # from admission to this frame

    @property
    def weight(self) -> int:
        """How much there is to encode, in pixel values; a number of an output takes as long as several."""
        return self.canvas.size + OUTPUT_WEIGHT * sum(values.size for values in self.outputs.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Where a request's time went, in microseconds; the longest over the request's parts."""

    queue_us: int  # from admission to the first graph call
    total_us: int  # from admission to the last frame


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreResult:
    """Answer to a ScoreRequest."""

    model: str
    version: str
    scores: Scores
    group: bool = False  # whether score i is about images 0 to i together
    timing: Timing


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodeResult:
    """Answer to an EncodeRequest."""

    model: str
    version: str
    seed: int
    given: Floats  # the images as the model sees them, (n, C, H, W)
    encoding: Mapping[str, Floats]  # by output of the encoder, (n, ...)
    timing: Timing

    @property
    def weight(self) -> int:
        """How many numbers there are to encode in its answer."""
        return self.given.size + sum(values.size for values in self.encoding.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class LikelihoodResult:
    """Answer to a LikelihoodRequest."""

    model: str
    version: str
    seed: int
    kind: Literal["exact", "bound", "estimate"]
    importance_samples: int
    given: Floats  # the images as the model sees them, (n, C, H, W)
    nats: Floats  # log-likelihood, its bound or an estimate, (n,)
    standard_errors: Floats | None  # of `nats`, where it is an estimate from two draws or more, (n,)
    bits_per_dim: Floats  # -nats / (ln 2 * C * H * W), (n,)
    pixels: Floats | None  # nats of each pixel, (n, C, H, W)
    timing: Timing

    @property
    def weight(self) -> int:
        """How many numbers there are to encode in its answer."""
        return self.given.size + (0 if self.pixels is None else self.pixels.size)
