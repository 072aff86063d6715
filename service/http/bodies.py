"""Reads request bodies: within size limits, strict JSON, pictures raw, as multipart files or as base64."""

__all__ = [
    "merge",
    "read_generate_body",
    "read_images",
    "read_judged_images",
    "read_named_pictures",
    "validate",
]

import base64
import binascii
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from pentimento.service.errors import entry, invalid, named
from pentimento.service.http.incoming import is_json, media_type, read_whole, unsupported
from pentimento.service.http.json_input import read_json
from pentimento.service.http.multipart import read_files
from pentimento.service.http.problems import describe
from pentimento.service.http.reading_schemas import ScoreBodyIn, ScoreImagesBody
from pentimento.service.http.schemas import GenerateBody, GenerateQuery, InputBody
from pentimento.service.messages import GenerateRequest, ImageInput
from pentimento.service.operations.numbers import read_numbers
from pentimento.service.settings import Settings

_Body = TypeVar("_Body", bound=BaseModel)
_Images = TypeVar("_Images", bound=ScoreImagesBody)

_PICTURES = ("image/png", "image/jpeg", "application/octet-stream")
_MAX_ENTRIES = 4096  # of a list or object in a body, latents apart: the most images that can be set
_MAX_LATENTS = 64  # names: no bundle has more than 8, but whoever errs is told the names


_NO_BODY = GenerateBody()


async def read_generate_body(request: Request, limits: Settings) -> GenerateBody:
    """Reads the JSON body of a drawing request; no body at all counts as an empty one.

    Args:
        request: The request, its body unread.
        limits: Of bytes and depth.

    Raises:
        PentimentoError: INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or OVERLOADED.
    """
    # Most drawings are asked for by the query alone, and HTTP says beforehand whether a body comes.
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return _NO_BODY
    data = await read_whole(request, limits.max_body_bytes)
    if not data:
        return _NO_BODY
    kind = media_type(request)
    if not is_json(kind):
        raise unsupported(kind, "application/json")
    return await _read_body(GenerateBody, data, limits)


async def read_images(request: Request, limits: Settings) -> tuple[ImageInput, ...]:
    """Reads the pictures of a body: one raw PNG or JPEG, multipart parts called `image`, or JSON with base64.

    Args:
        request: The request, its body unread.
        limits: Of bytes, depth and pictures.

    Raises:
        PentimentoError: INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or OVERLOADED.
    """
    images, _ = await _read_images(request, limits, ScoreImagesBody)
    return images


async def read_judged_images(
    request: Request, limits: Settings
) -> tuple[tuple[ImageInput, ...], dict[str, Any]]:
    """Reads pictures as `read_images` does, and the latents that JSON may have with them, by name.

    Raises:
        PentimentoError: As `read_images`.
    """
    images, body = await _read_images(request, limits, ScoreBodyIn)
    return images, {} if body is None else body.latents


async def _read_images(
    request: Request, limits: Settings, body_type: type[_Images]
) -> tuple[tuple[ImageInput, ...], _Images | None]:
    kind, limit, max_images = media_type(request), limits.max_body_bytes, limits.max_images
    if kind in _PICTURES:
        return (ImageInput(data=await read_whole(request, limit)),), None
    if kind == "multipart/form-data":
        return await _read_parts(request, limit, max_images), None
    if is_json(kind):
        body = await _read_body(body_type, await read_whole(request, limit), limits)
        if len(body.images) > max_images:
            raise invalid("images", f"must be 1..{max_images}, got {len(body.images)}")
        return tuple(_from_base64(text, f"images[{i}]") for i, text in enumerate(body.images)), body
    raise unsupported(kind, *_PICTURES, "multipart/form-data", "application/json")


