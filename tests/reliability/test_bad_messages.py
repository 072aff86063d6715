"""Bad input over gRPC that has brought other model servers down: refused, and the server lives."""

import grpc
import numpy as np
import pytest

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import canvas_service_pb2_grpc as pb_grpc
from tests.reliability.bad_input import BOMBS, SHAPES

pytestmark = [pytest.mark.usefixtures("lives_on", "stays_small"), pytest.mark.alone]


@pytest.fixture
def stub(target):
    with grpc.insecure_channel(target.grpc, options=(("grpc.max_send_message_length", -1),)) as channel:
        yield pb_grpc.CanvasServiceStub(channel)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_shape(stub, shape):
    for data in ({"data": b"\0" * 192}, {"values": [0.0] * 48}, {}):
        spec = pb.DrawingSpec(latents=[pb.Tensor(name="latent", shape=shape, **data)])
        with pytest.raises(grpc.RpcError) as caught:
            stub.Generate(pb.GenerateRequest(drawing=spec))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none(stub, value):
    data = np.full((1, 1, 6, 8), value, "<f4").tobytes()
    for tensor in ({"data": data}, {"values": [value] * 48}):
        spec = pb.DrawingSpec(latents=[pb.Tensor(name="latent", shape=[1, 1, 6, 8], **tensor)])
        with pytest.raises(grpc.RpcError) as caught:
            stub.Generate(pb.GenerateRequest(drawing=spec))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_picture_that_unpacks_to_more_over_grpc(stub, bomb):
    try:
        stub.Score(pb.ScoreRequest(images=[bomb] * 2))  # only what the size says is unpacked
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)


def test_a_message_that_unpacks_to_more(stub):
    """128 MiB of zeros travel as 128 KiB; the limit of a message is for what they unpack to."""
    request = pb.ScoreRequest(images=[b"\0" * (128 << 20)])
    with pytest.raises(grpc.RpcError) as caught:
        stub.Score(request, compression=grpc.Compression.Gzip)
    assert caught.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
