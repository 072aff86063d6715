"""Entity tags of drawings: names of their bytes, known before anything is drawn.

RFC 9110, section 8.8.3 (the tags) and section 13.1.2 (`If-None-Match`).
"""

__all__ = ["Tags", "is_known"]

import hashlib
import re
from collections.abc import Sequence
from importlib import metadata

from pentimento.service.engine.calibration import processor
from pentimento.service.errors import invalid
from pentimento.service.http.answers import Wanted
from pentimento.service.http.negotiation import Answer
from pentimento.service.operations.checked import Generation

# What writes the bytes, besides the bundle: another release of one of them may write others.
_PACKAGES = ("pentimento-canvases", "onnxruntime", "onnxruntime-gpu", "numpy", "pillow", "zlib-ng")
_PICTURES = (Answer.PNG, Answer.GIF, Answer.APNG)

_CHARACTERS = 32  # of a tag: 128 bits

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_GAP = re.compile(r"[ \t,]*")  # a list may have empty members


class Tags:
    """Makes the tags of what one server draws.

    Args:
        exact: Whether a drawing has the same bytes each time. On a GPU it has not, so its tags are weak ones.
    """

    def __init__(self, *, exact: bool) -> None:
        self._form = '"{}"' if exact else 'W/"{}"'
        # Kernels are chosen by the processor, and may differ in the last bit.
        self._maker = (processor(), *((name, _version(name)) for name in _PACKAGES))

    def name(self, generation: Generation, wanted: Wanted) -> str:
        """What differs wherever the bytes may: 32 hexadecimal digits."""
        shown = (wanted.scale, wanted.boxes) if wanted.answer in _PICTURES else None
        parts = (self._maker, generation.identity, wanted.answer.value, shown)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:_CHARACTERS]

    def etag(self, name: str) -> str:
        """The header's value: strong where the bytes are the same each time."""
        return self._form.format(name)


def is_known(given: Sequence[str], etag: str) -> bool:
    """Whether a client has an answer already; tags are compared weakly, as is said for `If-None-Match`.

    Args:
        given: The values of all `If-None-Match` headers: `*`, or tags with commas between them.
        etag: Of the answer.

    Raises:
        PentimentoError: INVALID_ARGUMENT: they are something else.
    """
    text = ", ".join(given)
    if not given:
        return False
    if text.strip(" \t") == "*":
        return True
    wanted, known = _opaque(etag), False
    at = _end(_GAP, text, 0)
    while at < len(text):  # once through the text, whatever it has: no search goes back
        match = _TAG.match(text, at)
        next_at = at if match is None else _end(_GAP, text, match.end())
        separated = match is not None and (next_at == len(text) or "," in text[match.end() : next_at])
        if match is None or not separated:
            raise _no_tags(text)
        known = known or match[1] == wanted
        at = next_at
    if not _TAG.search(text):
        raise _no_tags(text)
    return known


def _opaque(etag: str) -> str:
    return etag.removeprefix("W/")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()


def _no_tags(text: str) -> Exception:
    return invalid("If-None-Match", f'must be * or entity tags such as "5f2c", got {text[:60]!r}')


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # another runtime, or a checkout
        return None
