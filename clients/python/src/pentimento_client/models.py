"""What the server tells of its models, and of a reload."""

__all__ = [
    "Control",
    "FrameOutput",
    "Latent",
    "Completion",
    "LikelihoodKind",
    "Model",
    "Models",
    "Refusal",
    "Reload",
    "Revision",
    "ScoreKind",
    "StepRange",
]

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, overload

ScoreKind: TypeAlias = Literal["discriminator", "critic"]
LikelihoodKind: TypeAlias = Literal["exact", "bound", "estimate"]
Completion: TypeAlias = Literal["raster", "everywhere"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRange:
    """How many steps a drawing may have: by default, at least, at most; in training, and at its best.

    `best` is the number that was measured to give the drawings nearest to the data; None where none was.
    """

    default: int
    min: int
    max: int
    trained: int
    best: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Latent:
    """Noise that a model draws from; (n, *shape) in a request, or (n, calls, *shape) when it is per call."""

    name: str
    shape: tuple[int, ...]
    prior: Literal["normal", "uniform"]
    per_call: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameOutput:
    """What a model's canvases come with: `Frame.outputs` has it under its name.

    A `box` is a grid of `points` x `points` filters on the image, four numbers in pixels from the centre of
    the first pixel: x and y of its centre, the distance between filters, and the standard deviation of each.
    """

    name: str
    meaning: Literal["box", "plain"]
    points: int | None = None
    summary: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """A number that a request for a drawing may set, within its range."""

    name: str
    min: float
    max: float
    default: float
    summary: str  # what more of it does


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A served model and what it can do."""

    name: str
    version: str
    family: str
    summary: str
    is_default: bool
    operations: tuple[str, ...]
    image_shape: tuple[int, int, int]  # (C, H, W)
    steps: StepRange | None
    latents: tuple[Latent, ...]
    labels: tuple[str, ...]
    score_kind: ScoreKind | None
    levels: int | None = None  # values that a channel of a pixel takes in its data, where that is stated
    binarisation: Literal["sample", "threshold"] | None = None  # how its data became black and white
    completion: Completion | None = None  # what completed pixels see; None: it cannot complete
    likelihood_kind: LikelihoodKind | None = None  # None: it has none
    outputs: tuple[FrameOutput, ...] = ()  # what each canvas comes with
    score_takes: tuple[str, ...] = ()  # latents that the scorer judges a picture with
    controls: tuple[Control, ...] = ()  # numbers that a request for a drawing may set
    group_size: int | None = None  # pictures that the scorer can judge together, at most
    manifest: Mapping[str, Any] | None = None  # the whole manifest; only `model(name)` asks for it


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A bundle that the server does not serve, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A model that a reload added or replaced."""

    name: str
    version: str
    previous_version: str | None  # None: none of that name was served before


@dataclass(frozen=True, kw_only=True, slots=True)
class Reload:
    """What a reload changed. Served are now `added`, `replaced` and `kept`."""

    added: tuple[Revision, ...]
    replaced: tuple[Revision, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]  # as before; also where what lies in the folder now was refused
    refused: tuple[Refusal, ...]
    default: str | None  # the model for requests that name none, from now on


@dataclass(frozen=True, slots=True)
class Models(Sequence[Model]):
    """The served models by name; `refused` has the folders that are not served."""

    models: tuple[Model, ...]
    refused: tuple[Refusal, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Model: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Model, ...]: ...
    def __getitem__(self, index: int | slice) -> Model | tuple[Model, ...]:
        return self.models[index]

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)