async def read_named_pictures(
    request: Request, limits: Settings, body_type: type[InputBody]
) -> dict[str, ImageInput]:
    """Reads one picture for each field of a body type: multipart files, JSON, or raw if there is one field.

    Args:
        request: The request, its body unread.
        limits: Of bytes and depth.
        body_type: The JSON body; its fields are the names of the pictures.

    Returns:
        The pictures by name, still encoded.

    Raises:
        PentimentoError: INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or OVERLOADED.
    """
    kind, limit = media_type(request), limits.max_body_bytes
    names = list(body_type.model_fields)
    if kind in _PICTURES and len(names) == 1:
        return {names[0]: ImageInput(data=await read_whole(request, limit), name=names[0])}
    if kind == "multipart/form-data":
        found: dict[str, ImageInput] = {}
        for name, data in await read_files(request, limit, names, len(names)):
            if name in found:
                raise invalid(name, "is given twice")
            found[name] = ImageInput(data=data, name=name)
        for name in names:
            if name not in found:
                raise invalid(name, "is needed, as a multipart file of that name")
        return found
    if is_json(kind):
        body = await _read_body(body_type, await read_whole(request, limit), limits)
        return {name: _from_base64(getattr(body, name), name) for name in names}
    raw = _PICTURES if len(names) == 1 else ()
    raise unsupported(kind, *raw, "multipart/form-data", "application/json")


def merge(query: GenerateQuery, controls: Mapping[str, float], body: GenerateBody) -> GenerateRequest:
    """Makes one request out of query and body.

    Raises:
        PentimentoError: INVALID_ARGUMENT: the two give different values for a field.
    """
    values: dict[str, Any] = {}
    for name in ("model", "n", "steps", "seed", "label", "score", "score_by", "boxes", "timeout_ms"):
        asked, also = getattr(query, name), getattr(body, name)
        if asked is not None and also is not None and asked != also:
            raise invalid(name, f"is given twice: {asked!r} in the query and {also!r} in the body")
        value = also if asked is None else asked
        if value is not None:
            values[name] = value
    for name, asked in controls.items():
        also = body.controls.get(name)
        if also is not None and also != asked:
            raise invalid(name, f"is given twice: {asked:g} in the query and {also:g} in the body")
    return GenerateRequest(
        **values,
        labels=body.labels,
        latents=body.latents,
        seeds=body.seeds,
        controls={**body.controls, **controls},
    )


async def _read_parts(request: Request, limit: int, max_images: int) -> tuple[ImageInput, ...]:
    files = await read_files(request, limit, ["image"], max_images)
    if not 1 <= len(files) <= max_images:
        raise invalid("image", f"must be in 1..{max_images} parts, got {len(files)}")
    return tuple(ImageInput(data=data, name=f"image[{i}]") for i, (_, data) in enumerate(files))


def _from_base64(text: str, name: str) -> ImageInput:
    try:
        return ImageInput(data=base64.b64decode(text, validate=True), name=name)
    except (binascii.Error, ValueError) as error:
        raise invalid(name, f"must be base64: {error}") from None


async def _read_body(kind: type[_Body], data: bytes, limits: Settings) -> _Body:
    return await read_json(data, limits.max_json_depth, partial(validate, kind))


def validate(kind: type[_Body], content: object) -> _Body:
    """Makes a body of parsed JSON; the numbers of its latents become arrays.

    Raises:
        PentimentoError: INVALID_ARGUMENT: it is no object, a list in it is too long, or a field is wrong.
    """
    if not isinstance(content, dict):
        raise invalid("body", f"must be a JSON object, got {_KINDS.get(type(content), 'something else')}")
    # Before pydantic, which collects every error: a million wrong labels would be 1.4 GB and ten seconds.
    for name, value in (("body", content), *content.items()):
        if name != "latents" and isinstance(value, list | dict) and len(value) > _MAX_ENTRIES:
            raise invalid(named(name), f"may have at most {_MAX_ENTRIES} entries, got {len(value)}")
    latents = content.get("latents") if "latents" in kind.model_fields else None
    if isinstance(latents, dict):
        if len(latents) > _MAX_LATENTS:
            raise invalid("latents", f"may have at most {_MAX_LATENTS} entries, got {len(latents)}")
        content["latents"] = {
            name: read_numbers(values, None, entry("latents", name)) for name, values in latents.items()
        }
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
