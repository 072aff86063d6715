"""wire: every way that a protobuf message can be turned into a message of the core, and back."""

import io
import math
from typing import get_args

import numpy as np
import pytest
from google.protobuf import descriptor_pool
from pentimento_client.pb import canvas_service_pb2 as client_pb
from PIL import Image

from pentimento.bundle.manifest import ImageSpec
from pentimento.bundle.store import read_manifest
from pentimento.service.catalog.served import ModelInfo
from pentimento.service.errors import Code, PentimentoError, invalid
from pentimento.service.grpc import wire, wire_fields, wire_requests
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.wire_models import model_message
from pentimento.service.messages import Frame, Header, OperationName, ScoredBy, Scores, Timing
from pentimento.service.operations.codec import encode_png
from tests.service.toys import TOYS

IMAGE = ImageSpec(channels=1, height=6, width=8)
CRITIC = ScoredBy(model="judge", version="3.2.1", kind="critic")


def read(spec: pb.DrawingSpec, deadline_s: float | None = None, max_timeout_ms: int = 600_000):
    return wire_requests.generate_request(spec, deadline_s=deadline_s, max_timeout_ms=max_timeout_ms)


def test_an_empty_spec_leaves_everything_to_the_defaults():
    request = read(pb.DrawingSpec())
    assert (request.model, request.n, request.steps, request.seed, request.label) == (None,) * 5
    assert request.timeout_ms is None
    assert not request.score
    assert request.latents == {}
    assert request.seeds == {}
    assert (request.labels, request.score_by) == (None, None)


def test_zero_is_a_value_and_not_the_default():
    request = read(pb.DrawingSpec(image_count=0, step_count=0, seed=0, label=0, timeout_ms=0))
    assert (request.n, request.steps, request.seed, request.label, request.timeout_ms) == (0,) * 5


@pytest.mark.parametrize("form", ["values", "data"])
def test_latents_in_both_forms(form):
    array = np.arange(6, dtype=np.float32).reshape(1, 2, 3) / 7
    given = {"values": array.ravel().tolist()} if form == "values" else {"data": array.tobytes()}
    request = read(pb.DrawingSpec(latents=[pb.Tensor(name="z", shape=(1, 2, 3), **given)]))
    np.testing.assert_array_equal(request.latents["z"], array)


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        ({"shape": [2, 3], "values": [1.0]}, "needs 6 values, got 1"),
        ({"shape": [2, 3], "data": b"1234"}, "needs 24 bytes of data, got 4"),
        ({"shape": [2**62, 2**62, 2**62], "data": b"1234"}, "bytes of data, got 4"),
        ({"shape": [-1, -4], "data": b"1234" * 4}, "none negative"),
        ({"shape": [], "values": [1.0]}, "1..8 axes"),
        ({"shape": [1] * 100, "values": [1.0]}, "1..8 axes"),
        ({"shape": [1], "values": [1.0], "data": b"1234"}, "got both"),
        ({"shape": [1]}, "needs 1 values, got 0"),
    ],
)
def test_what_is_not_an_array_is_refused(tensor, says):
    with pytest.raises(PentimentoError, match=says) as caught:
        read(pb.DrawingSpec(latents=[pb.Tensor(name="z", **tensor)]))
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.field == "latents.z"


def test_labels_and_the_name_of_a_judge():
    request = read(pb.DrawingSpec(labels=[0, 3, -1], score_by=""))
    assert (request.labels, request.score_by) == ((0, 3, -1), "")


def test_seeds_by_name():
    assert read(pb.DrawingSpec(seeds={"z": 3, "latent": -1})).seeds == {"z": 3, "latent": -1}


def test_a_latent_given_twice_is_refused():
    twice = [pb.Tensor(name="z", shape=[1], values=[1.0])] * 2
    with pytest.raises(PentimentoError, match="given twice"):
        read(pb.DrawingSpec(latents=twice))


@pytest.mark.parametrize(
    ("field", "deadline_s", "expected"),
    [
        (None, None, None),
        (500, None, 500),
        (None, 2.5, 2500),
        (500, 2.5, 500),
        (5000, 2.5, 2500),
        (None, 1e9, 600_000),  # a call without hurry is no error
        (None, 0.0, 1),
        (700_000, 1.0, 700_000),  # the core refuses what is out of range, whatever the call's deadline
        (-1, 1.0, -1),
    ],
)
def test_the_earlier_deadline_counts(field, deadline_s, expected):
    assert read(pb.DrawingSpec(timeout_ms=field), deadline_s).timeout_ms == expected


