"""ModelInfer and what tells of models, with the real client: the numbers of our own API, in tensors."""

import grpc
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from pentimento.service.grpc.counts import Counts
from pentimento.service.grpc.pb import open_inference_pb2 as pb
from pentimento.service.settings import Settings
from tests.service.grpc.open_inference.conftest import drawn, input_of, wanted

PICTURES = np.linspace(0, 1, 96, dtype=np.float32).reshape(2, 1, 6, 8)


def test_the_same_seed_gives_the_same_bytes_as_generate(client, own):
    answer = client.infer("toy-steps", [], parameters={"seed": 7, "steps": 4, "n": 3}, request_id="mine")
    canvases = drawn(own, model="toy-steps", seed=7, steps=4, n=3)
    assert answer.as_numpy("canvas").tobytes() == canvases[:, -1].tobytes()
    said = answer.get_response()
    assert (said.model_name, said.model_version, said.id) == ("toy-steps", "1.0.0", "mine")
    facts = {name: value.int64_param for name, value in said.parameters.items()}
    assert facts == {"seed": 7, "step": 4, "steps": 4}
    whole = client.infer(
        "toy-steps", [], outputs=wanted("canvases"), parameters={"seed": 7, "steps": 4, "n": 3}
    )
    assert whole.as_numpy("canvases").tobytes() == canvases.tobytes()


def test_numbers_may_be_tensors(client):
    inputs = [input_of("seed", np.array([7], np.int64), "INT64")]
    by_tensor = client.infer("toy-steps", inputs)
    by_parameter = client.infer("toy-steps", [], parameters={"seed": 7})
    assert np.array_equal(by_tensor.as_numpy("canvas"), by_parameter.as_numpy("canvas"))


def test_labels_and_controls(client, own):
    labels = input_of("label", np.array([b"white", b"black"], object), "BYTES")
    answer = client.infer("toy-labels", [labels], parameters={"seed": 5})
    assert answer.as_numpy("canvas").shape == (2, 1, 6, 8)
    tilted = client.infer("toy-guided", [], parameters={"seed": 5, "tilt": -1.5})
    assert np.array_equal(tilted.as_numpy("canvas"), drawn(own, model="toy-guided", seed=5, tilt=-1.5)[:, -1])


def test_readings_are_models(client):
    image = input_of("image", PICTURES, "FP32")
    scored = client.infer("toy-steps:score", [image])
    assert scored.as_numpy("logit").shape == scored.as_numpy("probability").shape == (2,)
    encoded = client.infer("toy-code:encode", [image], parameters={"seed": 3})
    assert encoded.as_numpy("latent").shape == encoded.as_numpy("mean").shape == (2, 1, 6, 8)
    likely = client.infer("toy-code:likelihood", [image], parameters={"seed": 3})
    assert likely.as_numpy("nats").shape == (2,)
    again = client.infer("toy-code:autoencode", [input_of("image", PICTURES[:1], "FP32")])
    assert np.allclose(again.as_numpy("canvas"), PICTURES[:1], atol=0.2)


def test_typed_contents_are_read(served):
    """As clients of other languages send them."""
    with grpc.insecure_channel(served.grpc) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        request = service_pb2.ModelInferRequest(model_name="toy-code:encode")
        request.parameters["seed"].int64_param = 3
        tensor = request.inputs.add(name="image", datatype="FP32", shape=[2, 1, 6, 8])
        tensor.contents.fp32_contents.extend(PICTURES.ravel().tolist())
        typed = stub.ModelInfer(request)
        tensor.ClearField("contents")
        request.raw_input_contents.append(PICTURES.tobytes())
        assert stub.ModelInfer(request).raw_output_contents == typed.raw_output_contents


