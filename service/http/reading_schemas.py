"""Queries, bodies and answers of the calls that start from a picture."""

__all__ = [
    "AutoencodeQuery",
    "CompleteQuery",
    "EncodeAnswerBody",
    "EncodeQuery",
    "LikelihoodAnswerBody",
    "LikelihoodBody",
    "LikelihoodQuery",
    "PictureBody",
    "PictureWithMaskBody",
    "ScoreAnswerBody",
    "ScoreBodyIn",
    "ScoreGroupQuery",
    "ScoreImagesBody",
    "ScoreQuery",
]

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictStr

from pentimento.service.http.schemas import (
    BOXES,
    MAX_SCALE,
    SCORE,
    SCORE_BY,
    ClassLabel,
    InputBody,
    ScoreBody,
    TimingBody,
    Whole,
)
from pentimento.service.messages import Fit, ScoreKind

_Picture = Annotated[StrictStr, Field(description="A PNG or JPEG file as base64.")]


class ScoreQuery(InputBody):
    """What the queries of all calls with pictures have."""

    model: Annotated[str | None, Field(description="Served bundle; by default the server's.")] = None
    fit: Annotated[
        Fit,
        Field(description="`exact`: another size or colour is refused. `resize`: scaled and converted."),
    ] = "exact"
    label: Annotated[
        ClassLabel,
        Field(description="Class of the pictures, for a model that takes it: its name or index."),
    ] = None
    timeout_ms: Annotated[Whole, Field(description="Milliseconds after which the request is given up.")] = (
        None
    )


class ScoreGroupQuery(ScoreQuery):
    """Query of `POST /score`."""

    group: Annotated[
        bool,
        Field(
            description="Whether the pictures are judged together: score i is then about the first i + 1 of "
            "them. For models with a `group_size`."
        ),
    ] = False


class _ReadingQuery(ScoreQuery):
    seed: Annotated[Whole, Field(description="Seed of all noise, 0 to 2^63 - 1.")] = None


class _DrawingFromPictureQuery(_ReadingQuery):
    steps: Annotated[Whole, Field(description="Canvases to show; by default the model's own number.")] = None
    score: Annotated[bool | None, Field(description=SCORE)] = None
    score_by: Annotated[str | None, Field(description=SCORE_BY)] = None
    boxes: Annotated[bool | None, Field(description=BOXES)] = None
    scale: Annotated[
        Whole,
        Field(description=f"1 to {MAX_SCALE}: pixels of a strip or animation for each pixel of a canvas."),
    ] = None


class AutoencodeQuery(_DrawingFromPictureQuery):
    """Query of `POST /autoencode`."""

    samples: Annotated[Whole, Field(description="Reconstructions, each from a draw of its own.")] = None


class CompleteQuery(_DrawingFromPictureQuery):
    """Query of `POST /complete`."""

    n: Annotated[Whole, Field(description="Completions, each from noise of its own.")] = None


class EncodeQuery(_ReadingQuery):
    """Query of `POST /encode`."""


class LikelihoodQuery(_ReadingQuery):
    """Query of `POST /likelihood`."""

    importance_samples: Annotated[
        Whole, Field(description="Draws for each image; more make a tighter bound. An exact model takes 1.")
    ] = None
    pixels: Annotated[bool, Field(description="Whether to answer with each pixel's share too.")] = False


class ScoreImagesBody(InputBody):
    """JSON body of `POST /encode` and `/likelihood`."""

    images: Annotated[list[StrictStr], Field(description="PNG or JPEG files, each as base64.")]


class ScoreBodyIn(ScoreImagesBody):
    """JSON body of `POST /score`."""

    latents: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            description="Latents of the pictures by name, nested lists of shape (n, ...), for a model whose "
            "`score_takes` names them; `/encode` gives those of a picture.",
        ),
    ]


class PictureBody(InputBody):
    """JSON body of `POST /autoencode`."""

    image: _Picture


class PictureWithMaskBody(InputBody):
    """JSON body of `POST /complete`."""

    image: _Picture
    mask: Annotated[
        StrictStr,
        Field(description="A black-and-white PNG as base64: white pixels are kept, black ones are drawn."),
    ]


class ScoreAnswerBody(BaseModel):
    """Answer of `POST /score`."""

    model: str
    version: str
    kind: ScoreKind
    scores: Annotated[
        list[ScoreBody],
        Field(description="One an image, in the order they came; of a group, one for each prefix of it."),
    ]
    group: Annotated[bool, Field(description="Whether the pictures were judged together.")]
    timing: TimingBody


class EncodeAnswerBody(BaseModel):
    """Answer of `POST /encode`."""

    model: str
    version: str
    seed: int
    inputs: Annotated[list[str], Field(description="The pictures as the model saw them, PNG as base64.")]
    encoding: Annotated[
        dict[str, Any],
        Field(description="By output of the encoder, nested lists of shape (n, ...); latents can be drawn."),
    ]
    timing: TimingBody


class LikelihoodBody(BaseModel):
    """Log-likelihood of one image, a lower bound of it, or an estimate."""

    nats: float
    bits_per_dim: Annotated[float, Field(description="-nats / (ln 2 * C * H * W).")]
    standard_error: Annotated[
        float | None, Field(description="Of `nats`, where it is an estimate from two draws or more.")
    ] = None


class LikelihoodAnswerBody(BaseModel):
    """Answer of `POST /likelihood`."""

    model: str
    version: str
    seed: int
    kind: Literal["exact", "bound", "estimate"]
    importance_samples: int
    inputs: Annotated[list[str], Field(description="The pictures as the model saw them, PNG as base64.")]
    likelihoods: Annotated[list[LikelihoodBody], Field(description="One an image, in order.")]
    pixels: Annotated[
        list[Any] | None, Field(description="Nats of each pixel, (C, H, W) an image, when asked for.")
    ] = None
    timing: TimingBody
