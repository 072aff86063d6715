"""Counts the entries of a request's lists in its bytes, before anything is made of them.

An empty picture takes two bytes on the wire: 3,000,000 of them in 6 MB took the parser 0.2 s, and what came
after it three more. Here fields are counted one by one, and only so far.
"""

__all__ = ["Counts"]

from collections import Counter
from collections.abc import Iterator

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from pentimento.service.errors import Code, PentimentoError, invalid
from pentimento.service.settings import Settings

_SMALL_BYTES = 4096  # have at most half as many entries, which are parsed as fast as they are counted
_MOST_FIELDS = 8192  # of all kinds together; twice the most images that a server can be set to take
_BEYOND = 1000  # a list's limit, up to which it is counted to say how many there are
_MOST_NAMES = (
    64  # of latents, seeds or controls: no bundle has more than 8, but whoever errs is told the names
)
_MOST_AXES = 8
_TENSORS = ("inputs", "outputs", "raw_input_contents", "parameters")
_MOST_CONTENTS = 1 << 17  # numbers that a tensor may have one by one, which are slow to read
_CONTENTS = tuple(f"{kind}_contents" for kind in ("bool", "int", "int64", "uint", "uint64", "fp32", "fp64"))

_VARINTS = (
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
    FieldDescriptor.CPPTYPE_BOOL,
)
_VARINT, _EIGHT_BYTES, _BYTES, _GROUP, _END_GROUP, _FOUR_BYTES = range(6)  # how a field is written


class Counts:
    """How many entries each list of a request may have.

    Args:
        settings: Of the server.
    """

    def __init__(self, settings: Settings) -> None:
        self._most: dict[str, tuple[int, str]] = {
            "images": (settings.max_images, "entries"),
            "labels": (settings.max_images, "entries"),
            "label_names": (settings.max_images, "entries"),
            "latents": (_MOST_NAMES, "entries"),
            "seeds": (_MOST_NAMES, "entries"),
            "controls": (_MOST_NAMES, "entries"),
            "shape": (_MOST_AXES, "axes"),
            "values": (settings.max_body_bytes // 4, "numbers"),
            # Of the Open Inference Protocol.
            **dict.fromkeys(
                ("inputs", "outputs", "raw_input_contents", "parameters"), (_MOST_NAMES, "entries")
            ),
            **dict.fromkeys(_CONTENTS, (_MOST_CONTENTS, "numbers; raw_input_contents may have more")),
            "bytes_contents": (settings.max_images, "entries"),
        }

    def check(self, data: bytes, kind: Descriptor) -> None:
        """Refuses a request with more entries in a list, or more fields in all, than it may have.

        What cannot be read as a message is for the parser to refuse.

        Args:
            data: The request.
            kind: Its type.

        Raises:
            PentimentoError: INVALID_ARGUMENT.
        """
        if len(data) > _SMALL_BYTES:
            _Walk(data, self._most).message(kind, 0, len(data))

    def without_limit(self, kind: Descriptor) -> list[str]:
        """Full names of the lists in a type of request that have no limit here; there must be none."""
        names = []
        for field in kind.fields:
            if field.is_repeated and field.name not in self._most:
                names.append(field.full_name)
            if field.message_type is not None and not _is_map(field):
                names += self.without_limit(field.message_type)
        return names


class _Walk:
    """One pass over the fields of a message, into messages within it."""

    def __init__(self, data: bytes, most: dict[str, tuple[int, str]]) -> None:
        self._data, self._most = data, most
        self._fields = 0

    def message(self, kind: Descriptor, start: int, end: int, path: str = "") -> None:
        """Goes over one message.

        Args:
            kind: Its type.
            start: Where it begins,
            end: and ends.
            path: Of the list that it is in, for errors, and a point.
        """
        counts: Counter[tuple[str, str]] = Counter()
        try:
            self._part(kind, start, end, path, "", counts)
        except IndexError:  # it ends within a number
            return
        for (_, name), count in counts.items():
            self._check(name, count, path)

    def _part(
        self,
        kind: Descriptor,
        start: int,
        end: int,
        path: str,
        scope: str,
        counts: "Counter[tuple[str, str]]",
    ) -> None:
        """Counts a message, or one within it, which is one in however many parts it comes: hence `scope`."""
        for number, wire, first, last in self._read(start, end):
            field = kind.fields_by_number.get(number)
            if field is None:
                continue
            if field.is_repeated:
                entries, key = self._entries(field, wire, first, last), (scope, field.name)
                counts[key] += entries
                if entries == 1 and counts[key] >= self._most[field.name][0] + _BEYOND:
                    self._check(field.name, counts[key], path, "at least ")
            if field.message_type is None or wire != _BYTES or _is_map(field):
                continue
            if field.is_repeated:
                self.message(field.message_type, first, last, f"{path}{field.name}.")
            else:
                self._part(field.message_type, first, last, path, f"{scope}{field.name}.", counts)

    def _read(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Each field outside a group: its number, how it is written, and where its contents begin and end."""
        groups = 0
        while at < end:
            self._fields += 1
            if self._fields > _MOST_FIELDS:
                message = (
                    f"the request must have at most {_MOST_FIELDS} fields, got more; numbers can be packed"
                )
                raise PentimentoError(Code.INVALID_ARGUMENT, message)
            tag, at = self._number(at)
            wire = tag & 7
            first = at
            if wire == _VARINT:
                _, at = self._number(at)
            elif wire == _EIGHT_BYTES:
                at += 8
            elif wire == _FOUR_BYTES:
                at += 4
            elif wire == _BYTES:
                size, first = self._number(at)
                at = first + size
            elif wire in (_GROUP, _END_GROUP):
                groups += 1 if wire == _GROUP else -1
                continue
            else:
                return
            if at > end:
                return
            if groups <= 0:
                yield tag >> 3, wire, first, at

    def _number(self, at: int) -> tuple[int, int]:
        """A number as it is written, 7 bits a byte, and where it ends."""
        value = shift = 0
        while True:
            byte = self._data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128 or shift > 63:
                return value, at
            shift += 7

    def _entries(self, field: FieldDescriptor, wire: int, first: int, last: int) -> int:
        """Entries that one field adds to a list: numbers may come packed, many in one."""
        size = last - first
        if wire != _BYTES or field.message_type is not None:
            return 1
        if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT:
            return size // 4
        if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
            return size // 8
        if field.cpp_type in _VARINTS:
            return int(np.count_nonzero(np.frombuffer(self._data, np.uint8, size, first) < 128))
        return 1

    def _check(self, name: str, count: int, path: str, about: str = "") -> None:
        most, noun = self._most[name]
        if count > most:
            raise invalid(path + name, f"must have at most {most} {noun}, got {about}{count}")


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)
