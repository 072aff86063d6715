"""The use cases on real graphs: checks, noise, parts, scores, and the same bytes for the same seed."""

import asyncio
import io
import random
import threading
import time

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.noise import draw, draw_noise
from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.engine import Engine
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.runtime import Runtime
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.messages import GenerateRequest, ImageInput, ScoreRequest
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings
from tests.service.toys import LOGIT_GAIN, steps_canvases


@pytest.fixture(scope="module")
def catalog(toys):
    return Catalog.load(toys, Runtime(max_batch_rows=8))


@pytest.fixture
async def engine():
    engine = Engine(LaneThreads(2), max_rows_in_flight=200, stream_frames=4)
    engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def operations(catalog, engine):
    return Operations(catalog, engine, Settings(max_images=32, max_timeout_ms=10_000))


async def drawn(operations, **request):
    async with await operations.generate(GenerateRequest(**request)) as drawing:
        return drawing.header, [frame async for frame in drawing]


async def canvases(operations, **request):
    _, frames = await drawn(operations, **request)
    return np.stack([frame.canvas for frame in frames], axis=1)


async def test_a_drawing_is_what_the_graphs_compute_from_the_seeds_noise(operations):
    got = await canvases(operations, model="toy-steps", n=3, steps=4, seed=9)
    latent = draw(9, "latent", (1, 6, 8), rows=range(3))
    z = draw(9, "z", (4, 1, 6, 8), rows=range(3))
    np.testing.assert_allclose(got, steps_canvases(latent, z), atol=1e-6)


async def test_a_seed_that_the_server_chooses_is_wide_and_nobody_can_foresee_it(operations):
    chosen = []
    for _ in range(50):
        random.seed(7)  # whoever knew the state of a generator would know the next seed
        chosen.append((await drawn(operations, model="toy-steps", steps=1))[0].seed)
    assert len(set(chosen)) == len(chosen)
    assert max(chosen) < 2**53, "a number in JavaScript holds it exactly"
    assert max(chosen) > 2**50, "of 50, one is large but in one of 10^45 cases"


async def test_the_header_says_what_was_chosen(operations):
    header, frames = await drawn(operations, model="toy-steps", n=2)
    assert (header.model, header.version, header.n, header.steps) == ("toy-steps", "1.0.0", 2, 5)
    assert [frame.step for frame in frames] == [1, 2, 3, 4, 5]
    again = await canvases(operations, model="toy-steps", n=2, seed=header.seed)
    assert np.array_equal(again[:, -1], frames[-1].canvas)


async def test_a_request_larger_than_a_batch_is_the_same_picture(operations):
    """30 rows go in four parts of at most 8; each row is what it is alone."""
    many = await canvases(operations, model="toy-steps", n=30, seed=5)
    few = await canvases(operations, model="toy-steps", n=7, seed=5)
    assert many.shape == (30, 5, 1, 6, 8)
    assert np.array_equal(many[:7], few)


async def test_same_seed_same_bytes_whatever_else_runs(operations):
    mix = [
        {"model": name, "n": n, "steps": steps, "seed": seed}
        for seed in range(6)
        for name, n, steps in (
            ("toy-steps", 3, 5),
            ("toy-steps", 1, 9),
            ("toy-rows", 2, 3),
            ("toy-color", 2, 4),
            ("toy-once", 4, 1),
        )
    ]
    alone = [await canvases(operations, **request) for request in mix]
    together = await asyncio.gather(*(canvases(operations, **request) for request in mix))
    for one, other in zip(alone, together, strict=True):
        assert one.tobytes() == other.tobytes()


async def test_fewer_steps_show_less_of_the_same_drawing(operations):
    whole = await canvases(operations, model="toy-rows", steps=6, seed=3)
    parts = await canvases(operations, model="toy-rows", steps=2, seed=3)
    assert np.array_equal(parts, whole[:, [2, 5]])
    assert (whole[0, 2, 0, 3:] == 0).all() and (whole[0, 2, 0, :3] > 0).all()


