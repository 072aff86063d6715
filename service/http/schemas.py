"""JSON of a drawing over HTTP: query, body, answer, problems; the OpenAPI page is made from it."""

__all__ = [
    "AddressedDoneBody",
    "AddressedDrawingBody",
    "AddressedFrameBody",
    "DoneBody",
    "DrawingBody",
    "ErrorBody",
    "FrameBody",
    "GenerateBody",
    "GenerateQuery",
    "InputBody",
    "BOXES",
    "ClassLabel",
    "LABEL",
    "MAX_SCALE",
    "Problem",
    "Real",
    "SCORE",
    "SCORE_BY",
    "ScoreBody",
    "ScoredByBody",
    "TimingBody",
    "Whole",
    "class_label",
]

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr
from pydantic_core import PydanticCustomError

from pentimento.service.messages import ScoreKind

MAX_SCALE = 16

SCORE = "Whether the model's scorer judges every canvas of every step: `scores` in JSON and in streams."
SCORE_BY = (
    "Served bundle whose scorer judges every canvas instead of the model's own; implies `score`, which "
    "must not be false then. It must judge images of the model's shape, and by label only where the model "
    "draws as many classes."
)

BOXES = (
    "True refuses a model whose canvases come without attention boxes. A strip or an animation then shows "
    "them; in JSON and in streams they are among `outputs`, asked for or not."
)


def _whole(value: object) -> object:
    """Takes integers, or their digits as a string; of at most 20 digits, so that a message can quote them."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]+", value):
        value = int(value) if len(value) <= 20 else 10**20
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) < 10**20:
            return value
        raise PydanticCustomError("whole_number", "must be a whole number of at most 20 digits")
    raise PydanticCustomError("whole_number", "must be a whole number")


Whole = Annotated[int | None, BeforeValidator(_whole, json_schema_input_type=int | None)]


def class_label(value: object) -> object:
    """Takes what `_whole` takes, and any other text for the name of a class."""
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and not re.fullmatch(r"[+-]?[0-9]+", text):
        return text
    if isinstance(text, int | str) and not isinstance(text, bool):
        return _whole(text)
    raise PydanticCustomError("whole_number", "must be a whole number or the name of a class")


def _label_or_none(value: object) -> object:
    return None if value is None else class_label(value)


ClassLabel = Annotated[
    int | str | None, BeforeValidator(_label_or_none, json_schema_input_type=int | str | None)
]
_LabelEntry = Annotated[int | str, BeforeValidator(class_label, json_schema_input_type=int | str)]

LABEL = "Class to draw, for a conditional model: a name among its `labels`, in whatever case, or its index."


def _real(value: object) -> object:
    """Takes numbers, and no text or truth value for one."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e20:
        return float(value)
    raise PydanticCustomError("whole_number", "must be a number")


Real = Annotated[float, BeforeValidator(_real, json_schema_input_type=float)]
_Number = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]


class InputBody(BaseModel):
    """Something a client sends: frozen, and no unknown fields."""

    # A misspelt parameter would otherwise be ignored, and the answer would not be what was asked for.
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Common(InputBody):
    n: Annotated[Whole, Field(description="Images to draw; by default 1, or as many as `latents` has.")] = (
        None
    )
    steps: Annotated[Whole, Field(description="Canvases to show; by default the model's own number.")] = None
    seed: Annotated[
        Whole,
        Field(
            description="0 to 2^63 - 1. The same seed, version and parameters give the same bytes. "
            "Without one, the server chooses one below 2^53, which nobody can foresee."
        ),
    ] = None
    label: Annotated[ClassLabel, Field(description=LABEL)] = None
    timeout_ms: Annotated[Whole, Field(description="Milliseconds after which the drawing is given up.")] = (
        None
    )


class GenerateQuery(_Common):
    """Query of `POST /generate`."""

    model: Annotated[str | None, Field(description="Served bundle; by default the server's.")] = None
    score: Annotated[bool | None, Field(description=SCORE)] = None
    score_by: Annotated[str | None, Field(description=SCORE_BY)] = None
    boxes: Annotated[bool | None, Field(description=BOXES)] = None
    scale: Annotated[
        Whole,
        Field(description=f"1 to {MAX_SCALE}: pixels of a strip or animation for each pixel of a canvas."),
    ] = None


