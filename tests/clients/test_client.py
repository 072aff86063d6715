"""The client, blocking and asyncio, over HTTP and gRPC, against a real server: one set of tests for all."""

import io

import numpy as np
import pytest
from pentimento_client import Code, PentimentoError, StepRange, film_strip
from PIL import Image

from pentimento.bundle.noise import draw
from pentimento.service.operations import codec
from tests.clients.conftest import Face
from tests.service.live import wait_until
from tests.service.toys import steps_canvases


def expected(seed: int, n: int, steps: int) -> np.ndarray:
    latent = draw(seed, "latent", (1, 6, 8), rows=range(n))
    return steps_canvases(latent, draw(seed, "z", (steps, 1, 6, 8), rows=range(n)))


def rounded(arrays: np.ndarray) -> np.ndarray:
    return codec.to_uint8(arrays).astype(np.float32) / np.float32(255)


def test_generate_gathers_the_drawing(face):
    drawing = face.generate(n=3, steps=4, seed=11, score=True)
    assert (drawing.header.model, drawing.header.version) == ("toy-steps", "1.0.0")
    assert (drawing.seed, drawing.header.steps) == (11, 4)
    assert drawing.arrays.shape == (3, 4, 1, 6, 8)
    np.testing.assert_array_equal(drawing.arrays, rounded(expected(11, 3, 4)))
    assert [frame.step for frame in drawing.frames] == [1, 2, 3, 4]
    assert drawing.timing.total_us >= drawing.timing.queue_us
    scores = drawing.frames[-1].scores
    assert scores is not None and scores.probabilities is not None
    assert scores.kind == "discriminator"
    np.testing.assert_allclose(scores.probabilities, 1 / (1 + np.exp(-scores.logits)), rtol=1e-5)
    assert [(image.mode, image.size) for image in drawing.images] == [("L", (8, 6))] * 3


def test_everything_has_a_default(face):
    drawing = face.generate()
    again = face.generate(seed=drawing.seed)
    np.testing.assert_array_equal(drawing.arrays, again.arrays)
    assert drawing.frames[0].scores is None


def test_the_film_strip_is_the_servers(face):
    for n, steps in ((2, 3), (3, 1)):
        drawing = face.generate(n=n, steps=steps, seed=1)
        with Image.open(io.BytesIO(codec.film_strip(drawing.arrays, 3))) as image:
            np.testing.assert_array_equal(np.asarray(drawing.film_strip(3)), np.asarray(image))


def test_a_colour_drawing(face):
    drawing = face.generate("toy-color", n=2, score=True)
    assert drawing.arrays.shape[2:] == (3, 4, 5)
    assert drawing.images[0].mode == "RGB"
    scores = drawing.frames[0].scores
    assert scores is not None and (scores.kind, scores.probabilities) == ("critic", None)
    assert film_strip(drawing.arrays).mode == "RGB"


def test_latents_are_drawn(face):
    z = np.random.default_rng(0).standard_normal((2, 3, 1, 6, 8)).astype(np.float32)
    latent = np.ones((2, 1, 6, 8))
    drawing = face.generate(steps=3, latents={"z": z, "latent": latent.tolist()})
    np.testing.assert_array_equal(drawing.arrays, rounded(steps_canvases(latent, z)))


def test_a_label_is_drawn(face):
    assert len(face.generate("toy-labels", label=1).frames) > 0


def test_leaving_a_stream_cancels_the_drawing(face, live):
    def all_free() -> None:
        assert wait_until(lambda: live.rows == 0), "rows are still in flight"

    def under_way() -> None:
        assert live.rows == 4

    for count in (0, 2):
        frames = face.take(count, "toy-slow", n=4, steps=64, inside=under_way, after=all_free)
        assert [frame.step for frame in frames] == list(range(1, count + 1))


def test_scores_of_every_kind_of_picture(face, tmp_path):
    array = np.linspace(0, 1, 48, dtype=np.float32).reshape(1, 6, 8)
    png = codec.encode_png(array)
    path = tmp_path / "picture.png"
    path.write_bytes(png)
    image = Image.open(io.BytesIO(png))
    pixels = np.asarray(image)
    result = face.call("score", [png, path, str(path), image, array, array[0], pixels])
    assert (result.model, result.scores.kind) == ("toy-steps", "discriminator")
    assert len(result.scores.logits) == 7
    assert np.ptp(result.scores.logits) == 0, "the same picture in seven ways"
    large = np.zeros((3, 20, 30), np.uint8)
    assert len(face.call("score", [large], "toy-color", fit="resize").scores.logits) == 1


