"""The manifest of a bundle: what a drawing model is and how a drawing runs, as data.

A bundle is a folder with `manifest.json` and ONNX graphs. Whoever writes such a folder can be served: the
server reads everything it does from this file and knows no model family by name. A drawing is a sequence of
*phases*; each phase calls one graph a number of times and may show canvases:

    one-shot generator   phases: [step x 1, shows]
    GRAN, DRAW           phases: [init x 1], [step x "steps", shows]
    row-by-row pixels    phases: [init x 1], [step x H, shows]
    two-level model      phases: [init x 1], [prior x 7], [step x H, shows]

`steps` in a request is the number of canvases shown. A phase with `calls="steps"` makes that many calls; a
showing phase with a fixed number of calls reveals the picture in that many even parts.

Tensors travel by name. A graph's inputs are `t`, `label`, `image`, `eps`, `state.*`, or a declared noise; any
output `next.X` feeds the next input `state.X`. (ONNX names are unique within a graph, so a graph that takes
`state.X` could not put it out under that name.)
"""

__all__ = [
    "MAX_STEPS",
    "SCHEMA_VERSION",
    "Drawing",
    "GraphSpec",
    "ImageSpec",
    "Labels",
    "Manifest",
    "NoiseSpec",
    "Paper",
    "Parity",
    "Phase",
    "Provenance",
    "Scorer",
    "Steps",
    "TensorSpec",
    "is_bundle_name",
    "state_name",
]

import re
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION = 1

MAX_STEPS = 1024  # a bound on work and memory per request, far above any drawing in the literature

GraphName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
TensorName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}(\.[a-z][a-z0-9_]{0,31})?$")]
Dim = Annotated[int, Field(ge=1, le=65536)]
Dtype = Literal["float32", "int64"]

_RESERVED_NOISE = {"t", "label", "image", "canvas", "logit", "log_likelihood"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Paper(_Part):
    """Where the model comes from."""

    title: str
    authors: str
    year: int
    arxiv: str | None = None


class ImageSpec(_Part):
    """Shape of one image; values are float32 in [0, 1]."""

    channels: Literal[1, 3]
    height: Annotated[int, Field(ge=1, le=1024)]
    width: Annotated[int, Field(ge=1, le=1024)]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.channels, self.height, self.width)


class NoiseSpec(_Part):
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


class TensorSpec(_Part):
    """An input or output of a graph; `shape` leaves out the batch axis, which is always first and dynamic."""

    name: TensorName
    dtype: Dtype = "float32"
    shape: Annotated[tuple[Dim, ...], Field(max_length=4)] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of one row."""
        return prod(self.shape) * (8 if self.dtype == "int64" else 4)


class GraphSpec(_Part):
    """One ONNX file with its checksum and its signature."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\.onnx$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    inputs: Annotated[tuple[TensorSpec, ...], Field(min_length=1, max_length=64)]
    outputs: Annotated[tuple[TensorSpec, ...], Field(min_length=1, max_length=64)]

    def input(self, name: str) -> TensorSpec | None:
        """The input of that name, or None."""
        return next((spec for spec in self.inputs if spec.name == name), None)

    def output(self, name: str) -> TensorSpec | None:
        """The output of that name, or None."""
        return next((spec for spec in self.outputs if spec.name == name), None)


class Phase(_Part):
    """A run of calls of one graph. `t` counts the calls of the phase from 0."""

    graph: GraphName
    calls: Annotated[int, Field(ge=1, le=MAX_STEPS)] | Literal["steps"] = 1
    shows: bool = False


class Steps(_Part):
    """Canvases a request may ask for, and how many the model was trained to draw."""

    default: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    min: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    max: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    trained: Annotated[int, Field(ge=1, le=MAX_STEPS)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.min <= self.default <= self.max:
            raise ValueError(f"steps need min <= default <= max, got {self.min}, {self.default}, {self.max}")
        return self


class Drawing(_Part):
    """How a drawing runs: phases in order, the noise they use, and how many canvases may be shown."""

    phases: Annotated[tuple[Phase, ...], Field(min_length=1, max_length=8)]
    steps: Steps
    noise: Annotated[tuple[NoiseSpec, ...], Field(max_length=8)] = ()

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
        return self


class Scorer(_Part):
    """How to read the `score` graph's logit.

    `discriminator`: the sigmoid of the logit is the probability of "real". `critic`: unbounded, comparable
    only within one bundle. `group_size` is set when rows are judged together and so are not independent.
    """

    kind: Literal["discriminator", "critic"]
    group_size: Annotated[int, Field(ge=2, le=1024)] | None = None


class Labels(_Part):
    """Class labels of a conditional model: label i is called names[i]."""

    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000)]


class Parity(_Part):
    """Measured at export: largest absolute difference over all outputs of a whole drawing."""

    batches: tuple[int, ...]
    torch_vs_onnxruntime: Annotated[float, Field(ge=0)]
    batched_vs_single: Annotated[float, Field(ge=0)]
    tolerance: Annotated[float, Field(gt=0)]