async def test_labels_reach_the_graph(operations):
    quiet = {"z": np.full((1, 1, 1, 6, 8), 1e-6, np.float32)}
    levels = [
        (await canvases(operations, model="toy-labels", steps=1, label=label, latents=quiet)).mean()
        for label in range(3)
    ]
    np.testing.assert_allclose(levels, [0, 0.5, 1], atol=1e-5)


async def test_explicit_latents_are_used_and_say_how_many_images(operations):
    latent = np.random.default_rng(0).normal(size=(3, 1, 6, 8)).astype(np.float32)
    got = await canvases(operations, model="toy-steps", steps=2, seed=4, latents={"latent": latent.tolist()})
    z = draw(4, "z", (2, 1, 6, 8), rows=range(3))
    np.testing.assert_allclose(got, steps_canvases(latent, z), atol=1e-6)


async def test_scores_belong_to_the_canvas_they_come_with(operations):
    header, frames = await drawn(operations, model="toy-steps", n=10, steps=3, score=True)
    assert (header.scored_by.model, header.scored_by.kind) == ("toy-steps", "discriminator")
    for frame in frames:
        expected = LOGIT_GAIN * (frame.canvas.mean(axis=(1, 2, 3)) - 0.5)
        np.testing.assert_allclose(frame.scores.logit, expected, atol=1e-5)
        np.testing.assert_allclose(frame.scores.probability, 1 / (1 + np.exp(-expected)), atol=1e-5)


async def test_a_critics_score_is_no_probability(operations):
    _, frames = await drawn(operations, model="toy-color", score=True)
    assert frames[0].scores.kind == "critic" and frames[0].scores.probability is None


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return ImageInput(data=stream.getvalue())


async def test_given_images_are_scored(operations):
    levels = np.arange(0, 250, 20, dtype=np.uint8)  # 13 images: more than one batch
    images = tuple(png(np.full((6, 8), level, np.uint8)) for level in levels)
    result = await operations.score(ScoreRequest(model="toy-steps", images=images))
    np.testing.assert_allclose(result.scores.logit, LOGIT_GAIN * (levels / 255 - 0.5), atol=1e-4)
    assert result.timing.total_us > 0


