"""What a refusal calls a field that the client named: a person sees which one, whatever the name is."""

import re

import grpc
import numpy as np
import pytest

from pentimento.service.errors import entry, named
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.operations.codec import encode_png
from tests.service.grpc.serving import serve_grpc

NAMES = ["", " ", ".", "a.b", "latent ", "a b", "new\nline", "'", '"', "é", "\x00", "x" * 64, "x" * 5000]
FIELD = re.compile(r"""[a-z_]+(\[\d+\]|\.[A-Za-z0-9_-]{1,64}|\[(['"]).{0,400}\2\])*""")
PICTURE = encode_png(np.zeros((1, 6, 8), np.float32))
DATA = np.zeros((1, 1, 6, 8), "<f4").tobytes()


@pytest.fixture
async def serving(toys):
    async with serve_grpc(toys) as serving:
        yield serving


def latents(name):
    """A latent of that name in each way that is refused, whatever it is called."""
    right = pb.Tensor(name=name, shape=(1, 1, 6, 8), data=DATA)
    return {
        "unknown": [right],
        "twice": [right, right],
        "without a shape": [pb.Tensor(name=name, data=DATA)],
        "of a negative shape": [pb.Tensor(name=name, shape=[-1], data=DATA)],
        "as both": [pb.Tensor(name=name, shape=[1], data=DATA[:4], values=[0])],
        "of too little data": [pb.Tensor(name=name, shape=[2], data=DATA[:4])],
        "of too few values": [pb.Tensor(name=name, shape=[2], values=[0])],
    }


def requests(name):
    """Every request in which a client names something, by what is wrong with it."""
    for what, given in latents(name).items():
        yield f"a drawing's latent, {what}", "Generate", {"drawing": pb.DrawingSpec(latents=given)}
        yield f"a scorer's latent, {what}", "Score", {"images": [PICTURE], "latents": given}
    yield "a seed", "Generate", {"drawing": pb.DrawingSpec(seeds={name: 1})}
    yield "a control", "Generate", {"drawing": pb.DrawingSpec(controls={name: 1.0})}
    yield "a reconstruction's control", "Autoencode", {"image": PICTURE, "controls": {name: 1.0}}
    yield "a completion's control", "Complete", {"image": PICTURE, "mask": PICTURE, "controls": {name: 1.0}}


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name[:12]) for name in NAMES])
async def test_it_is_seen_to_be_a_name(serving, name):
    said = set()
    for what, rpc, fields in requests(name):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            call = getattr(serving.stub, rpc)(getattr(pb, f"{rpc}Request")(**fields))
            await (call.read() if hasattr(call, "read") else call)
        details, metadata = caught.value.details(), dict(caught.value.trailing_metadata())
        if caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION:  # this bundle does no such thing
            continue
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, (what, details)
        found = FIELD.match(details)
        assert found and details[found.end()] == " ", (what, details)
        assert details.isprintable() and len(details) < 800, (what, details)
        field = "".join(c if " " <= c <= "~" else "?" for c in found[0])
        assert metadata["pentimento-field"] == field, what
        said.add(details)
    assert len(said) >= 3


async def test_a_latent_without_a_name_is_told_by_its_place(serving):
    nameless = pb.Tensor(shape=(1, 1, 6, 8), data=DATA)
    spec = pb.DrawingSpec(latents=[pb.Tensor(name="latent", shape=(1, 1, 6, 8), data=DATA), nameless])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await serving.stub.Generate(pb.GenerateRequest(drawing=spec))
    assert caught.value.details() == "latents[1] must have a name: that of the noise it is for, got none"


def test_names_are_quoted_where_they_have_to_be():
    assert [entry("latents", name) for name in ("z", "z_1", "", "a b", "x" * 65)] == [
        "latents.z",
        "latents.z_1",
        "latents['']",
        "latents['a b']",
        f"latents['{'x' * 63}…']",
    ]
    assert [named(name) for name in ("n", "", "a\nb")] == ["n", "''", r"'a\nb'"]
