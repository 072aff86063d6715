"""A row that breaks its graph, or that the graph makes NaN of, fails alone; its batch-mates do not notice."""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

from tests.reliability.asks import STREAMED, WAYS, Ask, Ending, Way
from tests.reliability.drawings import Clients
from tests.reliability.puppets import FAILS, PUTS_OUT_NAN
from tests.reliability.server import eventually

pytestmark = pytest.mark.alone

STEPS = 6
LONGER = 150.0  # of work: long enough for all of them to be there before the first is done


def pixels(ending: Ending) -> np.ndarray:
    """What was drawn, (steps, n, H, W), in 0..255."""
    return np.array([[np.asarray(Image.open(io.BytesIO(png))) for png in frame] for frame in ending.frames])


@pytest.mark.parametrize("mood", [FAILS, PUTS_OUT_NAN], ids=["the graph fails", "NaN"])
@pytest.mark.parametrize("way", WAYS)
async def test_it_fails_alone(shared, way, mood):
    async with Clients(shared) as clients:
        innocent = [(other, Ask(n=2, steps=STEPS, seed=seed)) for seed, other in enumerate(WAYS)]
        alone = [pixels(await clients.draw(other, ask)) for other, ask in innocent]
        before = await shared.snapshot()
        crowd = [
            clients.draw(other, Ask(n=2, steps=STEPS, seed=ask.seed, work=LONGER)) for other, ask in innocent
        ]
        guilty = Ask(n=2, steps=STEPS, seed=99, work=LONGER, mood=(0.0, mood))
        *endings, failed = await asyncio.gather(*crowd, clients.draw(way, guilty))
        after = await eventually(shared.snapshot, lambda now: now.rows == 0, "all rows are free")

        assert failed.code == "INFERENCE_FAILED"
        assert "toy-puppet/step" in failed.detail and "onnx" not in failed.detail.lower()
        assert len(failed.frames) == (2 if way in STREAMED else 0), "what was drawn before is sent"
        for ending, expected in zip(endings, alone, strict=True):
            assert ending.code == "OK", ending.detail
            np.testing.assert_array_equal(pixels(ending), expected)
        rows = after.total("pentimento_batch_rows_sum", bundle="toy-puppet", graph="step") - before.total(
            "pentimento_batch_rows_sum", bundle="toy-puppet", graph="step"
        )
        assert rows / (after.calls("toy-puppet") - before.calls("toy-puppet")) > 2, "they shared no batch"
        counted = before.outcomes(way.transport).get("inference_failed", 0) + 1
        assert (await shared.snapshot()).outcomes(way.transport)["inference_failed"] == counted


async def test_many_poisoned_rows_among_many(shared):
    """Every other of sixteen is poisoned, by turns in both ways."""
    async with Clients(shared) as clients:
        asks = [
            Ask(steps=STEPS, seed=seed, work=LONGER, mood=(0.0, FAILS, 0.0, PUTS_OUT_NAN)[seed % 4])
            for seed in range(16)
        ]
        endings = await asyncio.gather(
            *(clients.draw(WAYS[i % len(WAYS)], ask) for i, ask in enumerate(asks))
        )
        assert [ending.code for ending in endings] == ["OK", "INFERENCE_FAILED"] * 8
        for seed in range(0, 16, 2):
            alone = await clients.draw(Way.STREAM, Ask(steps=STEPS, seed=seed))
            assert alone.frames == endings[seed].frames
