"""gRPC over a real socket, for what starts from a picture: autoencode, complete, encode, likelihood."""

import asyncio
import io
import math
import time

import grpc
import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.noise import draw
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.operations.codec import encode_png
from pentimento.service.telemetry.metrics import Metrics
from tests.service.grpc.serving import serve_grpc
from tests.service.reading_toys import write_reading_toys, write_slow_toy

GREY = (1, 6, 8)
LEVELS = (np.arange(48, dtype=np.uint8).reshape(6, 8) * 5).astype(np.float32) / np.float32(255)
PICTURE = encode_png(LEVELS[None])
HALF = encode_png(np.repeat([1.0, 0.0], 24).reshape(GREY).astype(np.float32))
FLOAT32 = pb.IMAGE_ENCODING_FLOAT32


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    write_reading_toys(folder)
    write_slow_toy(folder)
    return folder


@pytest.fixture
async def serving(bundles):
    options = {"default_model": "toy-code", "max_images": 16, "max_importance_samples": 50}
    async with serve_grpc(bundles, **options) as serving:
        yield serving
        assert serving.engine.rows_in_flight == 0


def array(data, shape=GREY):
    return np.frombuffer(data, "<f4").reshape(shape)


def tensors(output):
    return {tensor.name: array(tensor.data, tuple(tensor.shape)) for tensor in output.tensors}


async def test_autoencode_streams_the_encoding_and_the_reconstructions(serving):
    request = pb.AutoencodeRequest(image=PICTURE, sample_count=6, step_count=3, seed=3, encoding=FLOAT32)
    header, output, *frames, summary = [message async for message in serving.stub.Autoencode(request)]
    assert output.WhichOneof("event") == "encoder_output"
    assert (header.header.image_count, header.header.step_count, header.header.seed) == (6, 3, 3)
    np.testing.assert_array_equal(array(header.header.input), LEVELS[None])
    assert not header.header.HasField("conditioning")
    encoding = tensors(output.encoder_output)
    assert {name: values.shape for name, values in encoding.items()} == {
        "latent": (6, *GREY),
        "mean": (6, *GREY),
    }
    eps = draw(3, "eps", GREY, rows=range(6))
    np.testing.assert_allclose(encoding["latent"], encoding["mean"] + eps * np.float32(0.1), atol=1e-5)
    assert [message.frame.step for message in frames] == [1, 2, 3]
    last = np.stack([array(image) for image in frames[-1].frame.images])
    np.testing.assert_allclose(last, np.clip(encoding["latent"] / 4 + 0.5, 0, 1), atol=1e-6)
    assert summary.summary.frame_count == 3 and summary.summary.timing.total_us > 0


async def test_pictures_travel_as_png_unless_asked_otherwise(serving):
    header, *_ = [m async for m in serving.stub.Autoencode(pb.AutoencodeRequest(image=PICTURE))]
    assert (header.header.encoding, header.header.input) == (pb.IMAGE_ENCODING_PNG, PICTURE)
    assert header.header.image_count == 1


async def test_complete_keeps_what_is_given_and_says_what_it_saw(serving):
    picture = np.zeros(GREY, np.float32)
    picture[:, :4] = 1
    request = pb.CompleteRequest(
        model="toy-black", image=encode_png(picture), mask=HALF, image_count=5, seed=2, encoding=FLOAT32
    )
    header, *frames, summary = [message async for message in serving.stub.Complete(request)]
    assert "above it, and to its left" in header.header.conditioning
    known = array(header.header.input)
    assert known[:, :3].all() and not known[:, 3:].any(), "only what the mask gives"
    last = np.stack([array(image) for image in frames[-1].frame.images])
    drawn = draw(2, "u", (6, 8), rows=range(5), prior="uniform")[:, None]
    assert last[:, :, :3].all()
    np.testing.assert_array_equal(last[:, :, 3:], (drawn[:, :, 3:] < 0.5).astype(np.float32))
    assert summary.summary.frame_count == len(frames) == 3


async def test_encode_answers_what_generate_can_draw(serving):
    request = pb.EncodeRequest(images=[PICTURE] * 5, seed=3, encoding=FLOAT32)
    answer = await serving.stub.Encode(request)
    assert (answer.header.model, answer.header.seed, len(answer.header.inputs)) == ("toy-code", 3, 5)
    np.testing.assert_array_equal(array(answer.header.inputs[4]), LEVELS[None])
    encoding = tensors(answer.output)
    np.testing.assert_allclose(encoding["mean"][4, 0], 4 * (LEVELS - 0.5), atol=1e-5)
    latent = next(tensor for tensor in answer.output.tensors if tensor.name == "latent")
    drawn = await serving.stub.Generate(
        pb.GenerateRequest(drawing=pb.DrawingSpec(latents=[latent], step_count=1), encoding=FLOAT32)
    )
    canvas = np.stack([array(image) for image in drawn.frames[0].images])
    np.testing.assert_allclose(canvas, np.clip(encoding["latent"] / 4 + 0.5, 0, 1), atol=1e-6)


