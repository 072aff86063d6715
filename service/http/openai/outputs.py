"""How drawn pictures are wanted: size, format, and how many steps before the last."""

__all__ = ["Output", "files_of", "output_of"]

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pentimento.bundle.facts import ImageSpec
from pentimento.bundle.manifest import Manifest, output_values
from pentimento.service.errors import invalid
from pentimento.service.http.answers import MAX_ANSWER_VALUES
from pentimento.service.http.openai.schemas import ImageBody, OutputFormat
from pentimento.service.http.schemas import MAX_SCALE
from pentimento.service.messages import OUTPUT_WEIGHT, Frame, Header
from pentimento.service.operations.codec import animation, encode_pngs

_SIZE = re.compile(r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """What is made of the canvases."""

    format: OutputFormat
    scale: int  # pixels of a picture, across and down, for each of a canvas
    size: str  # WIDTHxHEIGHT of a picture
    partial_steps: tuple[int, ...]  # steps that a stream sends before the last, rising


def output_of(body: ImageBody, header: Header, manifest: Manifest) -> Output:
    """What a request wants of a drawing, before it is drawn.

    Raises:
        PentimentoError: INVALID_ARGUMENT: the size, the format or the number of partial images cannot be had,
            or they make too much of it.
    """
    image, stream = manifest.image, bool(body.stream)
    output = Output(
        format=body.output_format or "png",
        scale=(scale := _scale(body.size, image, manifest.name)),
        size=_size(image, scale),
        partial_steps=_partial_steps(body.partial_images or 0, header.steps, stream),
    )
    if stream and output.format != "png":
        raise invalid("output_format", f"must be png in a stream, got {output.format!r}")
    # A stream holds the canvases of a step at a time; a whole answer, all until the last is there.
    kept = header.steps * (math.prod(image.shape) + OUTPUT_WEIGHT * output_values(manifest))
    shown = math.prod(image.shape) * scale**2 * (1 if output.format == "png" else header.steps)
    values = header.n * (shown if stream else kept + shown)
    if values > MAX_ANSWER_VALUES:
        field = "size" if scale > 1 else "n"
        message = (
            f"is too large: {header.n} images of {header.steps} steps at {output.size} are {values} values; "
            f"the limit of an answer is {MAX_ANSWER_VALUES}"
        )
        raise invalid(field, message)
    return output


def files_of(frames: Sequence[Frame], output: Output) -> list[bytes]:
    """A picture file for each image: of the last of these frames, or an animation of all.

    It only computes, and takes long where pictures are large or many.
    """
    if output.format == "png":
        return encode_pngs(frames[-1].canvas, output.scale)
    canvases = np.stack([frame.canvas for frame in frames], axis=1)  # (n, T, C, H, W)
    return [animation(canvases[i : i + 1], output.format, output.scale) for i in range(len(canvases))]


def _scale(size: str | None, image: ImageSpec, model: str) -> int:
    """How much each pixel is enlarged, for a size as the request has it."""
    if size in (None, "auto"):
        return 1
    found = _SIZE.fullmatch(size)
    if found is not None:
        width, height = int(found[1]), int(found[2])
        scale = width // image.width
        if 1 <= scale <= MAX_SCALE and (width, height) == (image.width * scale, image.height * scale):
            return scale
    own, twice, most = (_size(image, scale) for scale in (1, 2, MAX_SCALE))
    message = (
        f"must be auto, {own}, which model {model!r} draws, or a whole multiple of it such as {twice}, "
        f"at most {most}, got {size[:60]!r}"
    )
    raise invalid("size", message)


def _size(image: ImageSpec, scale: int) -> str:
    return f"{image.width * scale}x{image.height * scale}"


def _partial_steps(count: int, steps: int, stream: bool) -> tuple[int, ...]:
    """Steps before the last, evenly spread: of 5, two are 1 and 3, and four all but the last."""
    if count and not stream:
        raise invalid("partial_images", f"must be 0 where stream is not true, got {count}")
    if not 0 <= count < steps:
        message = f"must be 0..{steps - 1} for a drawing of {steps} steps: the last is no partial one"
        raise invalid("partial_images", f"{message}, got {count}")
    return tuple(i * steps // (count + 1) for i in range(1, count + 1))
