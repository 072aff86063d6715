"""The path of a drawing's address: `/drawings/MODEL@VERSION/SEED.ENDING`, or without the version.

Versions are told from names by `@`, as packages are: no bundle's name has one, nobody has to write it
otherwise, and with name and version in one segment a link to `8.png` is the next seed of the same version.
The format is the ending, not `Accept`: whoever copies an address gets what was seen there, and a cache has
one answer for it.
"""

__all__ = ["DRAWINGS", "ENDINGS", "PicturePath", "read_path"]

import re
from typing import NamedTuple

from pentimento.bundle.manifest import VERSION
from pentimento.service.errors import Code, PentimentoError, invalid
from pentimento.service.http.negotiation import Answer

DRAWINGS = "/drawings/"
"""What the path of every address begins with."""

ENDINGS = {
    "png": Answer.PNG,
    "gif": Answer.GIF,
    "apng": Answer.APNG,
    "npy": Answer.NPY,
    "json": Answer.JSON,
    "sse": Answer.SSE,
}
"""The formats by ending."""

# One way to write a seed, so that a picture has one address: no sign, no zeros in front.
_SEED = re.compile(r"0|[1-9][0-9]{0,19}")


class PicturePath(NamedTuple):
    """What a path says."""

    model: str
    version: str | None
    seed: int
    answer: Answer


def read_path(bundle: str, picture: str) -> PicturePath:
    """Reads the two segments after `/drawings`.

    Args:
        bundle: As `gran5-mnist` or `gran5-mnist@1.0.0`.
        picture: As `7.png`.

    Raises:
        PentimentoError: INVALID_ARGUMENT: seed or version is none. NOT_FOUND: there is no such ending.
    """
    model, at, version = bundle.partition("@")
    if at and not re.fullmatch(VERSION, version):
        raise invalid("version", f"must be three numbers such as 1.0.0, got {version[:60]!r}")
    text, dot, ending = picture.rpartition(".")
    if not dot or ending not in ENDINGS:
        endings = ", ".join(f".{name}" for name in ENDINGS)
        message = f"an address of a drawing must end with one of {endings}, got {picture[:60]!r}"
        raise PentimentoError(Code.NOT_FOUND, message)
    if not _SEED.fullmatch(text):
        raise invalid("seed", f"must be a whole number such as 7, got {text[:60]!r}")
    return PicturePath(model, version if at else None, int(text), ENDINGS[ending])
