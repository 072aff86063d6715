"""gRPC over a real socket: every RPC, what it says of the drawing, health, reflection, the port."""

import json

import grpc
import numpy as np
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from pentimento.bundle.noise import draw
from pentimento.service.errors import Code
from pentimento.service.grpc.api import GRPC_STATUS, SERVICE_NAME, create_server
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.operations.codec import encode_png
from tests.service.grpc.serving import serve_grpc
from tests.service.toys import steps_canvases


@pytest.fixture
async def serving(toys):
    async with serve_grpc(toys) as serving:
        yield serving


def expected(seed: int, n: int, steps: int) -> np.ndarray:
    rows = range(n)
    latent = draw(seed, "latent", (1, 6, 8), rows=rows)
    return steps_canvases(latent, draw(seed, "z", (steps, 1, 6, 8), rows=rows))


def floats(frame: pb.Frame, shape=(1, 6, 8)) -> np.ndarray:
    return np.stack([np.frombuffer(image, "<f4").reshape(shape) for image in frame.images])


async def stream(serving, spec: pb.DrawingSpec, encoding=pb.IMAGE_ENCODING_FLOAT32):
    call = serving.stub.StreamCanvas(pb.StreamCanvasRequest(drawing=spec, encoding=encoding))
    return [message async for message in call]


async def test_stream_sends_a_header_a_frame_a_step_and_a_summary(serving):
    spec = pb.DrawingSpec(image_count=3, step_count=4, seed=11, with_scores=True)
    header, *frames, summary = await stream(serving, spec)
    assert [message.WhichOneof("event") for message in frames] == ["frame"] * 4
    assert (header.header.model, header.header.seed, header.header.image_count) == ("toy-steps", 11, 3)
    assert header.header.step_count == 4
    assert header.header.score_kind == pb.SCORE_KIND_DISCRIMINATOR
    assert header.header.encoding == pb.IMAGE_ENCODING_FLOAT32
    assert summary.summary.frame_count == 4
    assert summary.summary.timing.total_us >= summary.summary.timing.queue_us > 0
    canvases = np.stack([floats(message.frame) for message in frames], axis=1)
    np.testing.assert_allclose(canvases, expected(11, 3, 4), atol=1e-6)
    assert [message.frame.step for message in frames] == [1, 2, 3, 4]
    assert all(len(message.frame.scores.probabilities) == 3 for message in frames)


async def test_a_seed_that_the_server_chose_draws_the_same_again(serving):
    first = await stream(serving, pb.DrawingSpec())
    again = await stream(serving, pb.DrawingSpec(seed=first[0].header.seed))
    assert [message.frame.images for message in first[1:-1]] == [m.frame.images for m in again[1:-1]]
    other = await stream(serving, pb.DrawingSpec())
    assert other[0].header.seed != first[0].header.seed


@pytest.mark.parametrize("final", [False, True])
async def test_generate_answers_all_frames_or_the_last(serving, final):
    spec = pb.DrawingSpec(image_count=2, step_count=3, seed=5)
    answer = await serving.stub.Generate(pb.GenerateRequest(drawing=spec, final_frame_only=final))
    want = expected(5, 2, 3)
    assert [frame.step for frame in answer.frames] == ([3] if final else [1, 2, 3])
    for frame in answer.frames:
        assert list(frame.images) == [encode_png(canvas) for canvas in want[:, frame.step - 1]]
        assert not frame.HasField("scores")
    assert answer.header.encoding == pb.IMAGE_ENCODING_PNG
    assert answer.timing.total_us > 0