def test_models_and_refusals(face):
    models = face.call("models")
    assert [model.name for model in models] == sorted(model.name for model in models)
    assert len(models) == 7
    assert [refusal.name for refusal in models.refused] == ["broken"]
    steps = next(model for model in models if model.name == "toy-steps")
    assert steps.is_default
    assert steps.operations == ("generate", "score")
    assert steps.image_shape == (1, 6, 8)
    assert [(latent.name, latent.per_call) for latent in steps.latents] == [("latent", False), ("z", True)]
    described = face.call("model", "toy-steps")
    assert described.steps == steps.steps == StepRange(default=5, min=1, max=16, trained=5, best=7)
    assert next(model for model in models if model.name == "toy-once").steps.best is None
    assert described.manifest["name"] == "toy-steps"
    assert steps.manifest is None


ERRORS = [
    (
        (),
        {"score": False, "score_by": "toy-steps"},
        Code.INVALID_ARGUMENT,
        "score",
        "score_by asks for scores",
    ),
    (("nobody",), {}, Code.NOT_FOUND, "model", "'nobody'"),
    ((), {"steps": 0}, Code.INVALID_ARGUMENT, "steps", "steps must be 1..16"),
    ((), {"n": 10**6}, Code.INVALID_ARGUMENT, "n", "n must be 1..64, got 1000000"),
    ((), {"seed": -1}, Code.INVALID_ARGUMENT, "seed", "got -1"),
    ((), {"label": 1}, Code.INVALID_ARGUMENT, "label", "label cannot be given"),
    (("toy-rows",), {"score": True}, Code.UNSUPPORTED, "model", "cannot score"),
    ((), {"timeout_s": 10**5}, Code.INVALID_ARGUMENT, "timeout_ms", "got 100000000"),
    ((), {"latents": {"z": [[1.0], [1.0, 2.0]]}}, Code.INVALID_ARGUMENT, "latents.z", "latents.z must be"),
    ((), {"latents": {"z": [1.0]}}, Code.INVALID_ARGUMENT, "latents.z", "must have shape"),
    ((), {"latents": {"x": [1.0]}}, Code.INVALID_ARGUMENT, "latents.x", "is not an input"),
    (("toy-slow",), {"steps": 64, "timeout_s": 0.05}, Code.DEADLINE_EXCEEDED, None, "of 64 steps"),
]


@pytest.mark.parametrize(("args", "options", "code", "field", "says"), ERRORS)
def test_errors_are_the_same_everywhere(face, args, options, code, field, says):
    with pytest.raises(PentimentoError) as caught:
        face.generate(*args, **options)
    error = caught.value
    assert (error.code, error.field) == (code, field), error.message
    assert says in error.message == str(error)


@pytest.mark.parametrize("options", [{"n": 10**12}, {"seed": 10**30}, {"steps": "five"}])
def test_what_cannot_be_sent_is_an_invalid_argument(face, options):
    with pytest.raises(PentimentoError) as caught:
        face.generate(**options)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_latents_that_are_not_finite_are_refused(face):
    latents = {"z": np.full((1, 3, 1, 6, 8), np.nan)}
    with pytest.raises(PentimentoError, match="finite") as caught:
        face.generate(steps=3, latents=latents)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_overload_says_when_to_come_back(face, live):
    def refused() -> None:
        with pytest.raises(PentimentoError) as caught:
            Face(face.url, "sync", retries=0).generate("toy-slow", n=64)
        assert caught.value.code is Code.OVERLOADED
        assert caught.value.retry_after_s is not None and caught.value.retry_after_s > 0

    # 64 rows are all that this server admits.
    face.take(1, "toy-slow", n=64, steps=64, inside=refused, after=lambda: wait_until(lambda: live.rows == 0))


def test_a_row_that_fails_is_an_error_within_the_stream(face):
    latents = {"latent": np.full((1, 1, 6, 8), 1000.0)}
    with pytest.raises(PentimentoError) as caught:
        face.generate("toy-fragile", steps=6, latents=latents)
    assert caught.value.code is Code.INFERENCE_FAILED
