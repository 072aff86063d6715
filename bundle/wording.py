"""What pydantic finds wrong, in words of our own: the field, what it must be, and what was given."""

__all__ = ["PATTERNS", "first_fault", "wrong"]

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_MOST_SHOWN = 60  # characters of a value

PATTERNS = {
    r"^[a-z0-9][a-z0-9._-]{0,63}$": "1 to 64 lower-case letters, digits and ._-, first a letter or digit",
    r"^[0-9]+\.[0-9]+\.[0-9]+$": "three numbers with dots between, such as 1.0.0",
    r"^[a-z][a-z0-9_]{0,31}$": "1 to 32 lower-case letters, digits and _, first a letter",
    r"^[a-z][a-z0-9_]{0,31}(\.[a-z][a-z0-9_]{0,31})?$": "a name such as z, or two such as state.h: "
    "lower-case letters, digits and _, at most 32 each, first a letter",
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\.onnx$": "a file name that ends in .onnx: letters, digits and _.-, "
    "without a folder",
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\.bin$": "a file name that ends in .bin: letters, digits and _.-, "
    "without a folder",
    r"^[0-9a-f]{64}$": "64 hexadecimal digits, in lower case",
}
"""The patterns of a manifest in words: who meets one has typed a name, and no regular expression."""

_MUST: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than_equal": lambda limit: f"must be at least {limit['ge']}",
    "greater_than": lambda limit: f"must be more than {limit['gt']}",
    "less_than_equal": lambda limit: f"must be at most {limit['le']}",
    "less_than": lambda limit: f"must be less than {limit['lt']}",
    "finite_number": lambda _: "must be a finite number",
    "string_pattern_mismatch": lambda limit: (
        f"must be {PATTERNS[limit['pattern']]}"
        if limit["pattern"] in PATTERNS
        else f"must match {limit['pattern']}"
    ),
    "literal_error": lambda limit: f"must be {limit['expected']}",
}
_MUST_BE = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "path": "a path",
    "tuple": "a list",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
    "model_attributes": "an object",
}


def first_fault(error: ValidationError, content: object) -> tuple[str, str]:
    """The first thing that is wrong in a document.

    Args:
        error: What pydantic found.
        content: What it was given.

    Returns:
        The field, such as `drawing.phases[0].calls`, empty for the whole; and what follows it in a sentence.
    """
    errors = error.errors(include_url=False)
    field = _field(errors[0], content)
    # A field that may be of several types has a fault for each.
    same = list(dict.fromkeys(wrong(each) for each in errors if _field(each, content) == field))
    if len(same) > 1:
        first, *others = (each.rpartition(", got ") for each in same)
        return field, " or ".join([first[0], *(o[0].removeprefix("must be ") for o in others)]) + "".join(
            first[1:]
        )
    return field, same[0]


def _field(error: ErrorDetails, content: object) -> str:
    """Where an error is; without the names that pydantic gives to types and keys on the way."""
    path = ""
    for part in error["loc"]:
        if isinstance(content, list) and isinstance(part, int):
            path += f"[{part}]"
            content = content[part] if part < len(content) else None
        elif isinstance(content, dict) and (part in content or error["type"] == "missing"):
            path += f".{part}"
            content = content.get(part)
    return path.removeprefix(".")


def wrong(error: ErrorDetails) -> str:
    """What follows the field's name in a sentence.

    Args:
        error: One of `ValidationError.errors()`.

    Returns:
        Such as `must be at most 1024, got 4000`, `is missing`, or what a validator of ours says.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not known here"
    if kind == "value_error":  # our own sentence, which says what was given where it helps
        return str(context.get("error", error["msg"]))
    if kind in ("too_long", "too_short"):
        side = "at most" if kind == "too_long" else "at least"
        limit = context["max_length" if kind == "too_long" else "min_length"]
        return f"must have {side} {_entries(limit)}, got {context['actual_length']}"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters, got {len(str(error['input']))}"
    must = _MUST[kind](context) if kind in _MUST else None
    if must is None:
        what = next((text for name, text in _MUST_BE.items() if kind.startswith(f"{name}_")), None)
        must = error["msg"].removeprefix("Input ") if what is None else f"must be {what}"
    return f"{must}, got {_shown(error.get('input'))}"


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {_entries(len(value))}"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a longer one"  # Python refuses to write out integers of thousands of digits
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."
