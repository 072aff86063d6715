"""Reads the multipart body of an edit: a picture, its mask, and fields."""

__all__ = ["read_edit"]

import re
from typing import Any

from starlette.requests import Request

from pentimento.service.errors import invalid, named
from pentimento.service.http.bodies import validate
from pentimento.service.http.incoming import media_type, unsupported
from pentimento.service.http.multipart import read_parts
from pentimento.service.http.openai.schemas import EditBody, refuse_impossible
from pentimento.service.messages import ImageInput
from pentimento.service.settings import Settings

_FILES = {"image": "image", "image[]": "image", "mask": "mask"}  # clients name the parts of a list with []
_MAX_FIELDS = 64
_MAX_FIELD_BYTES = 128 << 10  # the longest prompt, in four bytes a character
_CONTROL = re.compile(r"controls\[([^\[\]]{1,64})\]")
_TRUTH = {"true": True, "false": False}


async def read_edit(request: Request, limits: Settings) -> tuple[EditBody, ImageInput, ImageInput]:
    """Reads the body of an edit.

    Args:
        request: The request, its body unread.
        limits: Of bytes.

    Returns:
        The fields, the picture and its mask, which is the picture itself where none is given.

    Raises:
        PentimentoError: INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or OVERLOADED.
    """
    kind = media_type(request)
    if kind != "multipart/form-data":
        raise unsupported(kind, "multipart/form-data")
    parts = await read_parts(
        request,
        limits.max_body_bytes,
        "files called 'image' and 'mask', and fields",
        max_files=3,  # one more than are read, so that the message about it can be ours
        max_fields=_MAX_FIELDS,
        max_field_bytes=_MAX_FIELD_BYTES,
    )
    files: dict[str, ImageInput] = {}
    fields: dict[str, Any] = {}
    for name, content in parts:
        if isinstance(content, str):
            if name in _FILES:
                raise invalid(name, "must be a file: its part needs a filename")
            _take_field(fields, name, content)
        elif _FILES.get(name) is None:
            refuse_impossible({name: content})
            raise invalid(named(name), "is not known here; the files are called 'image' and 'mask'")
        elif (known := _FILES[name]) in files:
            more = ": a bundle completes one picture" if known == "image" else ""
            raise invalid(known, f"is given twice{more}")
        else:
            files[known] = ImageInput(data=content, name=known)
    refuse_impossible(fields)
    body = validate(EditBody, fields)
    if "image" not in files:
        raise invalid("image", "is needed, as a multipart file of that name")
    return body, files["image"], files.get("mask", files["image"])


def _take_field(fields: dict[str, Any], name: str, text: str) -> None:
    """Adds a field; of numbers and truth values its text has what JSON would have."""
    control = _CONTROL.fullmatch(name)
    into = fields.setdefault("controls", {}) if control is not None else fields
    key = name if control is None else control[1]
    if name == "controls":
        raise invalid(name, "must be a field for each, such as controls[guidance]")
    if name.startswith("svg["):  # clients write what is in an object so
        key = "svg"
    if key in into:
        raise invalid(named(name), "is given twice")
    if control is not None:
        into[key] = _number(name, text)
    else:
        into[key] = _TRUTH.get(text, text) if name == "stream" else text


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(name, f"must be a number, got {text[:60]!r}") from None
