"""Hypothesis strategies for gRPC requests, made from the proto itself, so that a new field is tried too."""

__all__ = ["STREAMS", "RPCS", "broken", "requests"]

from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from pentimento.service.grpc.pb import canvas_service_pb2 as pb

_SERVICE = pb.DESCRIPTOR.services_by_name["CanvasService"]

RPCS = {method.name: method.input_type for method in _SERVICE.methods}
STREAMS = {method.name for method in _SERVICE.methods if method.server_streaming}


def _mostly(good: st.SearchStrategy[Any], *bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly good values, so that a message of ten fields often gets past the first check."""
    return st.sampled_from([True] * 9 + [False]).flatmap(lambda luck: good if luck else st.one_of(*bad))


_NUMBERS = _mostly(
    st.integers(1, 4), st.sampled_from([0, -1, 64, 65, 1000, 1 << 20, -(1 << 31), (1 << 31) - 1])
)
_LONG_NUMBERS = _mostly(_NUMBERS, st.sampled_from([-(1 << 63), (1 << 63) - 1, 1 << 40, 1 << 60]))
_FLOATS = _mostly(
    st.floats(-3, 3, width=32), st.sampled_from([float("nan"), float("inf"), -float("inf"), 3.4e38, 1e-45])
)
_NAMES = st.sampled_from(["latent", "z", "u", "paper", "", "nobody", "nul\0", "../..", "ü" * 300, "%s%n"])

_NEEDED = {"model", "image", "images", "mask", "drawing", "name"}  # a message without one is seldom any good

_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_INT32: _NUMBERS,
    FieldDescriptor.TYPE_INT64: _LONG_NUMBERS,
    FieldDescriptor.TYPE_ENUM: _mostly(st.integers(0, 1), st.sampled_from([2, 3, 4, 99, -1, (1 << 31) - 1])),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_FLOAT: _FLOATS,
    FieldDescriptor.TYPE_DOUBLE: _FLOATS,
    FieldDescriptor.TYPE_STRING: _NAMES,
}


def requests(rpc: str, *, models: list[str], pictures: list[bytes]) -> st.SearchStrategy[Any]:
    """Messages of an RPC's request type; names of models and pictures are often good ones."""
    models_or_worse = _mostly(st.sampled_from(models), _NAMES)
    blobs = _mostly(st.sampled_from(pictures), st.binary(max_size=200))
    return _messages(RPCS[rpc], models_or_worse, blobs)


def broken(data: bytes) -> st.SearchStrategy[bytes]:
    """Damages the bytes of a message: cut short, with bytes changed, or with more behind them."""
    places = st.integers(0, max(0, len(data) - 1))
    return st.one_of(
        places.map(lambda at: data[:at]),
        st.tuples(places, st.binary(min_size=1, max_size=4)).map(
            lambda change: data[: change[0]] + change[1] + data[change[0] + len(change[1]) :]
        ),
        st.binary(max_size=64).map(lambda more: data + more),
        st.binary(max_size=200),
    )


def _messages(
    kind: Descriptor, models: st.SearchStrategy[str], blobs: st.SearchStrategy[bytes]
) -> st.SearchStrategy[Any]:
    fields = {field.name: _values(field, models, blobs) for field in kind.fields}
    make = message_factory.GetMessageClass(kind)
    others = sorted(set(fields) - _NEEDED)
    chosen = st.lists(st.sampled_from(others), unique=True, max_size=5) if others else st.just([])
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries(
            {name: values for name, values in fields.items() if name in _NEEDED or name in names}
        )
    ).map(lambda values: make(**values))


def _values(
    field: FieldDescriptor, models: st.SearchStrategy[str], blobs: st.SearchStrategy[bytes]
) -> st.SearchStrategy[Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        keys, values = (_one(kind.fields_by_name[part], models, blobs) for part in ("key", "value"))
        return st.dictionaries(keys, values, max_size=2)
    one = _one(field, models, blobs)
    return st.lists(one, min_size=1, max_size=4) if field.is_repeated else one


def _one(
    field: FieldDescriptor, models: st.SearchStrategy[str], blobs: st.SearchStrategy[bytes]
) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return _messages(field.message_type, models, blobs)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return blobs
    if field.name in ("model", "score_by") or (field.containing_type.name == "GetModelRequest"):
        return models
    return _SCALARS[field.type]
