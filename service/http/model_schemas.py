"""JSON answers about the server: served models, what a reload changed, health, the index."""

__all__ = [
    "IndexBody",
    "ModelBody",
    "ModelDetailBody",
    "ModelsBody",
    "RefusalBody",
    "ReloadBody",
    "RevisionBody",
    "ReadyBody",
    "StatusBody",
]

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pentimento.bundle.manifest import Control, FrameOutput, ImageSpec, Manifest, NoiseSpec, Steps
from pentimento.service.messages import OperationName, ScoreKind


class ModelBody(BaseModel):
    """A served bundle in short."""

    name: str
    version: str
    family: str
    summary: str
    default: Annotated[bool, Field(description="Whether requests that name no model get this one.")]
    operations: Annotated[list[OperationName], Field(description="What can be asked of it here.")]
    image: ImageSpec
    steps: Annotated[Steps | None, Field(description="Canvases that a request may ask for.")]
    latents: Annotated[list[NoiseSpec], Field(description="Noise that a request may give instead of a seed.")]
    outputs: Annotated[
        list[FrameOutput], Field(description="What comes with each canvas besides it, such as boxes.")
    ]
    controls: Annotated[
        list[Control], Field(description="Numbers that a request may set, with their ranges.")
    ]
    labels: Annotated[
        list[str] | None,
        Field(description="Class names of a conditional model: label i is called labels[i]."),
    ]
    score_kind: Annotated[
        ScoreKind | None,
        Field(description="`discriminator`: logits with probabilities. `critic`: unbounded scores alone."),
    ]
    score_takes: Annotated[
        list[str], Field(description="Latents that the scorer judges a picture with; none for most.")
    ]
    group_size: Annotated[
        int | None, Field(description="Pictures that the scorer can judge together, at most.")
    ]
    likelihood_kind: Literal["exact", "bound", "estimate"] | None
    completion: Annotated[
        Literal["raster", "everywhere"] | None,
        Field(description="What is seen of given pixels: those before each one in raster order, or all."),
    ]


class ModelDetailBody(ModelBody):
    """A served bundle with its whole manifest."""

    manifest: Manifest


class RefusalBody(BaseModel):
    """A folder that is not served, and why."""

    name: str
    reason: str


class ModelsBody(BaseModel):
    """All served bundles, and the folders that were refused."""

    models: list[ModelBody]
    refused: list[RefusalBody]


class RevisionBody(BaseModel):
    """A bundle that a reload brought."""

    name: str
    version: str
    previous_version: Annotated[
        str | None, Field(description="What was served before; null: nothing of that name.")
    ]


class ReloadBody(BaseModel):
    """What a reload changed. Served are now the added, the replaced and the kept models."""

    added: list[RevisionBody]
    replaced: list[RevisionBody]
    removed: list[str]
    kept: Annotated[
        list[str],
        Field(description="Served as before, also where what lies in the folder now was refused."),
    ]
    refused: Annotated[list[RefusalBody], Field(description="The version that was served before still is.")]
    default: Annotated[str | None, Field(description="The model for requests that name none, from now on.")]


class StatusBody(BaseModel):
    """Health."""

    status: Literal["alive"]


class ReadyBody(BaseModel):
    """Readiness, and how many of a server's processes there are."""

    status: Literal["ready"]
    workers: int
    workers_wanted: int


class IndexBody(BaseModel):
    """Where to go from the root."""

    name: str
    docs: str
    calls: list[str]
