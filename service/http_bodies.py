"""Request bodies: read within a limit, JSON without surprises, drawings' and scores' inputs out of them."""

__all__ = ["merge", "read_generate_body", "read_images", "read_json"]

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from service.errors import Code, PentimentoError, invalid
from service.http_problems import describe
from service.http_schemas import GenerateBody, GenerateQuery, ScoreImagesBody
from service.messages import GenerateRequest, ImageInput

_Body = TypeVar("_Body", bound=BaseModel)

_PICTURES = ("image/png", "image/jpeg", "application/octet-stream")
_LARGE_JSON = 64 << 10  # bytes whose parsing takes more than about a millisecond


async def read_generate_body(request: Request, limit: int) -> GenerateBody:
    """The JSON body of a drawing request; none at all is an empty one.

    Args:
        request: The request, its body unread.
        limit: Bytes that the body may have.

    Raises:
        PentimentoError: INVALID_ARGUMENT, PAYLOAD_TOO_LARGE or UNSUPPORTED_MEDIA_TYPE.
    """
    data = await _read(request, limit)
    if not data:
        return GenerateBody()
    kind = _media_type(request)
    if not _is_json(kind):
        raise _unsupported(kind, "application/json")
    return _validate(GenerateBody, await read_json(data))


async def read_images(request: Request, limit: int, max_images: int) -> tuple[ImageInput, ...]:
    """The pictures of a body: one raw PNG or JPEG, multipart parts called `image`, or JSON with base64.

    Args:
        request: The request, its body unread.
        limit: Bytes that the body may have.
        max_images: Pictures that it may hold.

    Raises:
        PentimentoError: INVALID_ARGUMENT, PAYLOAD_TOO_LARGE or UNSUPPORTED_MEDIA_TYPE.
    """
    kind = _media_type(request)
    if kind in _PICTURES:
        return (ImageInput(data=await _read(request, limit)),)
    if kind == "multipart/form-data":
        return await _read_parts(request, limit, max_images)
    if _is_json(kind):
        body = _validate(ScoreImagesBody, await read_json(await _read(request, limit)))
        if len(body.images) > max_images:
            raise invalid("images", f"must be 1..{max_images}, got {len(body.images)}")
        return tuple(_from_base64(text, f"images[{i}]") for i, text in enumerate(body.images))
    raise _unsupported(kind, *_PICTURES, "multipart/form-data", "application/json")


async def read_json(data: bytes) -> object:
    """Parses JSON strictly: no NaN or infinity, no deep nesting.

    Raises:
        PentimentoError: INVALID_ARGUMENT, with the place of the first fault.
    """
    try:
        # pydantic's parser bounds the nesting (200), which Python's leaves to the interpreter's stack.
        if len(data) <= _LARGE_JSON:
            content: object = from_json(data, allow_inf_nan=False)
        else:
            content = await asyncio.to_thread(from_json, data, allow_inf_nan=False)
        return content
    except ValueError as error:
        reason = str(error)
    if "recursion limit" in reason:
        raise invalid("body", f"may be nested at most 200 deep: {reason}")
    if any(word in data for word in (b"NaN", b"Infinity")):
        reason += "; NaN and Infinity are not JSON"
    raise invalid("body", f"must be JSON: {reason}")


def merge(query: GenerateQuery, body: GenerateBody) -> GenerateRequest:
    """One request out of query and body.

    Raises:
        PentimentoError: INVALID_ARGUMENT: the two give different values for a field.
    """
    values: dict[str, Any] = {}
    for name in ("model", "n", "steps", "seed", "label", "score", "timeout_ms"):
        asked, also = getattr(query, name), getattr(body, name)
        if asked is not None and also is not None and asked != also:
            raise invalid(name, f"is given twice: {asked!r} in the query and {also!r} in the body")
        value = also if asked is None else asked
        if value is not None:
            values[name] = value
    return GenerateRequest(**values, latents=body.latents)


async def _read(request: Request, limit: int) -> bytes:
    return b"".join([chunk async for chunk in _limited(request, limit)])


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body's chunks; refuses by the announced length before reading, and by what really comes."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise PentimentoError(
            Code.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Encoding must be identity, got {encoding[:60]!r}",
            field="Content-Encoding",
        )
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(announced[:30], limit)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large("more", limit)
        yield chunk


async def _read_parts(request: Request, limit: int, max_images: int) -> tuple[ImageInput, ...]:
    # One file more than allowed, so that the message below can be ours.
    parser = MultiPartParser(
        request.headers, _limited(request, limit), max_files=max_images + 1, max_fields=0
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise invalid("body", f"must be multipart with files called 'image': {error.message}") from None
    images: list[ImageInput] = []
    try:
        for name, part in form.multi_items():
            if name != "image" or not isinstance(part, UploadFile):
                raise invalid(name[:64], "is not known here; the parts are files called 'image'")
            images.append(ImageInput(data=await part.read(), name=f"image[{len(images)}]"))
    finally:
        await form.close()
    if not 1 <= len(images) <= max_images:
        raise invalid("image", f"must be in 1..{max_images} parts, got {len(images)}")
    return tuple(images)


def _from_base64(text: str, name: str) -> ImageInput:
    try:
        return ImageInput(data=base64.b64decode(text, validate=True), name=name)
    except (binascii.Error, ValueError) as error:
        raise invalid(name, f"must be base64: {error}") from None


def _validate(kind: type[_Body], content: object) -> _Body:
    if not isinstance(content, dict):
        raise invalid("body", f"must be a JSON object, got {_KINDS.get(type(content), 'something else')}")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise describe(error.errors(include_url=False), sorted(kind.model_fields)) from None


_KINDS = {
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_json(kind: str) -> bool:
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _unsupported(kind: str, *served: str) -> PentimentoError:
    got = repr(kind[:100]) if kind else "none"
    message = f"Content-Type must be {' or '.join(served)}, got {got}"
    return PentimentoError(Code.UNSUPPORTED_MEDIA_TYPE, message, field="Content-Type")


def _too_large(size: str, limit: int) -> PentimentoError:
    return PentimentoError(
        Code.PAYLOAD_TOO_LARGE, f"body may have at most {limit} bytes, got {size}", field="body"
    )