async def test_likelihood_is_a_bound_or_exact(serving):
    request = pb.EstimateLikelihoodRequest(images=[PICTURE] * 2, importance_sample_count=20, seed=8)
    bound = await serving.stub.EstimateLikelihood(request)
    totals = draw(8, "eps", (20, 2), rows=range(2)).astype(np.float64).sum(axis=2)
    expected = np.log(np.exp(totals).mean(axis=1)) - LEVELS.mean()
    np.testing.assert_allclose(bound.nats, expected, atol=1e-5)
    np.testing.assert_allclose(bound.bits_per_dimension, -expected / (48 * math.log(2)), atol=1e-5)
    assert (bound.kind, bound.importance_sample_count) == (pb.LIKELIHOOD_KIND_BOUND, 20)
    assert not bound.HasField("pixels") and list(bound.header.inputs) == [PICTURE] * 2
    white = encode_png(np.ones(GREY, np.float32))
    exact = await serving.stub.EstimateLikelihood(
        pb.EstimateLikelihoodRequest(model="toy-black", images=[white], with_pixels=True)
    )
    assert (exact.kind, list(exact.nats)) == (pb.LIKELIHOOD_KIND_EXACT, [-48.0])
    np.testing.assert_array_equal(array(exact.pixels.data, (1, *GREY)), -np.ones((1, *GREY)))


async def test_a_level_has_a_seed_of_its_own(serving):
    async def images(**fields):
        spec = pb.DrawingSpec(model="toy-black", **fields)
        answer = await serving.stub.Generate(pb.GenerateRequest(drawing=spec))
        return list(answer.frames[-1].images)

    assert await images(seed=1, seeds={"u": 2}) == await images(seed=2) != await images(seed=1)


async def test_a_model_tells_what_it_can_read(serving):
    answer = await serving.stub.ListModels(pb.ListModelsRequest())
    black, code = (m for m in answer.models if m.name in ("toy-black", "toy-code"))
    assert list(black.operations) == [pb.OPERATION_GENERATE, pb.OPERATION_LIKELIHOOD, pb.OPERATION_COMPLETE]
    assert (black.level_count, black.binarisation) == (2, pb.BINARISATION_SAMPLE)
    assert (black.completion, black.likelihood_kind) == (pb.COMPLETION_RASTER, pb.LIKELIHOOD_KIND_EXACT)
    assert not code.HasField("level_count")
    assert (code.binarisation, code.completion) == (0, 0)
    assert code.likelihood_kind == pb.LIKELIHOOD_KIND_BOUND
    assert pb.OPERATION_AUTOENCODE in code.operations


async def test_a_resized_picture_is_seen_as_the_model_sees_it(serving):
    large = io.BytesIO()
    Image.fromarray(np.full((60, 80, 3), 51, np.uint8)).save(large, "PNG")
    request = pb.EncodeRequest(images=[large.getvalue()], fit=pb.IMAGE_FIT_RESIZE, encoding=FLOAT32)
    answer = await serving.stub.Encode(request)
    np.testing.assert_allclose(array(answer.header.inputs[0]), 0.2, atol=1e-6)


@pytest.mark.parametrize("after", [1, 4])
async def test_cancelling_mid_autoencode_frees_its_rows(serving, after):
    request = pb.AutoencodeRequest(model="toy-code-slow", image=PICTURE, sample_count=4, step_count=500)
    call = serving.stub.Autoencode(request)
    for _ in range(after):
        await call.read()
    assert serving.engine.rows_in_flight == 4
    call.cancel()
    await all_free(serving)


async def test_a_deadline_ends_a_reconstruction(serving):
    request = pb.AutoencodeRequest(model="toy-code-slow", image=PICTURE, step_count=1000, timeout_ms=100)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        [message async for message in serving.stub.Autoencode(request)]
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await all_free(serving)


async def test_every_call_is_counted_by_its_operation(bundles):
    metrics = Metrics()
    async with serve_grpc(bundles, metrics=metrics, default_model="toy-code") as serving:
        [_ async for _ in serving.stub.Autoencode(pb.AutoencodeRequest(image=PICTURE))]
        [
            _
            async for _ in serving.stub.Complete(
                pb.CompleteRequest(model="toy-black", image=PICTURE, mask=HALF)
            )
        ]
        await serving.stub.Encode(pb.EncodeRequest(images=[PICTURE]))
        await serving.stub.EstimateLikelihood(pb.EstimateLikelihoodRequest(images=[PICTURE]))
    text = metrics.expose().decode()
    for operation in ("autoencode", "complete", "encode", "likelihood"):
        labels = f'operation="{operation}",outcome="ok",transport="grpc"'
        assert f"pentimento_requests_total{{{labels}}} 1.0" in text
    assert 'pentimento_first_canvas_seconds_count{transport="grpc"} 2.0' in text


async def all_free(serving, within_s=2.0):
    deadline = time.monotonic() + within_s
    while serving.engine.rows_in_flight:
        assert time.monotonic() < deadline, f"{serving.engine.rows_in_flight} rows are still in flight"
        await asyncio.sleep(0.002)
