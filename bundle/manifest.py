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
    "state_name",
]

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from bundle.drawing import MAX_STEPS, Drawing, NoiseSpec, Phase, Steps
from bundle.graphs import GraphName, GraphSpec, Part, TensorSpec, state_name

SCHEMA_VERSION = 1


class Paper(Part):
    """Where the model comes from."""

    title: str
    authors: str
    year: int
    arxiv: str | None = None


class ImageSpec(Part):
    """Shape of one image; values are float32 in [0, 1]."""

    channels: Literal[1, 3]
    height: Annotated[int, Field(ge=1, le=1024)]
    width: Annotated[int, Field(ge=1, le=1024)]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.channels, self.height, self.width)


class Scorer(Part):
    """How to read the `score` graph's logit.

    `discriminator`: the sigmoid of the logit is the probability of "real". `critic`: unbounded, comparable
    only within one bundle. `group_size` is set when rows are judged together and so are not independent.
    """

    kind: Literal["discriminator", "critic"]
    group_size: Annotated[int, Field(ge=2, le=1024)] | None = None


class Labels(Part):
    """Class labels of a conditional model: label i is called names[i]."""

    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000)]


class Parity(Part):
    """Measured at export: largest absolute difference over all outputs of a whole drawing."""

    batches: tuple[int, ...]
    torch_vs_onnxruntime: Annotated[float, Field(ge=0)]
    batched_vs_single: Annotated[float, Field(ge=0)]
    tolerance: Annotated[float, Field(gt=0)]


class Provenance(Part):
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
    libraries: dict[str, str] = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)
    evaluation: dict[str, Any] = Field(default_factory=dict)


class Manifest(Part):
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