BAD = [
    ({"model": "nope"}, Code.NOT_FOUND, "'nope' is not served here"),
    ({"steps": 0}, Code.INVALID_ARGUMENT, "steps must be 1..16 for model 'toy-steps', got 0"),
    ({"steps": -1}, Code.INVALID_ARGUMENT, "got -1"),
    ({"steps": 10**9}, Code.INVALID_ARGUMENT, "got 1000000000"),
    ({"model": "toy-once", "steps": 5}, Code.INVALID_ARGUMENT, "'toy-once', which draws in one step, got 5"),
    ({"n": 0}, Code.INVALID_ARGUMENT, "n must be 1..32, got 0"),
    ({"n": 33}, Code.INVALID_ARGUMENT, "n must be 1..32, got 33"),
    ({"seed": -1}, Code.INVALID_ARGUMENT, "seed must be 0..9223372036854775807, got -1"),
    ({"seed": 2**63}, Code.INVALID_ARGUMENT, "got 9223372036854775808"),
    ({"label": 1}, Code.INVALID_ARGUMENT, "'toy-steps' is not conditional, got 1"),
    ({"model": "toy-labels"}, Code.INVALID_ARGUMENT, "label is needed by model 'toy-labels': 0..2"),
    ({"model": "toy-labels", "label": 3}, Code.INVALID_ARGUMENT, "label must be 0..2"),
    ({"model": "toy-once", "score": True}, Code.UNSUPPORTED, "models that can: toy-color, toy-steps"),
    ({"timeout_ms": 0}, Code.INVALID_ARGUMENT, "timeout_ms must be 1..10000, got 0"),
    ({"timeout_ms": 10**9}, Code.INVALID_ARGUMENT, "timeout_ms must be 1..10000"),
    ({"latents": {"w": [1]}}, Code.INVALID_ARGUMENT, "latents.w is not an input of model 'toy-steps'"),
    ({"latents": {"latent": [[1, 2]]}}, Code.INVALID_ARGUMENT, "must have shape (1, 1, 6, 8), got (1, 2)"),
    ({"latents": {"latent": np.float32(1)}}, Code.INVALID_ARGUMENT, "must have shape (1, 1, 6, 8), got ()"),
    ({"latents": {"latent": np.array(1.0)}}, Code.INVALID_ARGUMENT, "must have shape (1, 1, 6, 8), got ()"),
    ({"latents": {"latent": "hello"}}, Code.INVALID_ARGUMENT, "must be numbers in nested lists"),
    ({"latents": {"latent": [[1], [2, 3]]}}, Code.INVALID_ARGUMENT, "must be numbers in nested lists"),
    ({"latents": {"latent": [["1"]]}}, Code.INVALID_ARGUMENT, "must be numbers in nested lists"),
    ({"latents": {"latent": [[True]]}}, Code.INVALID_ARGUMENT, "must be numbers in nested lists"),
    ({"latents": {"latent": [[0.5, True]]}}, Code.INVALID_ARGUMENT, "must be numbers in nested lists"),
    ({"latents": {"latent": [[0.5, None]]}}, Code.INVALID_ARGUMENT, "must be numbers in nested lists"),
    (
        {"model": "toy-once", "latents": {"latent": [[0, 0, 0, 10**400]]}},
        Code.INVALID_ARGUMENT,
        "must be finite numbers",
    ),
    ({"model": "toy-once", "latents": {"latent": [[0, 0, 0, 10**20]]}}, Code.INVALID_ARGUMENT, "must lie in"),
    (
        {"model": "toy-once", "latents": {"latent": [[0, 0, 0, -2e6]]}},
        Code.INVALID_ARGUMENT,
        "latents.latent must lie in -1,000,000..1,000,000, got 2e+06 in size",
    ),
    ({"latents": {"latent": [[{}]]}}, Code.INVALID_ARGUMENT, "must be numbers in nested lists"),
    ({"model": "toy-once", "latents": {"latent": [[0, 0, 0, np.nan]]}}, Code.INVALID_ARGUMENT, "finite"),
    ({"model": "toy-once", "latents": {"latent": [[0, 0, 0, 1e39]]}}, Code.INVALID_ARGUMENT, "finite"),
    (
        {"model": "toy-labels", "label": 0, "steps": 1, "latents": {"z": np.full((1, 1, 1, 6, 8), 2.0)}},
        Code.INVALID_ARGUMENT,
        "latents.z must lie inside (0, 1)",
    ),
]


@pytest.mark.parametrize(("request_fields", "code", "sentence"), BAD)
async def test_bad_fields_are_refused_with_field_limit_and_value(
    operations, engine, request_fields, code, sentence
):
    with pytest.raises(PentimentoError) as error:
        await operations.generate(GenerateRequest(**({"model": "toy-steps"} | request_fields)))
    assert error.value.code is code
    assert sentence in error.value.message
    assert engine.rows_in_flight == 0


async def test_a_score_request_is_checked(operations):
    grey = png(np.zeros((6, 8), np.uint8))
    for request, sentence in (
        (ScoreRequest(model="toy-steps", images=()), "images must be 1..32, got 0"),
        (ScoreRequest(model="toy-steps", images=(grey,) * 33), "images must be 1..32, got 33"),
        (ScoreRequest(model="toy-rows", images=(grey,)), "cannot score; models that can: toy-color"),
        (ScoreRequest(model="toy-color", images=(grey,)), "must be 5x4 pixels"),
        (
            ScoreRequest(model="toy-steps", images=(ImageInput(data=b"junk", name="second"),)),
            "second must be",
        ),
    ):
        with pytest.raises(PentimentoError) as error:
            await operations.score(request)
        assert sentence in error.value.message


async def test_leaving_a_drawing_frees_its_rows(operations, engine):
    async with await operations.generate(GenerateRequest(model="toy-slow", n=20, steps=1000)) as drawing:
        async for _ in drawing:
            break
        assert engine.rows_in_flight == 20
    assert engine.rows_in_flight == 0


