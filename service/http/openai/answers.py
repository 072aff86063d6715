"""The API's answers as the OpenAPI document describes them."""

__all__ = ["ImagesAnswer", "ModelAnswer", "ModelsAnswer"]

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pentimento.service.http.openai.events import Usage
from pentimento.service.http.openai.schemas import OutputFormat
from pentimento.service.messages import OperationName


class PictureAnswer(BaseModel):
    """A drawn picture."""

    b64_json: Annotated[str, Field(description="The file as base64.")]


class ImagesAnswer(BaseModel):
    """A whole drawing."""

    created: Annotated[int, Field(description="Seconds since 1970.")]
    background: Literal["opaque"]
    output_format: OutputFormat
    size: Annotated[str, Field(description="WIDTHxHEIGHT in pixels.")]
    usage: Usage
    model: Annotated[str, Field(description="Not of the API. The bundle that drew.")]
    version: Annotated[str, Field(description="Not of the API. Its version.")]
    seed: Annotated[int, Field(description="Not of the API. The seed used, whether it was given or not.")]
    steps: Annotated[int, Field(description="Not of the API. How many steps the drawing had.")]
    data: list[PictureAnswer]


class ModelAnswer(BaseModel):
    """A served bundle."""

    id: Annotated[str, Field(description="Its name.")]
    object: Literal["model"] = "model"
    created: Annotated[int, Field(description="Seconds since 1970; 0 where its manifest does not say.")]
    owned_by: Annotated[str, Field(description="Its family.")]
    version: Annotated[str, Field(description="Not of the API.")]
    operations: Annotated[
        list[OperationName], Field(description="Not of the API: `generate` draws, `complete` edits.")
    ]
    size: Annotated[str, Field(description="Not of the API. WIDTHxHEIGHT of its pictures.")]
    prompts: Annotated[list[str], Field(description="Not of the API. What a prompt may be.")]


class ModelsAnswer(BaseModel):
    """All served bundles."""

    object: Literal["list"] = "list"
    data: list[ModelAnswer]
