"""How a drawing runs, as data: phases of graph calls, the noise they take, how many canvases they show."""

__all__ = [
    "BOX",
    "KNOWN",
    "KNOWN_MASK",
    "MAX_STEPS",
    "STEPS",
    "Control",
    "Drawing",
    "FrameOutput",
    "NoiseSpec",
    "Phase",
    "Steps",
]

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pentimento.bundle.graphs import Dim, GraphName, GraphSpec, Part

MAX_STEPS = 1024  # a bound on work and memory per request, far above any drawing in the literature

KNOWN, KNOWN_MASK = "known", "known_mask"
"""Inputs of a graph that completes a picture: pixels, (C, H, W), and 1 where they are given, (1, H, W)."""

STEPS = "steps"
"""Input of a graph that is told how many canvases the request asks for, int64, one number a row."""

BOX = 4
"""Numbers of a box: x and y of its centre, distance between filters, their standard deviation; in pixels."""

MAX_BOXES = 4  # more would not be told apart

_RESERVED_NOISE = {
    "t", "label", "image", "eps", "canvas", "logit", "log_likelihood", KNOWN, KNOWN_MASK, STEPS,
}  # fmt: skip
# Parameters of requests, from which a control must be told apart in a query.
_RESERVED_CONTROLS = _RESERVED_NOISE | {
    "boxes", "controls", "encoding", "fit", "importance_samples", "labels", "latents", "mask", "model", "n",
    "pixels", "samples", "scale", "score", "score_by", "seed", "seeds", "show", "timeout_ms",
}  # fmt: skip


class NoiseSpec(Part):
    """One random input of a drawing.

    `per="drawing"`: one array of `shape` for the whole drawing. `per="call"`: one for each call of the phase
    whose graph takes it, so a request holds `(n, calls, *shape)`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    shape: Annotated[tuple[Dim, ...], Field(min_length=1, max_length=4)]
    prior: Literal["normal", "uniform"] = "normal"
    per: Literal["drawing", "call"] = "drawing"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name in _RESERVED_NOISE:
            raise ValueError(f"noise cannot be called {self.name!r}: the name has a fixed meaning")
        return self


class Control(Part):
    """A number that a request may set, such as how strongly a class guides a drawing.

    Graphs of the drawing take it by its name, float32, one number a row: rows that were asked for with other
    values are drawn in one batch.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    min: Annotated[float, Field(ge=-1e6, le=1e6)]
    max: Annotated[float, Field(ge=-1e6, le=1e6)]
    default: float
    summary: Annotated[str, Field(min_length=1, max_length=200)]  # a sentence: what more of it does

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name in _RESERVED_CONTROLS:
            raise ValueError(f"a control cannot be called {self.name!r}: the name has a fixed meaning")
        if not self.min < self.max:
            raise ValueError(f"control {self.name!r} needs min < max, got {self.min} and {self.max}")
        if not self.min <= self.default <= self.max:
            got = f"{self.min}, {self.default}, {self.max}"
            raise ValueError(f"control {self.name!r} needs min <= default <= max, got {got}")
        return self


class Phase(Part):
    """A run of calls of one graph. `t` counts the calls of the phase from 0."""

    graph: GraphName
    calls: Annotated[int, Field(ge=1, le=MAX_STEPS)] | Literal["steps"] = 1
    shows: bool = False


