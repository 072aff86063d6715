"""Names of JSON objects: how many there are after parsing, and which one the text had twice."""

__all__ = ["count_names", "repeated_name"]

import re

from pydantic_core import from_json

# A string, with the colon behind it if it is a name; or the beginning or end of an object or array.
_TOKEN = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")[ \t\r\n]*+(:?)|[][{}]')

_NESTED = (dict, list)  # `dict | list` would be put together anew for each of a million numbers


def count_names(content: object) -> int:
    """The number of names in all objects of parsed JSON."""
    count, rest = 0, [content]
    while rest:
        item = rest.pop()
        if isinstance(item, dict):
            count += len(item)
            rest += item.values()
        elif isinstance(item, list):
            rest += [each for each in item if isinstance(each, _NESTED)]
    return count


def repeated_name(data: bytes) -> str:
    """The first name that an object of valid JSON has twice, with those around it: `seeds.latent`.

    Step by step in Python, so that others go on meanwhile; it is only called where there is such a name.

    Raises:
        ValueError: There is none.
    """
    levels: list[tuple[set[str] | None, str]] = []  # the names so far, of an object; and the last of them
    for token in _TOKEN.finditer(data):
        text = token.group()
        if text == b"{":
            levels.append((set(), ""))
        elif text == b"[":
            levels.append((None, ""))
        elif text in (b"}", b"]"):
            levels.pop()
        elif token.group(2):
            name, names = str(from_json(token.group(1))), levels[-1][0]
            assert names is not None
            path = ".".join([*(last for _, last in levels[:-1] if last), name])
            if name in names:
                return path
            names.add(name)
            levels[-1] = (names, name)
    raise ValueError("no name is given twice")
