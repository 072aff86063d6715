"""The client and pictures that are given: blocking and asyncio, over HTTP and gRPC, one set of tests."""

import asyncio
import io

import numpy as np
import pytest
from pentimento_client import AsyncClient, Client, Code, PentimentoError
from PIL import Image

from pentimento.bundle.noise import draw
from pentimento.service.operations import codec
from tests.clients.conftest import Face, url_of
from tests.service.live import LiveServer, wait_until
from tests.service.reading_toys import write_reading_toys, write_slow_toy

GREY = (1, 6, 8)
PICTURE = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
INPUT = PICTURE[None].astype(np.float32) / np.float32(255)
UPPER = np.arange(6)[:, None].repeat(8, axis=1) < 3


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    bundles = tmp_path_factory.mktemp("reading")
    write_reading_toys(bundles)
    write_slow_toy(bundles)
    limits = {"max_images": 16, "max_importance_samples": 50}
    server = LiveServer(bundles, default_model="toy-code", **limits)
    yield server
    server.close()


@pytest.fixture(params=["http", "grpc"])
def url(request, live):
    return url_of(live, request.param)


@pytest.fixture(params=["sync", "async"])
def face(request, url):
    return Face(url, request.param)


def rounded(arrays):
    return codec.to_uint8(arrays).astype(np.float32) / np.float32(255)


def test_a_picture_is_encoded_and_drawn_again(face):
    drawing = face.call("autoencode", PICTURE, samples=6, steps=3, seed=3)
    assert (drawing.header.model, drawing.seed, drawing.arrays.shape) == ("toy-code", 3, (6, 3, *GREY))
    np.testing.assert_array_equal(drawing.input, INPUT)
    eps = draw(3, "eps", GREY, rows=range(6))
    latent = drawing.encoding["latent"]
    np.testing.assert_allclose(latent, 4 * (INPUT - 0.5) + eps * np.float32(0.1), atol=1e-5)
    np.testing.assert_array_equal(drawing.frames[-1].arrays, rounded(np.clip(latent / 4 + 0.5, 0, 1)))
    assert drawing.conditioning is None
    strip = drawing.film_strip()
    assert strip.size == (4 * 10 - 2, 6 * 8 - 2), "the picture, then a column a step"
    np.testing.assert_array_equal(np.asarray(strip)[:6, :8], PICTURE)


def test_a_picture_is_completed(face):
    white = np.full((6, 8), 255, np.uint8)
    drawing = face.call("complete", white, UPPER, "toy-black", n=5, seed=2)
    drawn = draw(2, "u", (6, 8), rows=range(5), prior="uniform")[:, None]
    last = drawing.frames[-1].arrays
    assert last[:, :, :3].all()
    np.testing.assert_array_equal(last[:, :, 3:], (drawn[:, :, 3:] < 0.5).astype(np.float32))
    assert "above it, and to its left" in drawing.conditioning
    np.testing.assert_array_equal(drawing.input[0], UPPER.astype(np.float32))
    assert drawing.encoding is None


def test_pictures_are_encoded_and_their_latents_drawn(face):
    result = face.call("encode", [PICTURE, 255 - PICTURE], seed=3)
    assert (result.model, result.version, result.seed) == ("toy-code", "1.0.0", 3)
    np.testing.assert_array_equal(result.inputs[0], INPUT)
    np.testing.assert_allclose(result.encoding["mean"][0], 4 * (INPUT - 0.5), atol=1e-5)
    assert result.timing.total_us > 0
    latent = result.encoding["latent"]
    between = np.linspace(latent[0], latent[1], 5)
    drawing = face.generate(latents={"latent": between})
    assert drawing.arrays.shape[0] == 5 and drawing.input is None
    np.testing.assert_array_equal(
        drawing.frames[-1].arrays, rounded(np.clip(between.astype(np.float32) / 4 + 0.5, 0, 1))
    )


def test_pictures_have_a_likelihood(face, tmp_path):
    path, buffer = tmp_path / "white.png", io.BytesIO()
    image = Image.fromarray(np.full((6, 8), 255, np.uint8))
    image.save(path)
    image.save(buffer, "PNG")
    forms = [path, str(path), image, buffer.getvalue(), np.ones((6, 8), bool), np.ones(GREY)]
    exact = face.call("likelihood", forms, "toy-black", pixels=True)
    assert (exact.kind, exact.importance_samples, exact.nats.tolist()) == ("exact", 1, [-48.0] * 6)
    np.testing.assert_allclose(exact.bits_per_dim, 1 / np.log(2), rtol=1e-6)
    np.testing.assert_array_equal(exact.pixels, -np.ones((6, *GREY), np.float32))
    bound = face.call("likelihood", [PICTURE], importance_samples=20, seed=8)
    totals = draw(8, "eps", (20, 2), rows=range(1)).astype(np.float64).sum(axis=2)
    np.testing.assert_allclose(bound.nats, np.log(np.exp(totals).mean(axis=1)) - INPUT.mean(), atol=1e-5)
    assert (bound.kind, bound.pixels) == ("bound", None)


def test_a_noise_can_have_a_seed_of_its_own(face):
    first = face.generate("toy-black", seed=1, seeds={"u": 2}).arrays
    np.testing.assert_array_equal(first, face.generate("toy-black", seed=2).arrays)


def test_another_size_needs_a_fit(face):
    large = np.full((60, 80), 51, np.uint8)
    with pytest.raises(PentimentoError, match="must be 8x6 pixels"):
        face.call("encode", [large])
    assert face.call("encode", [large], fit="resize").inputs[0].mean() == pytest.approx(0.2)
    assert face.call("autoencode", large, fit="resize").input.shape == GREY