def test_server_and_models(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.get_server_metadata().name == "pentimento"
    assert client.is_model_ready("toy-steps") and client.is_model_ready("toy-code:encode", "1.0.0")
    assert not client.is_model_ready("none") and not client.is_model_ready("toy-steps", "2")
    said = client.get_model_metadata("toy-steps")
    assert list(said.versions) == ["1.0.0"]
    assert {each.name: list(each.shape) for each in said.outputs}["canvas"] == [-1, 1, 6, 8]


async def test_the_client_of_event_loops(served, own):
    async with tritonclient.grpc.aio.InferenceServerClient(served.grpc) as client:
        answer = await client.infer("toy-steps", [], parameters={"seed": 7})
        assert np.array_equal(answer.as_numpy("canvas"), drawn(own, seed=7)[:, -1])


def bad(name, values, datatype):
    return [input_of(name, values, datatype)]


REFUSED = {
    "no model": (("none", []), {}, "NOT_FOUND", "model_name 'none' is not served here"),
    "version": (("toy-steps", []), {"model_version": "2"}, "NOT_FOUND", "model_version '2' of 'toy-steps'"),
    "parameter": (
        ("toy-steps", []),
        {"parameters": {"sede": 7}},
        "INVALID_ARGUMENT",
        "parameters.sede is no param",
    ),
    "range": (("toy-steps", []), {"parameters": {"n": 900}}, "INVALID_ARGUMENT", "n must be 1..64, got 900"),
    "kind": (
        ("toy-steps", []),
        {"parameters": {"seed": 7.5}},
        "INVALID_ARGUMENT",
        "seed must be a whole number",
    ),
    "input": (
        ("toy-steps", bad("x", np.zeros(1, np.int64), "INT64")),
        {},
        "INVALID_ARGUMENT",
        "inputs.x is no input",
    ),
    "type": (
        ("toy-steps", bad("seed", np.zeros(1, np.int32), "INT32")),
        {},
        "INVALID_ARGUMENT",
        "datatype INT64",
    ),
    "shape": (
        ("toy-steps", bad("seed", np.zeros(2, np.int64), "INT64")),
        {},
        "INVALID_ARGUMENT",
        "have shape [1]",
    ),
    "output": (
        ("toy-steps", []),
        {"outputs": wanted("x")},
        "INVALID_ARGUMENT",
        "outputs.x is no output of model",
    ),
    "no picture": (
        ("toy-code:encode", []),
        {},
        "INVALID_ARGUMENT",
        "image is needed by model 'toy-code:encode'",
    ),
    "sequence": (("toy-steps", []), {"sequence_id": 3}, "INVALID_ARGUMENT", "sequence_id cannot be given"),
    "deadline": (
        ("toy-slow", []),
        {"parameters": {"steps": 1000}, "timeout": 100_000},
        "DEADLINE_EXCEEDED",
        "deadline",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_had_is_a_sentence(client, what):
    asked, options, status, sentence = REFUSED[what]
    with pytest.raises(InferenceServerException) as caught:
        client.infer(*asked, **options)
    assert caught.value.status() == f"StatusCode.{status}" and sentence in caught.value.message()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: r.raw_input_contents.append(b"\0" * 191), "image must have 192 bytes, as FP32 of shape"),
        (
            lambda r: r.raw_input_contents.extend([b"", b""]),
            "raw_input_contents must have an entry for each of",
        ),
        (
            lambda r: r.inputs[0].contents.fp32_contents.append(1),
            "image must have 48 values, as its shape is",
        ),
        (
            lambda r: setattr(r.inputs[0], "datatype", "FP8"),
            "inputs[0].datatype must be a datatype of the protocol",
        ),
        (
            lambda r: setattr(r.inputs[0], "datatype", "FP16"),
            "raw_input_contents is needed for the numbers of FP16",
        ),
        (lambda r: r.inputs[0].shape.append(-1), "image must have shape [-1, 1, 6, 8], as FP32"),
        (
            lambda r: r.inputs[0].parameters["shared_memory_region"].MergeFrom(pb_text("mine")),
            "inputs[0].parameters.shared_memory_region cannot be given: tensors travel in the message",
        ),
        (lambda r: r.parameters["seed"].Clear(), "seed must be a whole number, got None"),
    ],
)
def test_messages_that_fit_nothing(served, change, sentence):
    request = service_pb2.ModelInferRequest(model_name="toy-code:encode")
    request.inputs.add(name="image", datatype="FP32", shape=[1, 1, 6, 8])
    change(request)
    with grpc.insecure_channel(served.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT and sentence in caught.value.details()


def pb_text(text):
    return service_pb2.InferParameter(string_param=text)


def test_what_is_not_offered_is_refused_in_words(client):
    for ask, sentence in (
        (lambda: client.register_system_shared_memory("mine", "/mine", 64), "this server shares no memory"),
        (lambda: client.get_system_shared_memory_status(), "this server shares no memory"),
        (lambda: client.unregister_cuda_shared_memory(), "this server shares no memory"),
        (lambda: client.get_model_config("toy-steps"), "ModelConfig is not offered: ModelMetadata says"),
        (lambda: client.get_trace_settings(), "TraceSetting is not offered"),
        (lambda: client.get_log_settings(), "LogSettings is not offered"),
        (lambda: client.get_inference_statistics(), "ModelStatistics is not offered: /metrics"),
    ):
        with pytest.raises(InferenceServerException, match=sentence) as caught:
            ask()
        assert caught.value.status() == "StatusCode.UNIMPLEMENTED"


def test_every_list_has_a_limit():
    assert Counts(Settings()).without_limit(pb.ModelInferRequest.DESCRIPTOR) == []


def test_reflection_describes_it(served):
    with grpc.insecure_channel(served.grpc) as channel:
        kind = reflection_pb2.ServerReflectionRequest
        asked = iter([kind(file_containing_symbol="inference.GRPCInferenceService"), kind(list_services="")])
        found, listed = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(asked)
    (text,) = found.file_descriptor_response.file_descriptor_proto
    described = descriptor_pb2.FileDescriptorProto.FromString(text)
    assert [method.name for method in described.service[0].method][:3] == [
        "ServerLive",
        "ServerReady",
        "ModelReady",
    ]
    names = {service.name for service in listed.list_services_response.service}
    assert {"inference.GRPCInferenceService", "pentimento.v1.CanvasService"} <= names