async def test_one_bad_row_spares_the_other_requests(operations):
    """The third step of toy-fragile fails inside ONNX Runtime for a latent over 100."""
    bad = {"latent": np.full((1, 1, 6, 8), 400, np.float32)}
    results = await asyncio.gather(
        canvases(operations, model="toy-fragile", seed=1),
        canvases(operations, model="toy-fragile", seed=2, latents=bad),
        canvases(operations, model="toy-fragile", seed=3),
        return_exceptions=True,
    )
    assert results[0].shape == results[2].shape == (1, 5, 1, 6, 8)
    assert isinstance(results[1], PentimentoError) and results[1].code is Code.INFERENCE_FAILED


async def test_much_noise_is_drawn_beside_the_event_loop(operations, monkeypatch):
    """Under the limit noise is drawn on the loop, with a limit of 0 in a thread: the same picture."""
    request = {"model": "toy-steps", "n": 20, "steps": 16, "seed": 5}
    here = await canvases(operations, **request)
    monkeypatch.setattr("pentimento.service.operations.admission._ON_LOOP_VALUES", 0)
    assert np.array_equal(await canvases(operations, **request), here)


async def test_an_overloaded_engine_refuses_before_any_noise_is_drawn(catalog, monkeypatch):
    engine = Engine(LaneThreads(1), max_rows_in_flight=4, stream_frames=4)
    engine.start()
    operations = Operations(catalog, engine, Settings())
    monkeypatch.setattr(
        "pentimento.service.operations.inputs.draw_noise", lambda *_, **__: pytest.fail("noise was drawn")
    )
    with pytest.raises(PentimentoError) as error:
        await operations.generate(GenerateRequest(model="toy-steps", n=5))
    assert error.value.code is Code.OVERLOADED
    await engine.close()


async def test_a_deadline_holds_while_noise_is_drawn(operations, engine, monkeypatch):
    """A graph call never comes: the rest of the noise is not drawn, and the rows are free."""
    drawn = []

    def slowly(*arguments, **options):
        drawn.append(options["rows"])
        time.sleep(0.1)
        return draw_noise(*arguments, **options)

    monkeypatch.setattr("pentimento.service.operations.admission._ON_LOOP_VALUES", 0)
    monkeypatch.setattr("pentimento.service.operations.inputs.draw_noise", slowly)
    with pytest.raises(PentimentoError, match="the deadline passed while its noise was drawn") as error:
        await operations.generate(GenerateRequest(model="toy-steps", n=32, timeout_ms=150))
    assert error.value.code is Code.DEADLINE_EXCEEDED
    assert 1 <= len(drawn) <= 2 and engine.rows_in_flight == 0


async def test_who_leaves_while_noise_is_drawn_frees_its_rows(operations, engine, monkeypatch):
    begun = threading.Event()
    monkeypatch.setattr("pentimento.service.operations.admission._ON_LOOP_VALUES", 0)
    monkeypatch.setattr(
        "pentimento.service.operations.inputs.draw_noise",
        lambda *_, **__: begun.set() or time.sleep(0.3) or {},
    )
    asked = asyncio.create_task(operations.generate(GenerateRequest(model="toy-steps", n=8)))
    assert await asyncio.to_thread(begun.wait, 10)
    assert engine.rows_in_flight == 8, "reserved, while it is prepared"
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert engine.rows_in_flight == 0


async def test_numbers_of_a_request_are_bounded_before_anything_is_made(catalog, engine, monkeypatch):
    monkeypatch.setattr(
        "pentimento.service.operations.inputs.draw_noise", lambda *_, **__: pytest.fail("noise was drawn")
    )
    small = Operations(catalog, engine, Settings(max_request_values=2000))
    with pytest.raises(PentimentoError) as error:  # a latent of 48 numbers, and as many for each of 16 steps
        await small.generate(GenerateRequest(model="toy-steps", n=4, steps=16))
    assert error.value.code is Code.INVALID_ARGUMENT and error.value.field == "n"
    assert "4 rows take 816 numbers each, 3264 together, and a request may take 2000" in error.value.message
