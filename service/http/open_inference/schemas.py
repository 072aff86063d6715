"""The protocol's bodies as the OpenAPI document describes them."""

__all__ = [
    "RepositoryQuery",
    "IndexEntry",
    "InferAnswer",
    "InferBody",
    "ModelMetadata",
    "ServerMetadata",
    "TensorMetadata",
]

from typing import Annotated, Any

from pydantic import BaseModel, Field

_SHAPE = "Images first; -1: the request decides."


class ServerMetadata(BaseModel):
    """The server."""

    name: str
    version: str
    extensions: Annotated[list[str], Field(description="What of the protocol's extensions is there.")]


class TensorMetadata(BaseModel):
    """An input or output."""

    name: str
    datatype: Annotated[str, Field(description="What it is; some inputs may be of others, too.")]
    shape: Annotated[list[int], Field(description=_SHAPE)]


class ModelMetadata(BaseModel):
    """A model: an operation of a bundle."""

    name: str
    versions: list[str]
    platform: str
    inputs: Annotated[list[TensorMetadata], Field(description="Most may be left out.")]
    outputs: list[TensorMetadata]


class GivenTensor(BaseModel):
    """A tensor of a request."""

    name: str
    shape: Annotated[list[int], Field(max_length=8)]
    datatype: str
    parameters: Annotated[
        dict[str, Any] | None,
        Field(description="`binary_data_size`: bytes behind the JSON, instead of `data`."),
    ] = None
    data: Annotated[list[Any] | None, Field(description="Nested or flat, in row-major order.")] = None


class WantedTensor(BaseModel):
    """An output that is wanted."""

    name: str
    parameters: Annotated[dict[str, Any] | None, Field(description="`binary_data`: behind the JSON.")] = None


class InferBody(BaseModel):
    """A request for inference."""

    id: Annotated[str, Field(max_length=256, description="Returned with the answer.")] = ""
    parameters: Annotated[
        dict[str, Any] | None,
        Field(description="`seed`, `steps` and so on; `binary_data_output`, `timeout` (microseconds)."),
    ] = None
    inputs: Annotated[list[GivenTensor], Field(max_length=64)] = []
    outputs: Annotated[list[WantedTensor] | None, Field(max_length=64)] = None


class AnsweredTensor(BaseModel):
    """A tensor of an answer."""

    name: str
    shape: list[int]
    datatype: str
    parameters: Annotated[
        dict[str, Any] | None,
        Field(description="`binary_data_size`: bytes behind the JSON, instead of `data`."),
    ] = None
    data: Annotated[list[float | None] | None, Field(description="Flat, in row-major order.")] = None


class InferAnswer(BaseModel):
    """An answer."""

    model_name: str
    model_version: str
    id: Annotated[str | None, Field(description="As given.")] = None
    parameters: Annotated[dict[str, Any], Field(description="`seed`, `step`, `steps` and so on.")]
    outputs: list[AnsweredTensor]


class IndexEntry(BaseModel):
    """A model of the repository, or a folder that is refused."""

    name: str
    version: str
    state: Annotated[str, Field(description="READY or UNAVAILABLE.")]
    reason: Annotated[str, Field(description="Of what is refused, a sentence.")]


class RepositoryQuery(BaseModel):
    """What of the repository is wanted."""

    ready: Annotated[bool, Field(description="Only what is served.")] = False
    parameters: dict[str, Any] | None = None
