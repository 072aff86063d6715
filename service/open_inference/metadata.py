"""What the protocol tells of the server and its models."""

__all__ = ["EXTENSIONS", "PLATFORM", "SERVER", "TensorFacts", "server_version", "tensor_facts"]

from importlib import metadata
from typing import NamedTuple

from pentimento.service.open_inference.names import Target
from pentimento.service.open_inference.signatures import signature_of

SERVER = "pentimento"
PLATFORM = "pentimento_onnx"
EXTENSIONS = ("binary_tensor_data", "model_repository", "parameters")
"""Of the protocol, as Triton calls them, those that are there; over gRPC tensors are binary anyway."""


class TensorFacts(NamedTuple):
    """An input or output in a model's metadata; a dimension of -1 is decided by the request."""

    name: str
    datatype: str
    shape: tuple[int, ...]


def server_version() -> str:
    """The version of this server."""
    try:
        return metadata.version("pentimento-canvases")
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        return "0"


def tensor_facts(target: Target) -> tuple[list[TensorFacts], list[TensorFacts]]:
    """A model's inputs and outputs."""
    signature = signature_of(target.manifest, target.operation)
    return (
        [TensorFacts(name, each.datatypes[0], each.shape) for name, each in signature.inputs.items()],
        [TensorFacts(name, each.datatype, each.shape) for name, each in signature.outputs.items()],
    )
