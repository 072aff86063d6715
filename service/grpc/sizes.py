"""Refuses requests whose answer could be larger than a message may be, before anything is computed."""

__all__ = ["MAX_SEND_BYTES", "check_bytes", "check_reading", "check_size", "encoder_values", "pixel_values"]

import math
from collections.abc import Callable, Sequence

from pentimento.bundle.manifest import Manifest, output_values
from pentimento.service.catalog.served import ModelInfo
from pentimento.service.errors import invalid
from pentimento.service.grpc import wire
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.messages import Header

MAX_SEND_BYTES = 64 << 20
"""Limit of an answer, in bytes; the proto tells clients of it. What is larger must be streamed."""

_IMAGE_OVERHEAD_BYTES = 64  # of an image in a message: its length, its scores, its share of the frame


def check_size(
    header: Header,
    manifest: Manifest,
    encoding: pb.ImageEncoding,
    *,
    frames: int = 1,
    field: str = "image_count",
) -> int:
    """Refuses a drawing if one message with `frames` of its frames could pass the limit.

    Args:
        header: Of the drawing, for which nothing is made yet.
        manifest: Of the bundle that draws.
        encoding: How images travel.
        frames: Frames in the message.
        field: Request field to blame: the number of images.

    Returns:
        The most bytes that such a message has.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    n = header.n
    image_bytes = wire.encoded_size(manifest.image, encoding) + 4 * output_values(manifest)
    ways = "fewer images, a smaller encoding, the final frame only, or a stream"
    if frames == 1:
        ways = "fewer images or a smaller encoding"
    return check_bytes(field, n, n * (image_bytes + _IMAGE_OVERHEAD_BYTES) * frames, ways)


def check_reading(
    infos: Sequence[ModelInfo],
    model: str | None,
    n: int,
    encoding: pb.ImageEncoding,
    values: Callable[[Manifest], int],
) -> int:
    """Refuses pictures whose answer could pass the limit, before they are read.

    Args:
        infos: What is served.
        model: As in the request.
        n: Pictures.
        encoding: How they travel back.
        values: How many values the answer holds for each besides.

    Returns:
        The most bytes that the answer has; 0 of a model that is not served.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    for info in infos:
        if info.manifest.name == model or (model is None and info.is_default):
            each = wire.encoded_size(info.manifest.image, encoding) + 4 * values(info.manifest)
            return check_bytes("images", n, n * (each + _IMAGE_OVERHEAD_BYTES), "fewer images")
    return 0


def check_bytes(field: str, n: int, size: int, ways: str) -> int:
    """Refuses a message of more than `MAX_SEND_BYTES`, and returns its size.

    Args:
        field: What makes it large.
        n: Its value.
        size: Bytes.
        ways: What to ask for instead.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    if size > MAX_SEND_BYTES:
        message = f"{n} makes a message of up to {size} bytes; the limit is {MAX_SEND_BYTES}: ask for {ways}"
        raise invalid(field, message)
    return size


def encoder_values(manifest: Manifest) -> int:
    """Number of values that the encoder puts out for an image; 0 without one, which is refused later."""
    spec = manifest.graphs.get("encode")
    return 0 if spec is None else sum(math.prod(tensor.shape) for tensor in spec.outputs)


def pixel_values(manifest: Manifest) -> int:
    """Number of values of an image, C * H * W."""
    return math.prod(manifest.image.shape)