class Provenance(_Part):
    """Where the weights come from. `evaluation` holds figures measured by the training package."""

    recipe: str
    dataset: str
    dataset_sha256: str | None = None
    seed: int | None = None
    epochs: float | None = None
    iterations: int | None = None
    train_seconds: float | None = None
    device: str | None = None
    created: str | None = None  # ISO 8601
    libraries: dict[str, str] = {}
    config: dict[str, Any] = {}
    evaluation: dict[str, Any] = {}


class Manifest(_Part):
    """Everything the server needs to know about a bundle."""

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    family: Annotated[str, Field(max_length=64)]
    summary: Annotated[str, Field(max_length=500)] = ""
    paper: Paper | None = None
    image: ImageSpec
    graphs: Annotated[dict[GraphName, GraphSpec], Field(min_length=1, max_length=16)]
    drawing: Drawing | None = None
    scorer: Scorer | None = None
    labels: Labels | None = None
    parity: Parity | None = None
    provenance: Provenance | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        files = [graph.file for graph in self.graphs.values()]
        if len(set(files)) != len(files):
            raise ValueError("two graphs name the same file")
        for name, graph in self.graphs.items():
            for side, tensors in (("input", graph.inputs), ("output", graph.outputs)):
                names = [tensor.name for tensor in tensors]
                if len(set(names)) != len(names):
                    raise ValueError(f"graph {name!r} has two {side}s of the same name")
            for tensor in graph.outputs:
                if tensor.name.startswith("state."):
                    wanted = "next." + tensor.name.removeprefix("state.")
                    raise ValueError(f"graph {name!r}: the output {tensor.name!r} must be called {wanted!r}")
        if self.drawing is not None:
            self._check_drawing(self.drawing)
        if (self.scorer is None) != ("score" not in self.graphs):
            raise ValueError("a `score` graph and the `scorer` entry come together")
        if self.scorer is not None:
            self._expect("score", "inputs", "image", self.image.shape)
            self._expect("score", "outputs", "logit", ())
        return self

    def _expect(
        self, graph: str, side: Literal["inputs", "outputs"], name: str, shape: tuple[int, ...]
    ) -> None:
        spec = next((tensor for tensor in getattr(self.graphs[graph], side) if tensor.name == name), None)
        if spec is None:
            raise ValueError(f"graph {graph!r} needs {name!r} among its {side}")
        if spec.shape != shape:
            raise ValueError(f"graph {graph!r}: {name!r} must have shape {shape} a row, got {spec.shape}")

    def _check_drawing(self, drawing: Drawing) -> None:
        """Every input of every phase must have a source: the request, or an earlier call's state."""
        noises = {noise.name: noise for noise in drawing.noise}
        known: dict[str, TensorSpec] = {}
        used: set[str] = set()
        for phase in drawing.phases:
            graph = self.graphs.get(phase.graph)
            if graph is None:
                raise ValueError(f"phase {phase.graph!r} names a graph that the manifest does not list")
            for tensor in graph.inputs:
                self._check_source(phase.graph, tensor, noises, known)
                used.add(tensor.name)
            known |= {state_name(t.name): t for t in graph.outputs if t.name.startswith("next.")}
            if phase.shows:
                self._expect(phase.graph, "outputs", "canvas", self.image.shape)
        unused = sorted(set(noises) - used)
        if unused:
            raise ValueError(f"no phase takes the noise {unused[0]!r}")
        for noise in drawing.noise:
            takers = [p.graph for p in drawing.phases if self.graphs[p.graph].input(noise.name)]
            if noise.per == "call" and len(takers) > 1:
                raise ValueError(f"noise {noise.name!r} is drawn per call, so only one phase may take it")

    def _check_source(
        self, graph: str, tensor: TensorSpec, noises: dict[str, NoiseSpec], known: dict[str, TensorSpec]
    ) -> None:
        if tensor.name in ("t", "label"):
            if (tensor.dtype, tensor.shape) != ("int64", ()):
                raise ValueError(f"graph {graph!r}: {tensor.name!r} must be int64 of shape (B,)")
            if tensor.name == "label" and self.labels is None:
                raise ValueError(f"graph {graph!r} takes a label, but the manifest lists no labels")
        elif tensor.name in noises:
            if (tensor.dtype, tensor.shape) != ("float32", noises[tensor.name].shape):
                raise ValueError(f"graph {graph!r}: {tensor.name!r} differs from the noise of that name")
        elif tensor.name.startswith("state."):
            source = known.get(tensor.name)
            if source is None:
                wanted = "next." + tensor.name.removeprefix("state.")
                raise ValueError(
                    f"graph {graph!r} takes {tensor.name!r}, but no earlier graph puts out {wanted!r}"
                )
            if (source.dtype, source.shape) != (tensor.dtype, tensor.shape):
                raise ValueError(f"graph {graph!r}: {tensor.name!r} changes its shape or type between graphs")
        else:
            raise ValueError(f"graph {graph!r} takes {tensor.name!r}, which nothing in a drawing provides")


def state_name(output: str) -> str:
    """The input that a state output feeds: `next.X` -> `state.X`."""
    return "state." + output.removeprefix("next.")


def is_bundle_name(name: str) -> bool:
    """Whether `name` could name a bundle; a cheap guard before any lookup."""
    return re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name) is not None