class FrameOutput(Part):
    """An output of the showing graph that travels with each canvas, float32.

    `box`: a square grid of `points` x `points` filters on the image, as four numbers in pixels, counted from
    the centre of the first pixel: x and y of the grid's centre, the distance between neighbouring filters,
    and the standard deviation of each. `plain`: any numbers, shown as they are.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    meaning: Literal["box", "plain"]
    points: Annotated[int, Field(ge=1, le=1024)] | None = None
    summary: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name in _RESERVED_NOISE:
            raise ValueError(f"an output cannot be called {self.name!r}: the name has a fixed meaning")
        if (self.meaning == "box") != (self.points is not None):
            raise ValueError(f"output {self.name!r}: a box, and nothing else, says its points")
        return self


class Steps(Part):
    """Canvases a request may ask for, and how many the model was trained to draw.

    `best` is the number that was measured to give the drawings nearest to the data, if any was: see
    `pentimento sweep`. It need not be the default, as more steps take longer.
    """

    default: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    min: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    max: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    trained: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    best: Annotated[int | None, Field(ge=1, le=MAX_STEPS)] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.min <= self.default <= self.max:
            raise ValueError(f"steps need min <= default <= max, got {self.min}, {self.default}, {self.max}")
        if self.best is not None and not self.min <= self.best <= self.max:
            raise ValueError(f"steps need min <= best <= max, got {self.min}, {self.best}, {self.max}")
        return self


class Drawing(Part):
    """How a drawing runs: phases in order, the noise they use, and how many canvases may be shown.

    `completion` is set when the drawing can start from given pixels, which then stay as they are: the showing
    graph takes `known` and `known_mask`, both zero for a drawing from nothing. It names what the model can
    see of them: `raster`, each drawn pixel sees the given ones above it and to its left in its row;
    `everywhere`, each step sees all of them.
    """

    phases: Annotated[tuple[Phase, ...], Field(min_length=1, max_length=8)]
    steps: Steps
    noise: Annotated[tuple[NoiseSpec, ...], Field(max_length=8)] = ()
    completion: Literal["raster", "everywhere"] | None = None
    outputs: Annotated[tuple[FrameOutput, ...], Field(max_length=8)] = ()
    controls: Annotated[tuple[Control, ...], Field(max_length=8)] = ()

    @property
    def boxes(self) -> tuple[FrameOutput, ...]:
        """The outputs that are boxes."""
        return tuple(output for output in self.outputs if output.meaning == "box")

    @property
    def showing(self) -> Phase:
        """The phase that shows canvases."""
        return next(phase for phase in self.phases if phase.shows)

    def calls(self, phase: Phase, steps: int) -> int:
        """Calls that `phase` makes in a drawing of `steps` canvases."""
        return phase.calls if isinstance(phase.calls, int) else steps

    def noise_calls(self, noise: NoiseSpec, steps: int, graphs: dict[str, GraphSpec]) -> int | None:
        """Draws of `noise` in a drawing of `steps` canvases; None for noise of the whole drawing."""
        if noise.per == "drawing":
            return None
        phase = next(p for p in self.phases if graphs[p.graph].input(noise.name))
        return self.calls(phase, steps)

    @model_validator(mode="after")
    def _check(self) -> Self:
        showing = [phase for phase in self.phases if phase.shows]
        if len(showing) != 1:
            raise ValueError(f"exactly one phase of a drawing shows canvases, got {len(showing)}")
        calls = showing[0].calls
        if calls != "steps" and self.steps.max > calls:
            raise ValueError(f"steps.max is {self.steps.max}, but the showing phase makes only {calls} calls")
        graphs = [phase.graph for phase in self.phases]
        if len(set(graphs)) != len(graphs):
            raise ValueError("a graph may serve one phase only")
        names = [noise.name for noise in self.noise]
        if len(set(names)) != len(names):
            raise ValueError("two noises have the same name")
        chosen = [control.name for control in self.controls]
        if len(set(chosen)) != len(chosen):
            raise ValueError("two controls have the same name")
        twice = sorted(set(names) & set(chosen))
        if twice:
            raise ValueError(f"a control and a noise of the drawing are both called {twice[0]!r}")
        beside = [output.name for output in self.outputs]
        if len(set(beside)) != len(beside):
            raise ValueError("two outputs of a drawing have the same name")
        both = sorted(set(names) & set(beside))
        if both:
            raise ValueError(f"an output and a noise of the drawing are both called {both[0]!r}")
        if len(self.boxes) > MAX_BOXES:
            raise ValueError(f"a drawing has at most {MAX_BOXES} boxes, got {len(self.boxes)}")
        return self
