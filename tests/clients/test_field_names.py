"""An error names its field as the client's argument is called, whatever its name on the wire."""

import numpy as np
import pytest
from pentimento_client import Client, Code, PentimentoError
from pentimento_client.grpc import errors

from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.wire_fields import field_name
from tests.clients.conftest import url_of
from tests.service.live import LiveServer
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import write_toys

PICTURE = np.zeros((6, 8), dtype=np.uint8)
MESSAGES = (
    pb.DrawingSpec,
    pb.AutoencodeRequest,
    pb.CompleteRequest,
    pb.EncodeRequest,
    pb.ScoreRequest,
    pb.EstimateLikelihoodRequest,
)
# For each field that the proto calls otherwise, a call in which it is wrong.
WRONG = {
    "n": lambda client: client.generate(n=0),
    "steps": lambda client: client.generate("toy-steps", steps=5000),
    "score": lambda client: client.generate("toy-steps", score=False, score_by="toy-steps"),
    "boxes": lambda client: client.generate("toy-steps", boxes=True),
    "samples": lambda client: client.autoencode(PICTURE, "toy-code", samples=0),
    "importance_samples": lambda client: client.likelihood([PICTURE], "toy-code", importance_samples=0),
    "pixels": lambda client: client.likelihood([PICTURE], "toy-code", pixels=True),
}
ALIKE = {
    "label": lambda client: client.generate("toy-steps", label=3),
    "labels": lambda client: client.generate("toy-steps", n=2, labels=[1, 2, 3]),
    "seed": lambda client: client.generate("toy-steps", seed=-1),
    "seeds.nothing": lambda client: client.generate("toy-steps", seeds={"nothing": 1}),
    "controls.nothing": lambda client: client.generate("toy-steps", controls={"nothing": 1}),
    "latents.nothing": lambda client: client.generate("toy-steps", latents={"nothing": [[0.0]]}),
    "score_by": lambda client: client.generate("toy-steps", score_by="toy-code"),
    "model": lambda client: client.generate("no-such-model"),
    "image": lambda client: client.autoencode(b"no picture", "toy-code"),
    "mask": lambda client: client.complete(PICTURE, PICTURE + 100, "toy-black"),
    "images[1]": lambda client: client.encode([PICTURE, PICTURE[:3]], "toy-code"),
}


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    bundles = tmp_path_factory.mktemp("fields")
    write_toys(bundles)
    write_reading_toys(bundles)
    server = LiveServer(bundles, default_model="toy-steps", calibrate=False)
    yield server
    server.close()


def test_the_two_tables_are_one():
    core = [name for name in WRONG if field_name(name) != name]
    assert core == list(WRONG)
    assert errors._FIELDS == {field_name(name): name for name in core}


def test_no_field_of_a_request_is_left_out():
    """Every field that the proto has and the client has not is in the table: a new one is noticed here."""
    on_the_wire = {field.name for message in MESSAGES for field in message.DESCRIPTOR.fields}
    renamed = {name for name in on_the_wire if name.endswith("_count") or name.startswith("with_")}
    assert renamed == set(errors._FIELDS)


@pytest.mark.parametrize("field", [*WRONG, *ALIKE])
def test_both_transports_say_the_same(reading, field):
    said = []
    for transport in ("http", "grpc"):
        with Client(url_of(reading, transport)) as client, pytest.raises(PentimentoError) as caught:
            (WRONG | ALIKE)[field](client)
        error = caught.value
        said.append((error.code, error.field, error.message))
    assert said[0] == said[1]
    assert said[0][:2] != (Code.INTERNAL, None) and said[0][1] == field