@pytest.mark.parametrize("form", ["values", "data"])
async def test_explicit_latents_are_drawn(serving, form):
    z = np.random.default_rng(0).standard_normal((2, 3, 1, 6, 8)).astype(np.float32)
    latent = np.ones((2, 1, 6, 8), dtype=np.float32)
    tensors = [
        pb.Tensor(
            name=name,
            shape=array.shape,
            values=array.ravel().tolist() if form == "values" else [],
            data=array.tobytes() if form == "data" else b"",
        )
        for name, array in (("z", z), ("latent", latent))
    ]
    header, *frames, _ = await stream(serving, pb.DrawingSpec(step_count=3, latents=tensors))
    assert header.header.image_count == 2
    canvases = np.stack([floats(message.frame) for message in frames], axis=1)
    np.testing.assert_allclose(canvases, steps_canvases(latent, z), atol=1e-6)


@pytest.mark.parametrize("model", ["toy-once", "toy-labels", "toy-color", "toy-rows", "toy-slow"])
async def test_every_shape_of_drawing(serving, model):
    spec = pb.DrawingSpec(model=model, label=1 if model == "toy-labels" else None)
    answer = await serving.stub.Generate(pb.GenerateRequest(drawing=spec))
    described = (await serving.stub.GetModel(pb.GetModelRequest(name=model))).model
    assert len(answer.frames) == answer.header.step_count == described.steps.default_count
    assert answer.header.image_shape == described.image_shape


async def test_score_judges_pictures(serving):
    canvas = np.full((1, 6, 8), 0.5, dtype=np.float32)
    answer = await serving.stub.Score(pb.ScoreRequest(images=[encode_png(canvas), encode_png(1 - canvas)]))
    assert (answer.model, answer.scores.kind) == ("toy-steps", pb.SCORE_KIND_DISCRIMINATOR)
    assert len(answer.scores.logits) == len(answer.scores.probabilities) == 2
    critic = await serving.stub.Score(
        pb.ScoreRequest(model="toy-color", images=[encode_png(canvas)], fit=pb.IMAGE_FIT_RESIZE)
    )
    assert (critic.scores.kind, len(critic.scores.probabilities)) == (pb.SCORE_KIND_CRITIC, 0)


async def test_models_are_listed_and_described(serving, toys):
    answer = await serving.stub.ListModels(pb.ListModelsRequest())
    names = [model.name for model in answer.models]
    assert names == sorted(folder.name for folder in toys.iterdir())
    assert [model.name for model in answer.models if model.is_default] == ["toy-steps"]
    assert not answer.refusals
    described = await serving.stub.GetModel(pb.GetModelRequest(name="toy-labels"))
    manifest = json.loads(described.manifest_json)
    assert list(described.model.label_names) == manifest["labels"]["names"]
    assert described.model == next(model for model in answer.models if model.name == "toy-labels")


async def test_health_follows_set_serving(serving):
    stub = health_pb2_grpc.HealthStub(serving.channel)
    kinds = health_pb2.HealthCheckResponse
    for name in ("", SERVICE_NAME):
        request = health_pb2.HealthCheckRequest(service=name)
        assert (await stub.Check(request)).status == kinds.SERVING
        serving.server.set_serving(False)
        assert (await stub.Check(request)).status == kinds.NOT_SERVING
        serving.server.set_serving(True)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_reflection_describes_the_service(serving):
    stub = reflection_pb2_grpc.ServerReflectionStub(serving.channel)
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE_NAME),
    ]
    services, file = [answer async for answer in stub.ServerReflectionInfo(iter(requests))]
    names = [service.name for service in services.list_services_response.service]
    assert names == sorted(names)
    assert {SERVICE_NAME, "grpc.health.v1.Health"} <= set(names)
    pool = DescriptorPool()
    for data in file.file_descriptor_response.file_descriptor_proto:
        pool.AddSerializedFile(data)
    assert "StreamCanvas" in pool.FindServiceByName(SERVICE_NAME).methods_by_name


async def test_a_taken_port_is_a_clear_error(serving):
    settings = serving.settings.model_copy(update={"grpc_port": serving.server.port})
    with pytest.raises(OSError, match=rf"cannot listen on 127.0.0.1:{serving.server.port}: another program"):
        await create_server(serving.operations, settings)


def test_every_code_has_a_status():
    assert set(GRPC_STATUS) == set(Code)
