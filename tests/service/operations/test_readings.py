"""Use cases that start from a picture: encode, autoencode, complete, likelihood."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.noise import draw
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.job import Emission
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.runtime import Runtime
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import (
    AutoencodeRequest,
    CompleteRequest,
    EncodeRequest,
    GenerateRequest,
    ImageInput,
    LikelihoodRequest,
)
from pentimento.service.operations.averages import Average, draws_at_a_time
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from tests.service.reading_toys import write_reading_toys

GREY = (1, 6, 8)
LEVELS = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    write_reading_toys(folder)
    return Catalog.load(folder, Runtime(max_batch_rows=4))


@pytest.fixture
async def operations(catalog):
    engine = Engine(LaneThreads(2), max_rows_in_flight=200, stream_frames=4)
    engine.start()
    yield Operations(catalog, engine, Settings(max_images=16, max_importance_samples=50))
    await engine.close()


def png(pixels, name="image"):
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "PNG")
    return ImageInput(data=stream.getvalue(), name=name)


async def frames_of(drawing):
    async with drawing:
        return [frame async for frame in drawing]


def test_the_bundles_say_what_they_can_do(catalog):
    able = {info.manifest.name: info.operations for info in catalog.infos()}
    assert able == {
        "toy-black": ("generate", "likelihood", "complete"),
        "toy-code": ("generate", "encode", "autoencode", "likelihood"),
    }


async def test_encodings_come_from_the_image_and_the_seeds_eps(operations):
    result = await operations.encode(EncodeRequest(model="toy-code", images=(png(LEVELS),) * 5, seed=3))
    eps = draw(3, "eps", GREY, rows=range(5))
    np.testing.assert_allclose(result.encoding["mean"][4, 0], 4 * (LEVELS / 255 - 0.5), atol=1e-5)
    np.testing.assert_allclose(
        result.encoding["latent"], result.encoding["mean"] + eps * np.float32(0.1), atol=1e-5
    )
    np.testing.assert_allclose(result.given[0, 0], LEVELS / 255, atol=1e-6)


async def test_an_image_is_drawn_again_from_its_encoding(operations):
    drawing = await operations.autoencode(
        AutoencodeRequest(model="toy-code", image=png(LEVELS), samples=6, steps=3, seed=3)
    )
    frames = await frames_of(drawing)
    assert [frame.step for frame in frames] == [1, 2, 3]
    assert drawing.header.n == 6 and drawing.given.shape == (1, *GREY)
    assert drawing.encoding["latent"].shape == (6, *GREY)
    expected = np.clip(drawing.encoding["latent"] / 4 + 0.5, 0, 1)
    np.testing.assert_allclose(frames[-1].canvas, expected, atol=1e-6)
    assert len({row.tobytes() for row in frames[-1].canvas}) == 6  # stochastic: each from its own eps
    error = np.abs(frames[-1].canvas - LEVELS / 255).mean()
    assert error < 0.03


async def test_the_bound_is_the_log_mean_exp_over_the_draws(operations):
    images = (png(LEVELS), png(LEVELS * 0))
    result = await operations.likelihood(
        LikelihoodRequest(model="toy-code", images=images, importance_samples=20, seed=8)
    )
    totals = draw(8, "eps", (20, 2), rows=range(2)).astype(np.float64).sum(axis=2)  # (n, K)
    expected = np.log(np.exp(totals).mean(axis=1)) - [LEVELS.mean() / 255, 0]
    np.testing.assert_allclose(result.nats, expected, atol=1e-5)
    np.testing.assert_allclose(result.bits_per_dim, -expected / (48 * math.log(2)), atol=1e-5)
    assert (result.kind, result.importance_samples, result.pixels) == ("bound", 20, None)


async def test_an_exact_likelihood_and_its_map(operations):
    white = np.zeros((6, 8)) + 255
    result = await operations.likelihood(
        LikelihoodRequest(model="toy-black", images=(png(white), png(white * 0)), pixels=True)
    )
    assert result.nats.tolist() == [-48, 0] and result.kind == "exact"
    assert result.pixels.shape == (2, *GREY) and (result.pixels[0] == -1).all()


async def test_pictures_become_black_and_white_as_in_training(operations):
    grey = np.full((6, 8), 64, np.uint8)  # a quarter
    images = tuple(png(grey) for _ in range(16))
    result = await operations.likelihood(LikelihoodRequest(model="toy-black", images=images, seed=1))
    assert set(np.unique(result.given)) == {0.0, 1.0}
    assert abs(result.given.mean() - 64 / 255) < 0.06  # 4 standard errors of 768 pixels
    again = await operations.likelihood(LikelihoodRequest(model="toy-black", images=images, seed=1))
    assert np.array_equal(result.given, again.given)


async def test_given_pixels_are_kept_and_the_others_drawn(operations):
    picture = np.zeros((6, 8))
    picture[:3] = 255
    mask = np.zeros((6, 8))
    mask[:3] = 255
    drawing = await operations.complete(
        CompleteRequest(model="toy-black", image=png(picture), mask=png(mask, "mask"), n=5, seed=2)
    )
    frames = await frames_of(drawing)
    last = frames[-1].canvas
    assert (last[:, :, :3] == 1).all()
    drawn = draw(2, "u", (6, 8), rows=range(5), prior="uniform")[:, None]
    assert np.array_equal(last[:, :, 3:], (drawn[:, :, 3:] < 0.5).astype(np.float32))
    assert (drawing.given[:, :, 3:] == 0).all()


async def test_without_given_pixels_the_same_model_draws_all(operations):
    frames = await frames_of(await operations.generate(GenerateRequest(model="toy-black", n=3, seed=2)))
    drawn = draw(2, "u", (6, 8), rows=range(3), prior="uniform")[:, None]
    assert np.array_equal(frames[-1].canvas, (drawn < 0.5).astype(np.float32))


async def test_a_noise_can_have_a_seed_of_its_own(operations):
    async def last(**request):
        frames = await frames_of(await operations.generate(GenerateRequest(model="toy-black", **request)))
        return frames[-1].canvas

    assert np.array_equal(await last(seed=1, seeds={"u": 2}), await last(seed=2))
    assert not np.array_equal(await last(seed=1), await last(seed=2))


WHITE = png(np.full((6, 8), 255), "mask")
HALF = png(np.repeat([[255], [0]], 3, axis=0) * np.ones((1, 8)), "mask")


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (EncodeRequest(model="toy-black", images=(png(LEVELS),)), "cannot encode; models that can: toy-code"),
        (EncodeRequest(model="toy-code", images=()), "images must be 1..16, got 0"),
        (EncodeRequest(model="toy-code", images=(png(np.zeros((5, 5))),)), "must be 8x6 pixels"),
        (AutoencodeRequest(model="toy-black", image=png(LEVELS)), "cannot autoencode; models that can"),
        (AutoencodeRequest(model="toy-code", image=png(LEVELS), samples=0), "samples must be 1..16, got 0"),
        (AutoencodeRequest(model="toy-code", image=png(LEVELS), steps=9), "steps must be 1..8"),
        (
            LikelihoodRequest(model="toy-code", images=(png(LEVELS),), importance_samples=0),
            "importance_samples must be 1..50, got 0",
        ),
        (
            LikelihoodRequest(model="toy-code", images=(png(LEVELS),), importance_samples=51),
            "importance_samples must be 1..50, got 51",
        ),
        (
            LikelihoodRequest(model="toy-black", images=(png(LEVELS),), importance_samples=2),
            "importance_samples must be 1: model 'toy-black' is exact, got 2",
        ),
        (
            LikelihoodRequest(model="toy-code", images=(png(LEVELS),), pixels=True),
            "pixels cannot be had: model 'toy-code' has no likelihood for each pixel",
        ),
        (CompleteRequest(model="toy-code", image=png(LEVELS), mask=HALF), "cannot complete"),
        (CompleteRequest(model="toy-black", image=png(LEVELS), mask=WHITE), "nothing is left to draw"),
        (
            CompleteRequest(model="toy-black", image=png(LEVELS), mask=png(LEVELS * 0, "mask")),
            "nothing is given",
        ),
        (
            CompleteRequest(model="toy-black", image=png(LEVELS), mask=png(LEVELS, "mask")),
            "mask must be black and white only",
        ),
        (
            CompleteRequest(model="toy-black", image=png(LEVELS), mask=png(np.zeros((4, 4)), "mask")),
            "mask must be 8x6 pixels",
        ),
        (GenerateRequest(model="toy-black", seeds={"v": 1}), "seeds.v is not a noise of model 'toy-black'"),
        (
            GenerateRequest(model="toy-black", seeds={"u": -1}),
            "seeds.u must be 0..9223372036854775807, got -1",
        ),
    ],
)
async def test_bad_requests_are_refused_with_field_limit_and_value(operations, request_, sentence):
    method = {
        EncodeRequest: operations.encode,
        AutoencodeRequest: operations.autoencode,
        CompleteRequest: operations.complete,
        LikelihoodRequest: operations.likelihood,
        GenerateRequest: operations.generate,
    }[type(request_)]
    with pytest.raises(PentimentoError) as error:
        await method(request_)
    assert sentence in error.value.message
    assert error.value.code in (Code.INVALID_ARGUMENT, Code.UNSUPPORTED)


async def test_the_pixels_of_all_pictures_of_a_request_are_bounded(catalog):
    engine = Engine(LaneThreads(1), max_rows_in_flight=200, stream_frames=4)
    engine.start()
    operations = Operations(catalog, engine, Settings(max_image_pixels=400, max_request_pixels=1000))
    pictures = tuple(png(np.zeros((20, 20)), f"images[{i}]") for i in range(3))
    assert (
        len(
            (
                await operations.encode(EncodeRequest(model="toy-code", images=pictures[:2], fit="resize"))
            ).given
        )
        == 2
    )
    with pytest.raises(PentimentoError) as error:
        await operations.encode(EncodeRequest(model="toy-code", images=pictures, fit="resize"))
    assert error.value.message == (
        "images[2] brings the pixels of the request's pictures to 1200; together they may have 1000: "
        "send fewer pictures in one request, or smaller ones"
    )
    assert engine.rows_in_flight == 0
    await engine.close()


@pytest.mark.parametrize("kind", ["bound", "estimate"])
def test_an_average_is_that_of_all_draws_at_once(kind):
    """To the last bit, for the mean of maps, too."""
    rng = np.random.default_rng(3)
    draws, maps = (
        rng.normal(size=(50, 4)).astype(np.float32),
        rng.normal(size=(50, 4, 1, 6, 8)).astype(np.float32),
    )
    average = Average(4, 50)
    for nats, pixels in zip(draws, maps, strict=True):
        tensors = {"log_likelihood": nats, "pixel_log_likelihood": pixels}
        average.add([Emission(step=1, tensors=tensors, elapsed_us=0)])
    wide = draws.astype(np.float64)
    expected = wide.mean(axis=0)
    if kind == "bound":
        top = wide.max(axis=0)
        expected = top + np.log(np.exp(wide - top).mean(axis=0))
    nats, errors = average.nats(kind)
    assert np.array_equal(nats, expected) and (errors is None) == (kind == "bound")
    assert np.array_equal(average.pixels, maps.mean(axis=0, dtype=np.float64).astype(np.float32))


@pytest.mark.parametrize(
    ("n", "values", "samples"), [(1, 2, 1), (64, 16, 1000), (64, 1568, 1000), (64, 0, 1)]
)
def test_draws_come_in_groups_whose_noise_is_small(n, values, samples):
    groups = list(draws_at_a_time(n, values, samples))
    assert [draw for group in groups for draw in group] == list(range(samples))
    assert all(len(group) == 1 or len(group) * n * values <= 1 << 17 for group in groups)
    assert len({len(group) for group in groups[:-1]}) <= 1, "they share a plan"
