"""Lists of requests are counted in their bytes: every list that the proto has."""

import numpy as np
import pytest

from pentimento.service.errors import Code, PentimentoError
from pentimento.service.grpc.counts import Counts
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.settings import Settings

COUNTS = Counts(Settings())
REQUESTS = [method.input_type for method in pb.DESCRIPTOR.services_by_name["CanvasService"].methods]
MANY = 200_000


def number(value):
    """A whole number as protobuf writes it."""
    written = b""
    while value > 127:
        written, value = written + bytes([value % 128 + 128]), value // 128
    return written + bytes([value])


def field(number_, data):
    """A field with bytes in it."""
    return number(number_ << 3 | 2) + number(len(data)) + data


def lists(kind, outer=(), path=""):
    """Every list in a type of request: its name in errors, its field, and the numbers of fields around it."""
    for each in kind.fields:
        if each.is_repeated:
            yield f"{path}{each.name}", each, outer
        inner = each.message_type
        if inner is not None and not inner.GetOptions().map_entry:
            deeper = f"{path}{each.name}." if each.is_repeated else path
            yield from lists(inner, (*outer, each.number), deeper)


LISTS = [(kind, *found) for kind in REQUESTS for found in lists(kind)]


def refusal(data, kind):
    with pytest.raises(PentimentoError) as caught:
        COUNTS.check(data, kind)
    assert caught.value.code is Code.INVALID_ARGUMENT
    return caught.value


def test_every_list_has_a_limit():
    assert {listed.name for _, _, listed, _ in LISTS} >= {"images", "labels", "latents", "seeds", "controls"}
    assert [name for kind in REQUESTS for name in COUNTS.without_limit(kind)] == []


@pytest.mark.parametrize(
    ("kind", "name", "listed", "outer"), LISTS, ids=lambda value: getattr(value, "name", None)
)
def test_a_list_with_too_many_entries_is_refused_by_name_and_not_read_to_its_end(kind, name, listed, outer):
    """Each entry by itself, in the fewest bytes, as protobuf allows for numbers, too."""
    wire = {listed.TYPE_FLOAT: (5, b"\0" * 4), listed.TYPE_INT32: (0, b"\1"), listed.TYPE_INT64: (0, b"\1")}
    how, entry = wire.get(listed.type, (2, b"\0"))
    data = (number(listed.number << 3 | how) + entry) * MANY
    for each in reversed(outer):
        data = field(each, data)
    error = refusal(data, kind)
    if listed.name == "values":  # may be long where they are packed
        assert "at most 8192 fields" in error.message and "packed" in error.message
    else:
        assert error.field == name
        assert f"{name} must have at most " in error.message and "got at least 1" in error.message


def test_numbers_that_are_packed_are_counted():
    data = pb.GenerateRequest(drawing=pb.DrawingSpec(labels=range(MANY))).SerializeToString()
    error = refusal(data, pb.GenerateRequest.DESCRIPTOR)
    assert error.message == f"labels must have at most 64 entries, got {MANY}"
    latents = [pb.Tensor(name="z", shape=[1] * 5000)]
    data = pb.GenerateRequest(drawing=pb.DrawingSpec(latents=latents)).SerializeToString()
    assert refusal(data, pb.GenerateRequest.DESCRIPTOR).message.endswith(
        "latents.shape must have at most 8 axes, got 5000"
    )


def test_a_list_in_many_parts_of_a_message_is_one():
    part = pb.GenerateRequest(drawing=pb.DrawingSpec(labels=[1])).SerializeToString()
    assert "got 1000" in refusal(part * 1000, pb.GenerateRequest.DESCRIPTOR).message


@pytest.mark.parametrize(
    "part", [b"\x0a\x00", b"\xba\x3e\x00", b"\x18\x01", b"\xbb\x3e", b"\xbb\x3e\xbc\x3e"],
    ids=["a message", "a field that nobody knows", "a flag", "groups", "groups that end"],
)  # fmt: skip
def test_fields_are_counted_whatever_they_are(part):
    assert "at most 8192 fields" in refusal(part * 10_000, pb.GenerateRequest.DESCRIPTOR).message


def test_what_is_in_a_group_is_no_list():
    group = b"\xbb\x3e" + field(2, b"") * 3000 + b"\xbc\x3e"
    COUNTS.check(group, pb.ScoreRequest.DESCRIPTOR)
    assert not pb.ScoreRequest.FromString(group).images


@pytest.mark.parametrize("image", [b"", b"x" * 100, b"x" * 100_000])
def test_what_may_be_asked_is_let_through(image):
    COUNTS.check(pb.ScoreRequest(images=[image] * 64).SerializeToString(), pb.ScoreRequest.DESCRIPTOR)
    tensor = pb.Tensor(name="z", shape=[64, 8, 1000], values=np.zeros(512_000))
    spec = pb.DrawingSpec(
        latents=[tensor, tensor],
        labels=[9] * 64,
        seeds={f"noise {i}": i for i in range(64)},
        controls={f"control {i}": i for i in range(64)},
    )
    COUNTS.check(pb.GenerateRequest(drawing=spec).SerializeToString(), pb.GenerateRequest.DESCRIPTOR)


@pytest.mark.parametrize(
    "data", [b"\xff" * 10_000, b"\x12" + b"\x80" * 10_000, b"\x12\xff\xff\x7f" + b"a" * 9000]
)
def test_what_is_no_message_is_left_to_the_parser(data):
    COUNTS.check(data, pb.ScoreRequest.DESCRIPTOR)
