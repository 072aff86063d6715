"""What the API's requests may say: fields that are done here, and fields that are taken without effect."""

__all__ = ["EditBody", "EditForm", "GenerationBody", "ImageBody", "OutputFormat", "refuse_impossible"]

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictStr

from pentimento.service.errors import invalid
from pentimento.service.http.openai.prompts import MAX_PROMPT
from pentimento.service.http.schemas import MAX_SCALE, InputBody, Real, Whole
from pentimento.service.messages import Fit

OutputFormat: TypeAlias = Literal["png", "gif", "apng"]

_NO_EFFECT = "Taken, and without effect: "
_Id = Annotated[StrictStr, Field(max_length=512)]

_STRONGER = "bundles have one way to draw; what `steps` and `controls` say is done"

# Of the API, and not to be had here: by field, or by field and value.
_IMPOSSIBLE: dict[str, str] = {
    "frame_count": "cannot be chosen: a GIF has a frame for each step of the drawing; set steps",
    "frame_duration_ms": "cannot be chosen: a frame of a GIF stays 250 ms",
    "markup": "cannot be had: bundles read no markup; a mask says what to draw",
    "svg": "cannot be had: bundles draw pixels",
}
_IMPOSSIBLE_VALUES: dict[tuple[str, str], str] = {
    ("background", "transparent"): "must be opaque or auto: bundles draw no transparency",
    ("response_format", "url"): "must be b64_json: pictures are not kept, so they have no address",
    **{
        ("output_format", kind): "must be png, or gif or apng for all steps as an animation"
        for kind in ("jpeg", "webp", "svg")
    },
}


class ImageBody(InputBody):
    """What requests to draw and to edit have in common."""

    model: Annotated[StrictStr | None, Field(description="Served bundle; by default the server's.")] = None
    prompt: Annotated[
        StrictStr,
        Field(
            max_length=MAX_PROMPT,
            description="Name or number of the class to draw; empty where a bundle has no classes.",
        ),
    ] = ""
    n: Annotated[Whole, Field(description="Images to draw, by default 1.")] = None
    size: Annotated[
        StrictStr | None,
        Field(
            description="`auto`, the bundle's own WIDTHxHEIGHT, or a whole multiple of it, each pixel "
            f"enlarged to at most {MAX_SCALE} x {MAX_SCALE}."
        ),
    ] = None
    response_format: Annotated[
        Literal["b64_json"] | None, Field(description="Pictures are in the answer: they are not kept.")
    ] = None
    output_format: Annotated[
        OutputFormat | None,
        Field(description="`png`, or all steps as an animation: `gif` (256 colours) or `apng` (exact)."),
    ] = None
    output_compression: Annotated[
        Whole, Field(description="100, as nothing is lost here but a GIF's colours.")
    ] = None
    stream: Annotated[
        StrictBool | None, Field(description="Whether events are sent while it is drawn, as PNG.")
    ] = None
    partial_images: Annotated[
        Whole,
        Field(description="Of a stream: steps before the last that are sent, evenly spread; 0..steps - 1."),
    ] = None
    background: Annotated[Literal["auto", "opaque"] | None, Field(description="All pictures are opaque.")] = (
        None
    )
    quality: Annotated[
        Literal["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"] | None,
        Field(description=f"{_NO_EFFECT}{_STRONGER}."),
    ] = None
    complexity: Annotated[
        Literal["low", "medium", "high"] | None, Field(description=f"{_NO_EFFECT}{_STRONGER}.")
    ] = None
    user: Annotated[_Id | None, Field(description=f"{_NO_EFFECT}it is not kept.")] = None
    safety_identifier: Annotated[_Id | None, Field(description=f"{_NO_EFFECT}it is not kept.")] = None
    seed: Annotated[
        Whole,
        Field(
            description="Not of the API. 0 to 2^63 - 1: the same seed, version and parameters give the same "
            "bytes, and those of `/generate` or `/complete`. The answer says which it was."
        ),
    ] = None
    steps: Annotated[Whole, Field(description="Not of the API. Steps to draw in.")] = None
    controls: Annotated[
        dict[str, Real],
        Field(default_factory=dict, description="Not of the API. The model's controls by name."),
    ]
    timeout_ms: Annotated[
        Whole, Field(description="Not of the API. Milliseconds after which the drawing is given up.")
    ] = None


class GenerationBody(ImageBody):
    """Body of `POST /v1/images/generations`."""

    style: Annotated[Literal["vivid", "natural"] | None, Field(description=f"{_NO_EFFECT}{_STRONGER}.")] = (
        None
    )
    moderation: Annotated[
        Literal["low", "auto"] | None, Field(description=f"{_NO_EFFECT}bundles read no text to judge.")
    ] = None


class EditBody(ImageBody):
    """Fields of `POST /v1/images/edits`, beside its files."""

    input_fidelity: Annotated[
        Literal["low", "high"] | None, Field(description=f"{_NO_EFFECT}given pixels stay as they are.")
    ] = None
    fit: Annotated[
        Fit,
        Field(
            description="Not of the API. `resize` scales and converts a picture that is not exactly what the "
            "bundle takes."
        ),
    ] = "exact"


class EditForm(EditBody):
    """Multipart body of `POST /v1/images/edits`; controls are fields such as `controls[guidance]`."""

    image: Annotated[bytes, Field(description="The picture, PNG or JPEG, as a file.")]
    mask: Annotated[
        bytes | None,
        Field(description="What is wholly transparent in it is drawn; else in the picture itself. A file."),
    ] = None


def refuse_impossible(content: Mapping[str, object]) -> None:
    """Refuses what the API has and a bundle cannot do, in a sentence that says why.

    Args:
        content: The fields of a request, not yet checked.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    for name, value in content.items():
        if value is None:
            continue
        if name in _IMPOSSIBLE:
            raise invalid(name, _IMPOSSIBLE[name])
        if isinstance(value, str) and (name, value) in _IMPOSSIBLE_VALUES:
            raise invalid(name, f"{_IMPOSSIBLE_VALUES[name, value]}, got {value!r}")
    compression = content.get("output_compression")
    if compression not in (None, 100, "100"):
        raise invalid(
            "output_compression", f"must be 100: nothing is lost here, got {str(compression)[:60]!r}"
        )
