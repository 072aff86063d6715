"""The reference of the gRPC interface, from the comments of its .proto file."""

__all__ = ["reference"]

import tempfile
from pathlib import Path

from figures import table
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_tools import protoc
from schemas import sentence

PROTO = Path(__file__).parents[2] / "proto"
FILE = "pentimento/v1/canvas_service.proto"

Field = FieldDescriptorProto
Place = tuple[int, ...]

# Numbers of fields within descriptor.proto, of which the places of comments are made.
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6
_FIELD = _VALUE = _METHOD = 2


def reference() -> str:
    """The calls, the messages and the enumerations, each with its comment."""
    file = _parse()
    said = {
        tuple(place.path): sentence(place.leading_comments or place.trailing_comments)
        for place in file.source_code_info.location
    }
    parts = []
    for index, service in enumerate(file.service):
        parts.append(f"## {file.package}.{service.name}\n\n{said.get((_SERVICE, index), '')}")
        rows = [
            (
                f"`{method.name}`",
                _linked(method.input_type),
                ("a stream of " if method.server_streaming else "") + _linked(method.output_type),
                said.get((_SERVICE, index, _METHOD, number), ""),
            )
            for number, method in enumerate(service.method)
        ]
        parts.append(table(("call", "takes", "answers with", ""), rows, 99))
    parts.append("## Messages")
    parts += [_message(message, (_MESSAGE, index), said) for index, message in enumerate(file.message_type)]
    parts.append("## Enumerations")
    parts += [_enumeration(kind, (_ENUM, index), said) for index, kind in enumerate(file.enum_type)]
    return "\n\n".join(parts)


def _parse() -> FileDescriptorProto:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors"
        code = protoc.main(
            ["protoc", f"-I{PROTO}", "--include_source_info", f"--descriptor_set_out={out}", FILE]
        )
        if code:
            raise ValueError(f"protoc cannot read {FILE}: exit status {code}")
        return FileDescriptorSet.FromString(out.read_bytes()).file[0]


def _message(message: DescriptorProto, place: Place, said: dict[Place, str]) -> str:
    entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    rows = []
    for number, field in enumerate(message.field):
        words = said.get((*place, _FIELD, number), "")
        if field.HasField("oneof_index") and not field.proto3_optional:
            words += f" One of `{message.oneof_decl[field.oneof_index].name}`."
        rows.append((str(field.number), f"`{field.name}`", _type(field, entries), words))
    fields = table(("", "field", "type", ""), rows, 99) if rows else "It has no fields."
    return f"### {message.name}\n\n{said.get(place, '')}\n\n{fields}"


def _enumeration(kind: EnumDescriptorProto, place: Place, said: dict[Place, str]) -> str:
    rows = [
        (str(value.number), f"`{value.name}`", said.get((*place, _VALUE, number), ""))
        for number, value in enumerate(kind.value)
    ]
    return f"### {kind.name}\n\n{said.get(place, '')}\n\n{table(('', 'value', ''), rows, 99)}"


def _type(field: Field, entries: dict[str, DescriptorProto]) -> str:
    name = field.type_name.rsplit(".", 1)[-1]
    if name in entries:
        key, value = (_type(part, {}) for part in entries[name].field)
        return f"map of {key} to {value}"
    kind = _linked(field.type_name) if field.type_name else Field.Type.Name(field.type)[5:].lower()
    if field.label == Field.LABEL_REPEATED:
        return f"repeated {kind}"
    return f"optional {kind}" if field.proto3_optional else kind


def _linked(type_name: str) -> str:
    name = type_name.rsplit(".", 1)[-1]
    return f"[{name}](#{name.lower()})"
