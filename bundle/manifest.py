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

Tensors travel by name. A drawing's graphs take `t`, `label`, `state.*`, `known` and `known_mask`, or a
declared noise; graphs that look at a given image take `image`, and `eps` and `label` where they need them. A
`score` graph may take the noises of the drawing with the image, and `t`; see `bundle.scorer`.
Any output `next.X` feeds the next input `state.X`. (ONNX names are unique within a graph, so a graph that
takes `state.X` could not put it out under that name.) Outputs of the showing graph that the drawing declares
under `outputs`, such as the boxes that a model of attention looks through, travel with each canvas.
"""

__all__ = [
    "Control",
    "MAX_STEPS",
    "SCHEMA_VERSION",
    "VERSION",
    "Drawing",
    "FrameOutput",
    "GraphSpec",
    "ImageSpec",
    "Labels",
    "Likelihood",
    "Manifest",
    "NoiseSpec",
    "Paper",
    "Parity",
    "Phase",
    "Provenance",
    "Scorer",
    "Steps",
    "TensorSpec",
    "WeightsFile",
    "output_values",
    "state_name",
]

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pentimento.bundle.bounds import check_noise, check_row
from pentimento.bundle.drawing import (
    BOX,
    KNOWN,
    KNOWN_MASK,
    MAX_STEPS,
    STEPS,
    Control,
    Drawing,
    FrameOutput,
    NoiseSpec,
    Phase,
    Steps,
)
from pentimento.bundle.facts import ImageSpec, Labels, Likelihood, Paper, Parity, Provenance, Scorer
from pentimento.bundle.graphs import GraphName, GraphSpec, Part, TensorSpec, WeightsFile, state_name
from pentimento.bundle.scorer import check_scorer

SCHEMA_VERSION = 1

MAX_OUTPUT_NUMBERS = 256  # of one output beside a canvas; a picture of its own is none of these


VERSION = r"^[0-9]+\.[0-9]+\.[0-9]+$"  # of a bundle
BUNDLE_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"  # of its folder, too; it stands in URLs and file names


class Manifest(Part):
    """Everything the server needs to know about a bundle."""

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=BUNDLE_NAME)]
    version: Annotated[str, Field(pattern=VERSION)]
    family: Annotated[str, Field(max_length=64)]
    summary: Annotated[str, Field(max_length=500)] = ""
    paper: Paper | None = None
    image: ImageSpec
    graphs: Annotated[dict[GraphName, GraphSpec], Field(min_length=1, max_length=16)]
    drawing: Drawing | None = None
    scorer: Scorer | None = None
    likelihood: Likelihood | None = None
    labels: Labels | None = None
    parity: Parity | None = None
    provenance: Provenance | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        files = [graph.file for graph in self.graphs.values()]
        if len(set(files)) != len(files):
            raise ValueError("two graphs name the same file")
        weights = {graph.weights for graph in self.graphs.values() if graph.weights is not None}
        if len({each.file for each in weights}) != len(weights):
            raise ValueError("two graphs name the same file of weights with different checksums")
        for name, graph in self.graphs.items():
            for side, tensors in (("input", graph.inputs), ("output", graph.outputs)):
                names = [tensor.name for tensor in tensors]
                if len(set(names)) != len(names):
                    raise ValueError(f"graph {name!r} has two {side}s of the same name")
            for tensor in graph.outputs:
                if tensor.name.startswith("state."):
                    wanted = "next." + tensor.name.removeprefix("state.")
                    raise ValueError(f"graph {name!r}: the output {tensor.name!r} must be called {wanted!r}")
            check_row(name, graph)
        if self.drawing is not None:
            self._check_drawing(self.drawing)
        if (self.scorer is None) != ("score" not in self.graphs):
            raise ValueError("a `score` graph and the `scorer` entry come together")
        if self.scorer is not None:
            self._expect("score", "inputs", "image", self.image.shape)
            self._expect("score", "outputs", "logit", ())
            self._check_label("score")
        check_scorer(self)
        if (self.likelihood is None) != ("likelihood" not in self.graphs):
            raise ValueError("a `likelihood` graph and the `likelihood` entry come together")
        if self.likelihood is not None:
            self._expect("likelihood", "outputs", "log_likelihood", ())
            self._check_reader("likelihood", takes_eps=self.likelihood.kind != "exact")
        if "encode" in self.graphs:
            self._check_encode()
        return self

    def _check_reader(self, graph: str, *, takes_eps: bool | None = None) -> None:
        """Checks that a graph for given images takes `image`, and beyond it only `eps` and `label`."""
        self._expect(graph, "inputs", "image", self.image.shape)
        names = {tensor.name for tensor in self.graphs[graph].inputs}
        strange = sorted(names - {"image", "eps", "label"})
        if strange:
            raise ValueError(f"graph {graph!r} takes {strange[0]!r}, which nothing provides")
        if takes_eps is not None and takes_eps != ("eps" in names):
            raise ValueError(f"graph {graph!r} must {'' if takes_eps else 'not '}take 'eps'")
        self._check_label(graph)

    def _check_label(self, graph: str) -> None:
        """Checks the input `label` of a graph, if it has one: int64, and the manifest lists labels."""
        label = self.graphs[graph].input("label")
        if label is None:
            return
        if (label.dtype, label.shape) != ("int64", ()):
            raise ValueError(f"graph {graph!r}: 'label' must be int64 of shape (B,)")
        if self.labels is None:
            raise ValueError(f"graph {graph!r} takes a label, but the manifest lists no labels")

    def _check_encode(self) -> None:
        """Checks that the encoder puts out noise of the drawing; noise per call for the trained steps."""
        self._check_reader("encode")
        if self.drawing is None:
            raise ValueError("an `encode` graph needs a drawing that takes its latents")
        found = False
        for noise in self.drawing.noise:
            output = self.graphs["encode"].output(noise.name)
            if output is None:
                continue
            calls = self.drawing.noise_calls(noise, self.drawing.steps.trained, self.graphs)
            shape = noise.shape if calls is None else (calls, *noise.shape)
            if output.shape != shape:
                raise ValueError(f"graph 'encode': {noise.name!r} must have shape {shape} a row")
            found = True
        if not found:
            raise ValueError("graph 'encode' puts out none of the latents that the drawing takes")

    def _expect(
        self, graph: str, side: Literal["inputs", "outputs"], name: str, shape: tuple[int, ...]
    ) -> None:
        spec = next((tensor for tensor in getattr(self.graphs[graph], side) if tensor.name == name), None)
        if spec is None:
            raise ValueError(f"graph {graph!r} needs {name!r} among its {side}")
        if spec.shape != shape:
            raise ValueError(f"graph {graph!r}: {name!r} must have shape {shape} a row, got {spec.shape}")
        if spec.dtype != "float32":
            raise ValueError(f"graph {graph!r}: {name!r} must be float32, got {spec.dtype}")

    def _check_drawing(self, drawing: Drawing) -> None:
        """Checks that every input of every phase has a source: the request, or an earlier call's state."""
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
                self._check_outputs(phase.graph, drawing)
        if drawing.completion is not None and not {KNOWN, KNOWN_MASK} <= used:
            raise ValueError(f"a drawing that completes takes {KNOWN!r} and {KNOWN_MASK!r}")
        unused = sorted(set(noises) - used)
        if unused:
            raise ValueError(f"no phase takes the noise {unused[0]!r}")
        idle = sorted({control.name for control in drawing.controls} - used)
        if idle:
            raise ValueError(f"no phase takes the control {idle[0]!r}")
        for noise in drawing.noise:
            takers = [p.graph for p in drawing.phases if self.graphs[p.graph].input(noise.name)]
            if noise.per == "call" and len(takers) > 1:
                raise ValueError(f"noise {noise.name!r} is drawn per call, so only one phase may take it")
        check_noise(drawing, self.graphs)

    def _check_outputs(self, name: str, drawing: Drawing) -> None:
        """Checks that the showing graph puts out what the drawing declares, in the shape of its meaning."""
        for declared in drawing.outputs:
            found = self.graphs[name].output(declared.name)
            if found is None:
                raise ValueError(f"graph {name!r} needs {declared.name!r} among its outputs")
            if found.dtype != "float32":
                raise ValueError(f"graph {name!r}: {declared.name!r} must be float32")
            if declared.meaning == "box" and found.shape != (BOX,):
                raise ValueError(f"graph {name!r}: {declared.name!r} must have shape ({BOX},) a row")
            if math.prod(found.shape) > MAX_OUTPUT_NUMBERS:
                raise ValueError(
                    f"graph {name!r}: {declared.name!r} has {math.prod(found.shape)} numbers a row; at most "
                    f"{MAX_OUTPUT_NUMBERS} travel with a canvas"
                )

    def _check_source(
        self, graph: str, tensor: TensorSpec, noises: dict[str, NoiseSpec], known: dict[str, TensorSpec]
    ) -> None:
        if tensor.name == "label":
            self._check_label(graph)
        elif tensor.name in ("t", STEPS):
            if (tensor.dtype, tensor.shape) != ("int64", ()):
                raise ValueError(f"graph {graph!r}: {tensor.name!r} must be int64 of shape (B,)")
        elif tensor.name in (KNOWN, KNOWN_MASK) and self.drawing and self.drawing.completion:
            _, height, width = self.image.shape
            shape = self.image.shape if tensor.name == KNOWN else (1, height, width)
            if (tensor.dtype, tensor.shape) != ("float32", shape):
                raise ValueError(f"graph {graph!r}: {tensor.name!r} must be float32 of shape {shape} a row")
        elif self.drawing and tensor.name in {control.name for control in self.drawing.controls}:
            if (tensor.dtype, tensor.shape) != ("float32", ()):
                raise ValueError(f"graph {graph!r}: {tensor.name!r} must be float32 of shape (B,)")
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


def output_values(manifest: Manifest) -> int:
    """Numbers that travel with each canvas of an image besides its pixels; 0 without a drawing."""
    if manifest.drawing is None:
        return 0
    graph = manifest.graphs[manifest.drawing.showing.graph]
    specs = [graph.output(output.name) for output in manifest.drawing.outputs]
    return sum(math.prod(spec.shape) for spec in specs if spec is not None)