class GenerateBody(_Common):
    """Body of `POST /generate`, all optional: the fields of the query but `scale`, and lists."""

    model: StrictStr | None = None
    score: Annotated[StrictBool | None, Field(description=SCORE)] = None
    score_by: Annotated[StrictStr | None, Field(description=SCORE_BY)] = None
    boxes: Annotated[StrictBool | None, Field(description=BOXES)] = None
    labels: Annotated[
        tuple[_LabelEntry, ...] | None,
        Field(description="Classes to draw, one for each of the n images, instead of `label` for all."),
    ] = None
    latents: Annotated[
        dict[str, Any],
        Field(
            description="Noise by name, as nested lists of shape (n, ...) or, for noise per call, "
            "(n, calls, ...), within a million of zero. What is not given is drawn from the seed.",
        ),
    ] = {}
    seeds: Annotated[
        dict[str, _Number],
        Field(description="Seeds by the name of a noise that shall not use `seed`: one level at a time."),
    ] = {}
    controls: Annotated[
        dict[str, Real],
        Field(
            description="Controls of the model by name, such as `guidance`; in a query, by their own names."
        ),
    ] = {}


class ScoreBody(BaseModel):
    """A scorer's opinion of one image; more is more real."""

    logit: Annotated[
        float | None,
        Field(description="Of a discriminator, the logit; of a critic, its score, which is unbounded."),
    ]
    probability: Annotated[
        float | None, Field(description="Of `real`. Only a discriminator has it: no critic says one.")
    ] = None


class ScoredByBody(BaseModel):
    """The bundle whose scorer judged."""

    model: str
    version: str


class TimingBody(BaseModel):
    """Where the time went, in microseconds from admission."""

    queue_us: int
    total_us: int


class AddressedFrameBody(BaseModel):
    """One shown canvas of every image, as it is each time that it is drawn."""

    step: Annotated[int, Field(description="From 1.")]
    images: Annotated[list[str], Field(description="PNG files as base64, one an image.")]
    score_kind: Annotated[ScoreKind | None, Field(description="How `scores` are to be read.")] = None
    scores: Annotated[list[ScoreBody] | None, Field(description="One an image, when asked for.")] = None
    outputs: Annotated[
        dict[str, list[Any]] | None,
        Field(
            description="What else the step put out, by name, one an image: of a box its x, y, stride and "
            "width in pixels. Only of models that list `outputs`."
        ),
    ] = None


class FrameBody(AddressedFrameBody):
    """One shown canvas of every image. An NDJSON line has `"type": "frame"` besides."""

    elapsed_us: Annotated[int, Field(description="Microseconds from admission to this canvas.")]


class AddressedDoneBody(BaseModel):
    """The last event of a complete stream at an address."""

    model: str
    version: str
    seed: Annotated[int, Field(description="The seed used, whether it was given or not.")]
    n: int
    steps: int
    score_kind: Annotated[
        ScoreKind | None, Field(description="Of the scorer that judged, when scores were asked for.")
    ] = None
    scored_by: Annotated[
        ScoredByBody | None, Field(description="Whose scorer that was: the model's own, or `score_by`.")
    ] = None


class AddressedDrawingBody(AddressedDoneBody):
    """A whole drawing at an address, the same each time: it tells no times."""

    frames: list[AddressedFrameBody]


class DoneBody(AddressedDoneBody):
    """The last event of a complete stream. An NDJSON line has `"type": "done"` besides."""

    timing: TimingBody
    input: Annotated[str | None, Field(description="The given picture as the model saw it, base64 PNG.")] = (
        None
    )
    encoding: Annotated[
        dict[str, Any] | None, Field(description="By output of the encoder, nested lists of shape (n, ...).")
    ] = None
    conditioning: Annotated[
        str | None, Field(description="What the drawn pixels could see of the given ones.")
    ] = None


class DrawingBody(DoneBody):
    """A whole drawing. `input`, `encoding` and `conditioning` are there where it starts from a picture."""

    frames: list[FrameBody]


class _Fault(BaseModel):
    title: Annotated[str, Field(description="The HTTP status in words.", examples=["Bad Request"])]
    status: Annotated[int, Field(examples=[400])]
    detail: Annotated[str, Field(description="One sentence.", examples=["steps must be 1..16, got 900"])]
    code: Annotated[str, Field(description="For programs.", examples=["INVALID_ARGUMENT"])]
    field: Annotated[
        str | None, Field(description="The field at fault, where there is one.", examples=["steps"])
    ] = None
    request_id: Annotated[str | None, Field(description="As in the header X-Request-Id.")] = None


class Problem(_Fault):
    """Problem details (RFC 9457): what every error answer is."""

    type: str = "about:blank"


class ErrorBody(_Fault):
    """The last event of a stream that failed. An NDJSON line has `"type": "error"` besides."""

    step: Annotated[int, Field(description="The last step that was sent; 0 when none was.")]
