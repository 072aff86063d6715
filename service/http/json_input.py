"""Strict JSON parsing: no NaN or infinity, no name twice, no deep nesting, nothing that holds others up."""

__all__ = ["read_json"]

import codecs
from collections.abc import Callable
from typing import TypeVar

from pydantic_core import from_json

from pentimento.service.errors import PentimentoError, invalid, named
from pentimento.service.fair_threads import FairThreads
from pentimento.service.http.json_names import count_names, repeated_name

T = TypeVar("T")

_LARGE = 64 << 10  # bytes whose parsing takes more than about a millisecond
# Parsed numbers take ten times their text: one such body is there at a time, until its arrays are made. More
# threads would not be faster, as the parser keeps the interpreter to itself.
_threads = FairThreads(1, "json")
# The parser keeps the interpreter to itself: eight megabytes of `[],` would hold everybody up for seconds,
# of `1,` for a quarter of one. This many take some ten milliseconds each, and no drawing needs as many.
_MAX_MARKS = 1 << 17
_MAX_COMMAS = 1 << 20
_MARKS = b'[{:"'
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


async def read_json(data: bytes, max_depth: int, use: Callable[[object], T]) -> T:
    """Parses JSON strictly, and makes of it what is kept; much in a thread, when its client has a turn.

    Args:
        data: The text in UTF-8; a byte order mark, which some editors and shells begin it with, is left out.
        max_depth: Arrays and objects that may lie in each other, at most 200: the parser takes no more.
        use: Makes something of the parsed text that is not much larger than the text.

    Raises:
        PentimentoError: INVALID_ARGUMENT, with the place of the first fault; or there is too much in it; or
            what `use` raises.
    """
    if len(data) <= _LARGE:
        return use(_parse(data, max_depth))
    made: T | PentimentoError = await _threads.run(_made, data, max_depth, use)
    if isinstance(made, PentimentoError):
        raise made
    return made


def _made(data: bytes, max_depth: int, use: Callable[[object], T]) -> T | PentimentoError:
    """What `use` makes or raises; an error without its traceback and origin, which hold what was parsed."""
    try:
        return use(_parse(data, max_depth))
    except PentimentoError as error:
        error.__context__ = None
        return error.with_traceback(None)


def _parse(data: bytes, max_depth: int) -> object:
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise invalid("body", "must be JSON in UTF-8, got the byte order mark of UTF-16")
    marks = sum(data.count(mark) for mark in _MARKS)
    if marks > _MAX_MARKS:
        raise invalid("body", f"may have at most {_MAX_MARKS} brackets, quotes and colons, got {marks}")
    if (commas := data.count(b",")) > _MAX_COMMAS:
        raise invalid("body", f"may have at most {_MAX_COMMAS} commas, got {commas}; gRPC takes more numbers")
    try:
        # pydantic's parser bounds the nesting (200), which Python's leaves to the interpreter's stack.
        content: object = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        reason = str(error)
    else:
        if _is_deeper(data, max_depth):
            raise _too_deep(max_depth)
        # The parser takes the last value of a name that comes twice, and says nothing.
        if _without_strings(data).count(b":") > count_names(content):
            name = repeated_name(data)
            raise invalid(named(name), "is given twice in the body")
        return content
    if "recursion limit" in reason:
        raise _too_deep(max_depth)
    if any(word in data for word in (b"NaN", b"Infinity")):
        reason += "; NaN and Infinity are not JSON"
    raise invalid("body", f"must be JSON: {reason}")


def _is_deeper(data: bytes, max_depth: int) -> bool:
    """Whether arrays and objects of valid JSON are nested deeper than that."""
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return False
    brackets = _without_strings(data).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(max_depth):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")  # the innermost of each branch: one level
    return bool(brackets)


def _without_strings(data: bytes) -> bytes:
    """Valid JSON without its strings. A regular expression would take twenty times as long on a picture."""
    if b"\\" in data:
        data = data.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"".join(data.split(b'"')[::2])


def _too_deep(max_depth: int) -> Exception:
    return invalid("body", f"may be nested at most {max_depth} deep")