def test_both_transports_give_the_same(live):
    def answers(transport):
        with Client(url_of(live, transport)) as client:
            yield from (client.autoencode(PICTURE, samples=5, seed=seed) for seed in range(5))
            yield client.complete(PICTURE, UPPER, "toy-black", n=3, seed=4)
            yield client.encode([PICTURE] * 3, seed=7)
            yield client.likelihood([PICTURE] * 2, importance_samples=7, seed=7)
            yield client.likelihood([PICTURE] * 2, "toy-black", seed=7, pixels=True)

    for over_http, over_grpc in zip(answers("http"), answers("grpc"), strict=True):
        compare(over_http, over_grpc)


def compare(one, other):
    """All fields but the times; the frames' canvases exactly."""
    assert type(one) is type(other)
    for name in type(one).__slots__:
        a, b = getattr(one, name), getattr(other, name)
        if name == "frames":
            np.testing.assert_array_equal(one.arrays, other.arrays)
        elif name == "encoding" and a is not None:
            assert a.keys() == b.keys()
            for key in a:
                np.testing.assert_array_equal(a[key], b[key])
        elif name != "timing":
            np.testing.assert_array_equal(a, b)


def test_a_model_tells_what_it_can_read(url, live):
    with Client(url) as client:
        black = next(model for model in client.models() if model.name == "toy-black")
        assert black.operations == ("generate", "likelihood", "complete")
        assert (black.levels, black.binarisation) == (2, "sample")
    assert (black.completion, black.likelihood_kind) == ("raster", "exact")


@pytest.mark.parametrize(
    ("call", "options", "code", "says"),
    [
        (("autoencode", PICTURE[:5]), {}, Code.INVALID_ARGUMENT, "must be 8x6 pixels"),
        (("autoencode", PICTURE, "toy-black"), {}, Code.UNSUPPORTED, "models that can: toy-code"),
        (("autoencode", PICTURE), {"samples": 0}, Code.INVALID_ARGUMENT, "must be 1..16, got 0"),
        (("autoencode", PICTURE), {"seed": -1}, Code.INVALID_ARGUMENT, "seed must be 0.."),
        (("complete", PICTURE, UPPER), {}, Code.UNSUPPORTED, "cannot complete"),
        (("complete", PICTURE, UPPER | True, "toy-black"), {}, Code.INVALID_ARGUMENT, "nothing is left to"),
        (("complete", PICTURE, UPPER & False, "toy-black"), {}, Code.INVALID_ARGUMENT, "nothing is given"),
        (("complete", PICTURE, UPPER[:4], "toy-black"), {}, Code.INVALID_ARGUMENT, "mask must be 8x6"),
        (("complete", PICTURE, PICTURE, "toy-black"), {}, Code.INVALID_ARGUMENT, "black and white only"),
        (("encode", []), {}, Code.INVALID_ARGUMENT, "images must be 1..16, got 0"),
        (("likelihood", [PICTURE]), {"importance_samples": 0}, Code.INVALID_ARGUMENT, "must be 1..50, got 0"),
        (("likelihood", [PICTURE]), {"importance_samples": 51}, Code.INVALID_ARGUMENT, "1..50, got 51"),
        (("likelihood", [PICTURE]), {"pixels": True}, Code.INVALID_ARGUMENT, "pixels cannot be had"),
        (("generate", "toy-black"), {"seeds": {"v": 1}}, Code.INVALID_ARGUMENT, "seeds.v is not a noise"),
        (("generate", "toy-black"), {"seeds": {"u": 2**80}}, Code.INVALID_ARGUMENT, ""),
    ],
)
def test_refusals_are_errors_with_a_sentence(url, call, options, code, says):
    with Client(url) as client, pytest.raises(PentimentoError) as caught:
        getattr(client, call[0])(*call[1:], **options)
    assert (caught.value.code, says in caught.value.message) == (code, True), caught.value.message


def test_what_is_known_of_the_origin_when(live):
    with Client(url_of(live, "grpc")) as client, client.stream_autoencode(PICTURE, steps=3) as stream:
        next(stream)
        assert stream.input is not None and stream.encoding is not None, "over gRPC with the first frame"
    with Client(url_of(live, "http")) as client, client.stream_autoencode(PICTURE, steps=3) as stream:
        assert len(list(stream)) == 3
        assert stream.input is not None and stream.encoding is not None, "over HTTP in the end"


def test_leaving_a_reconstruction_cancels_it(live, url):
    with Client(url) as client:
        with client.stream_autoencode(PICTURE, "toy-code-slow", samples=4, steps=500) as stream:
            next(stream)
            assert live.rows == 4
        assert wait_until(lambda: live.rows == 0)


async def test_cancelling_the_task_cancels_the_reconstruction(live, url):
    async with AsyncClient(url) as client:
        first = asyncio.Event()

        async def draw_again() -> None:
            async with client.stream_autoencode(PICTURE, "toy-code-slow", samples=4, steps=500) as stream:
                async for _ in stream:
                    first.set()

        task = asyncio.create_task(draw_again())
        await asyncio.wait_for(first.wait(), 10)
        assert live.rows == 4
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(wait_until, lambda: live.rows == 0)


def test_float32_is_exact_over_grpc_and_refused_over_http(live):
    with Client(url_of(live, "grpc")) as client:
        exact = client.autoencode(PICTURE, seed=1, encoding="float32")
    np.testing.assert_allclose(
        exact.frames[-1].arrays, np.clip(exact.encoding["latent"] / 4 + 0.5, 0, 1), atol=1e-6
    )
    with Client(url_of(live, "http")) as client, pytest.raises(PentimentoError, match="gRPC only"):
        client.autoencode(PICTURE, encoding="float32")
