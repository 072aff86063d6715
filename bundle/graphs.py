"""Tensors and graphs as a manifest lists them."""

__all__ = ["Dim", "GraphName", "GraphSpec", "Part", "TensorSpec", "WeightsFile", "state_name"]

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

GraphName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
TensorName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}(\.[a-z][a-z0-9_]{0,31})?$")]
Dim = Annotated[int, Field(ge=1, le=65536)]
Dtype = Literal["float32", "int64"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Part(BaseModel):
    """What all parts of a manifest have in common: frozen, and no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TensorSpec(Part):
    """An input or output of a graph; `shape` leaves out the batch axis, which is always first and dynamic."""

    name: TensorName
    dtype: Dtype = "float32"
    shape: Annotated[tuple[Dim, ...], Field(max_length=6)] = ()  # of a group's noise: group, calls, its own


class WeightsFile(Part):
    """A file of numbers that several graphs of a bundle have in common, as ONNX's external data."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\.bin$")]
    sha256: Sha256


class GraphSpec(Part):
    """One ONNX file with its checksum and its signature."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\.onnx$")]
    sha256: Sha256
    weights: WeightsFile | None = None  # the one file that it may point at; None: it holds all its numbers
    inputs: Annotated[tuple[TensorSpec, ...], Field(min_length=1, max_length=64)]
    outputs: Annotated[tuple[TensorSpec, ...], Field(min_length=1, max_length=64)]

    @property
    def content(self) -> str:
        """A SHA-256 of all that the graph computes with: of its file, or of that and its weights."""
        if self.weights is None:
            return self.sha256
        return hashlib.sha256(f"{self.sha256} {self.weights.sha256}".encode()).hexdigest()

    def input(self, name: str) -> TensorSpec | None:
        """The input of that name, or None."""
        return next((spec for spec in self.inputs if spec.name == name), None)

    def output(self, name: str) -> TensorSpec | None:
        """The output of that name, or None."""
        return next((spec for spec in self.outputs if spec.name == name), None)


def state_name(output: str) -> str:
    """The input that the state output `next.X` of a graph feeds in the next call: `state.X`."""
    return "state." + output.removeprefix("next.")
