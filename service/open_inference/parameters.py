"""Parameters of a request for inference: which there are, and what each must be."""

__all__ = ["read_parameters"]

import math
from collections.abc import Mapping
from typing import Any

from pentimento.service.errors import invalid, named, quoted
from pentimento.service.open_inference.names import Target
from pentimento.service.open_inference.signatures import Parameter, Signature
from pentimento.service.open_inference.tensors import NO_SHARED_MEMORY

# What clients of the protocol may send along with any request, and what becomes of it.
_NO_EFFECT = frozenset({"priority", "triton_enable_empty_final_response"})
_IMPOSSIBLE = {
    **dict.fromkeys(
        ("sequence_id", "sequence_start", "sequence_end"),
        "cannot be given: requests are independent of each other here",
    ),
    **dict.fromkeys(
        ("headers", "classification"),
        "cannot be given: it means nothing here",
    ),
}
_WORDS: dict[Parameter, str] = {
    "whole": "a whole number",
    "number": "a number",
    "truth": "true or false",
    "text": "a text",
    "label": "the number or the name of a class",
}
_TYPES: dict[Parameter, tuple[type, ...]] = {
    "whole": (int,),
    "number": (int, float),
    "truth": (bool,),
    "text": (str,),
    "label": (int, str),
}


def read_parameters(given: Mapping[str, object], signature: Signature, target: Target) -> dict[str, Any]:
    """Reads the parameters of a request, by the names that our own requests have for them.

    Args:
        given: As they came.
        signature: Of the model.
        target: The model.

    Raises:
        PentimentoError: INVALID_ARGUMENT: one is unknown, of another type, or cannot be given here.
    """
    read: dict[str, Any] = {}
    for name, why in _IMPOSSIBLE.items():  # whose order is the same each time, unlike that of a message's map
        if name in given:
            raise invalid(name, why)
    for name, value in given.items():
        if name in _NO_EFFECT:
            continue
        if name.startswith("shared_memory"):
            raise invalid(name, NO_SHARED_MEMORY)
        if name == "timeout":
            _take_timeout(read, value)
            continue
        kind = signature.parameters.get(name)
        if kind is None:
            takes = ", ".join(signature.parameters)
            message = f"is no parameter of model {target.name!r}; it takes: {takes}"
            raise invalid(f"parameters.{named(name)}", message)
        if name in read:
            raise invalid(name, "is given twice: as timeout, in microseconds, and as timeout_ms")
        read[name] = _parameter(name, value, kind)
    return read


def _take_timeout(read: dict[str, Any], value: object) -> None:
    """Microseconds, as clients of the protocol count; 0 is theirs for none."""
    us = _parameter("timeout", value, "whole")
    if us < 0:
        raise invalid("timeout", f"must be 0 or more microseconds, got {us}")
    if us:
        if "timeout_ms" in read:
            raise invalid("timeout_ms", "is given twice: as timeout, in microseconds, and as timeout_ms")
        read["timeout_ms"] = math.ceil(us / 1000)


def _parameter(name: str, value: object, kind: Parameter) -> Any:  # noqa: ANN401  # of one of several types
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "truth"):
        shown = quoted(value) if isinstance(value, str) else _brief(value)
        raise invalid(name, f"must be {_WORDS[kind]}, got {shown}")
    if name == "fit" and value not in ("exact", "resize"):
        raise invalid(name, f"must be 'exact' or 'resize', got {quoted(str(value))}")
    return value


def _brief(value: object) -> str:
    if isinstance(value, bool | float | None) or (isinstance(value, int) and abs(value) < 10**20):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return "a longer one" if isinstance(value, int) else f"a {type(value).__name__}"