def test_encodings():
    assert wire.image_encoding(0) == pb.IMAGE_ENCODING_PNG
    assert wire.image_encoding(3) == pb.IMAGE_ENCODING_FLOAT32
    with pytest.raises(PentimentoError, match=r"encoding must be one of .*IMAGE_ENCODING_PNG.*, got 99"):
        wire.image_encoding(99)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_frame_in_every_encoding(channels):
    canvas = np.random.default_rng(0).random((2, channels, 6, 8), dtype=np.float32)
    frame = Frame(step=3, canvas=canvas, elapsed_us=7)
    as_floats = wire.frame_message(frame, pb.IMAGE_ENCODING_FLOAT32)
    floats = np.stack([np.frombuffer(image, "<f4").reshape(channels, 6, 8) for image in as_floats.images])
    np.testing.assert_array_equal(floats, canvas)
    as_bytes = wire.frame_message(frame, pb.IMAGE_ENCODING_UINT8)
    pixels = np.stack([np.frombuffer(image, "u1").reshape(channels, 6, 8) for image in as_bytes.images])
    assert np.abs(pixels / 255 - canvas).max() <= 0.5 / 255 + 1e-6
    as_png = wire.frame_message(frame, pb.IMAGE_ENCODING_PNG)
    assert list(as_png.images) == [encode_png(image) for image in canvas]
    assert (as_png.step, as_png.elapsed_us, as_png.HasField("scores")) == (3, 7, False)


@pytest.mark.parametrize("encoding", [1, 2, 3])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 64, 64), (1, 6, 8)])
def test_the_size_estimate_is_an_upper_bound(encoding, shape):
    noise = np.random.default_rng(0).random((1, *shape), dtype=np.float32)  # noise does not compress
    message = wire.frame_message(Frame(step=1, canvas=noise), encoding)
    image = ImageSpec(channels=shape[0], height=shape[1], width=shape[2])
    assert len(message.images[0]) <= wire.encoded_size(image, encoding)


def test_header_scores_and_timing():
    header = Header(model="m", version="1.2.3", seed=2**63 - 1, n=2, steps=5, scored_by=CRITIC)
    message = wire.header_message(header, IMAGE, pb.IMAGE_ENCODING_PNG)
    assert (message.seed, message.score_kind) == (2**63 - 1, pb.SCORE_KIND_CRITIC)
    assert (message.scored_by.model, message.scored_by.version) == ("judge", "3.2.1")
    assert (message.image_shape.height, message.image_shape.width) == (6, 8)
    logit = np.array([-1.5, 2], dtype=np.float32)
    critic = Frame(
        step=1,
        canvas=np.zeros((2, 1, 6, 8), np.float32),
        scores=Scores(kind="critic", logit=logit, probability=None),
    )
    scores = wire.frame_message(critic, pb.IMAGE_ENCODING_PNG).scores
    assert (list(scores.logits), list(scores.probabilities)) == ([-1.5, 2.0], [])
    assert wire.timing_message(Timing(queue_us=1, total_us=2)).total_us == 2


@pytest.mark.parametrize("name", sorted(TOYS))
def test_every_toy_can_be_described(toys, name):
    manifest = read_manifest(toys / name)
    message = model_message(
        ModelInfo(manifest=manifest, operations=("generate", "likelihood"), is_default=True)
    )
    assert message.name == name
    assert list(message.operations) == [pb.OPERATION_GENERATE, pb.OPERATION_LIKELIHOOD]
    assert manifest.drawing is not None
    assert message.steps.max_count == manifest.drawing.steps.max
    assert [latent.name for latent in message.latents] == [noise.name for noise in manifest.drawing.noise]
    for latent in message.latents:
        assert math.prod(latent.shape) > 0
        assert latent.prior != pb.PRIOR_UNSPECIFIED


def test_every_operation_has_a_value_of_its_own(toys):
    manifest = read_manifest(toys / "toy-steps")
    names = get_args(OperationName)
    message = model_message(ModelInfo(manifest=manifest, operations=names, is_default=False))
    assert sorted(message.operations) == sorted(set(pb.Operation.values()) - {pb.OPERATION_UNSPECIFIED})
    assert len(message.operations) == len(names)


def test_errors_use_the_names_of_the_proto():
    error = invalid("steps", "must be 1..8, got 900 steps")
    assert wire_fields.sentence(error) == "step_count must be 1..8, got 900 steps"
    assert wire_fields.field_name("n") == "image_count"
    other = PentimentoError(Code.INVALID_ARGUMENT, "nothing to rename", field="steps")
    assert wire_fields.sentence(other) == "nothing to rename"


def test_the_stubs_of_server_and_client_live_in_one_process():
    assert client_pb.DESCRIPTOR.serialized_pb == pb.DESCRIPTOR.serialized_pb
    assert pb.DESCRIPTOR is descriptor_pool.Default().FindFileByName(client_pb.DESCRIPTOR.name)
    message = client_pb.DrawingSpec(seed=7)
    assert pb.DrawingSpec.FromString(message.SerializeToString()).seed == 7


def test_a_png_is_what_pillow_reads_back():
    canvas = np.linspace(0, 1, 48, dtype=np.float32).reshape(1, 6, 8)
    image = Image.open(io.BytesIO(encode_png(canvas)))
    assert image.mode == "L"
    assert np.abs(np.asarray(image) / 255 - canvas[0]).max() <= 0.5 / 255 + 1e-6
