"""Reads the bodies of the protocol: JSON, and behind it the bytes of tensors that are sent as such."""

__all__ = ["InferenceAsk", "read_infer", "read_object"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request

from pentimento.service.errors import invalid, named, quoted
from pentimento.service.http.incoming import is_json, media_type, read_whole, unsupported
from pentimento.service.http.json_input import read_json
from pentimento.service.open_inference.requests import Ask
from pentimento.service.open_inference.tensors import DATATYPES, NO_SHARED_MEMORY, Given
from pentimento.service.settings import Settings

LENGTH = "inference-header-content-length"
"""Header that says how many bytes of a body are JSON; without it, all are."""

_RAW = "application/octet-stream"
_FORM = "application/x-www-form-urlencoded"
_MAX_TENSORS = 64  # no model takes or gives as many; who errs is told the names
_MAX_PARAMETERS = 64
_MAX_ID = 256  # characters
_MAX_AXES = 8

_TOP = ("id", "model_name", "model_version", "parameters", "inputs", "outputs")
_INPUT = ("name", "shape", "datatype", "parameters", "data")
_OUTPUT = ("name", "parameters")


@dataclass(frozen=True, kw_only=True, slots=True)
class InferenceAsk:
    """A request for inference, and how its answer is to be written."""

    ask: Ask
    id: str
    model_name: str  # as the body names it, for a check; mostly empty
    model_version: str
    binary: bool  # whether outputs are bytes where they do not say
    binary_of: Mapping[str, bool]  # of outputs that do


async def read_infer(request: Request, limits: Settings) -> InferenceAsk:
    """Reads the body of a request for inference.

    Args:
        request: The request, its body unread.
        limits: Of bytes and depth.

    Raises:
        PentimentoError: INVALID_ARGUMENT, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or OVERLOADED.
    """
    _check_type(request)
    size = request.headers.get(LENGTH)
    body = memoryview(await read_whole(request, limits.max_body_bytes))
    length = len(body)
    if size is not None:
        length = int(size) if size.isdecimal() and len(size) < 19 else -1
        if not 1 <= length <= len(body):
            raise invalid("Inference-Header-Content-Length", f"must be 1..{len(body)}, got {quoted(size)}")
    make = partial(_infer, tail=body[length:])
    return await read_json(bytes(body[:length]), limits.max_json_depth, make)


async def read_object(request: Request, limits: Settings, known: Sequence[str]) -> dict[str, Any]:
    """Reads a small JSON object, or of no body an empty one; arguments and errors as for `read_infer`."""
    _check_type(request)
    data = await read_whole(request, limits.max_body_bytes)
    if not data:
        return {}
    return await read_json(data, limits.max_json_depth, partial(_object, "body", known=known))


def _check_type(request: Request) -> None:
    kind = media_type(request)
    # Clients of the protocol send JSON without a type, or with that of bytes; `curl -d` calls it a form.
    if kind not in ("", _RAW, _FORM) and not is_json(kind):
        raise unsupported(kind, "application/json", _RAW)


def _infer(content: object, tail: memoryview) -> InferenceAsk:
    body = _object("body", content, known=_TOP)
    inputs, at = [], 0
    for index, entry in enumerate(_list("inputs", body.get("inputs", []))):
        given, size = _input(f"inputs[{index}]", entry, tail[at:])
        at += size
        inputs.append(given)
    if at != len(tail):
        message = f"must have {at} bytes after its JSON, as binary_data_size says, got {len(tail)}"
        raise invalid("body", message)
    parameters = dict(_parameters("parameters", body))
    binary = _truth("binary_data_output", parameters.pop("binary_data_output", False))
    outputs, binary_of = _outputs(body)
    return InferenceAsk(
        ask=Ask(inputs=inputs, outputs=outputs, parameters=parameters),
        id=_text("id", body.get("id", ""), _MAX_ID),
        model_name=_text("model_name", body.get("model_name", ""), _MAX_ID),
        model_version=_text("model_version", body.get("model_version") or "", _MAX_ID),
        binary=binary,
        binary_of=binary_of,
    )


def _input(field: str, entry: object, tail: memoryview) -> tuple[Given, int]:
    """A tensor, and how many bytes of what follows are its own."""
    content = _object(field, entry, known=_INPUT)
    name = _text(f"{field}.name", content.get("name", ""), _MAX_ID)
    datatype = _text(f"{field}.datatype", content.get("datatype", ""), _MAX_ID)
    if datatype not in DATATYPES:
        message = f"must be a datatype of the protocol such as FP32, got {quoted(datatype)}"
        raise invalid(f"{field}.datatype", message)
    shape = _list(f"{field}.shape", content.get("shape"), _MAX_AXES)
    for each in shape:
        if isinstance(each, bool) or not isinstance(each, int) or not 0 <= each < 2**31:
            raise invalid(f"{field}.shape", f"must be whole numbers of 0..2^31 - 1, got {str(each)[:30]}")
    raw: memoryview | None = None
    for parameter, value in _parameters(f"{field}.parameters", content).items():
        if parameter.startswith("shared_memory"):
            raise invalid(f"{field}.parameters.{parameter}", NO_SHARED_MEMORY)
        if parameter != "binary_data_size":
            message = "is not known here; known is: binary_data_size"
            raise invalid(f"{field}.parameters.{named(parameter)}", message)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= len(tail):
            message = f"must be 0..{len(tail)}, the bytes that are left, got {str(value)[:30]}"
            raise invalid(f"{field}.parameters.binary_data_size", message)
        raw = tail[:value]
    if (raw is None) == ("data" not in content):
        both = "is given twice: in JSON and as bytes" if raw is not None else "is needed, or binary_data_size"
        raise invalid(f"{field}.data", both)
    given = Given(name=name, datatype=datatype, shape=tuple(shape), raw=raw, data=content.get("data"))
    return given, 0 if raw is None else len(raw)


def _outputs(body: dict[str, Any]) -> tuple[list[str] | None, dict[str, bool]]:
    if not body.get("outputs"):  # an empty list asks for what is usual, too
        return None, {}
    names, binary_of = [], {}
    for index, entry in enumerate(_list("outputs", body["outputs"])):
        field = f"outputs[{index}]"
        content = _object(field, entry, known=_OUTPUT)
        name = _text(f"{field}.name", content.get("name", ""), _MAX_ID)
        names.append(name)
        for parameter, value in _parameters(f"{field}.parameters", content).items():
            where = f"{field}.parameters.{named(parameter)}"
            if parameter.startswith("shared_memory"):
                raise invalid(where, NO_SHARED_MEMORY)
            if parameter == "classification":
                raise invalid(where, "cannot be given: outputs are pictures and numbers, and no classes")
            if parameter != "binary_data":
                raise invalid(where, "is not known here; known is: binary_data")
            binary_of[name] = _truth(where, value)
    return names, binary_of


def _object(field: str, content: object, *, known: Sequence[str]) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise invalid(field, "must be a JSON object")
    for name in content:
        if name not in known:
            where = named(name) if field == "body" else f"{field}.{named(name)}"
            raise invalid(where, f"is not known here; known are: {', '.join(known)}")
    return content


def _parameters(field: str, content: dict[str, Any]) -> dict[str, Any]:
    found = content.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict) or len(found) > _MAX_PARAMETERS:
        raise invalid(field, f"must be an object of at most {_MAX_PARAMETERS} entries")
    return found


def _list(field: str, content: object, most: int = _MAX_TENSORS) -> list[Any]:
    if not isinstance(content, list):
        raise invalid(field, "must be an array")
    if len(content) > most:
        raise invalid(field, f"may have at most {most} entries, got {len(content)}")
    return content


def _text(field: str, content: object, most: int) -> str:
    if not isinstance(content, str):
        raise invalid(field, "must be a text")
    if len(content) > most:
        raise invalid(field, f"may have at most {most} characters, got {len(content)}")
    return content


def _truth(field: str, content: object) -> bool:
    if not isinstance(content, bool):
        raise invalid(field, f"must be true or false, got {str(content)[:60]!r}")
    return content
