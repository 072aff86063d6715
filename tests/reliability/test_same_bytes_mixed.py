"""The same seed gives the same bytes, in random mixes of models, steps, images, clients and transports.

Each request of a mix is drawn alone first, one after the other; then all of them at once, each by as many
clients as it has ways of asking, and beside others that come and go. `tests/test_same_bytes.py` does the same
with 200 seeds of one model.
"""

import asyncio
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reliability.asks import WAYS, Ask, Way
from tests.reliability.drawings import Clients
from tests.reliability.server import REPOSITORY, ServerProcess
from tests.service.judging_toys import write_judging_toys
from tests.service.reading_toys import write_reading_toys
from tests.service.toys import write_toys

# Steps that a model draws, and whether it takes a label.
TOYS = {
    "toy-steps": (16, 0),
    "toy-color": (16, 0),
    "toy-rows": (6, 0),
    "toy-labels": (8, 3),
    "toy-code": (5, 0),
}
ZOO = {"gran1-mnist": (1, 0), "gran5-mnist": (8, 0), "vae-mnist": (1, 0), "pixelvae-mnist": (28, 0)}
MODELS = TOYS | ZOO


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A server of toys and real bundles, with small batches, so that requests are split and mixed."""
    folder = tmp_path_factory.mktemp("mixed")
    for write in (write_toys, write_reading_toys, write_judging_toys):
        write(folder)
    for name in ZOO:
        (folder / name).symlink_to(REPOSITORY / "zoo" / name)
    server = ServerProcess(folder, workers=2, max_batch_rows=8)
    yield server
    server.stop()


@st.composite
def asks(draw):
    model = draw(st.sampled_from(sorted(MODELS)))
    steps, labels = MODELS[model]
    return Ask(
        model=model,
        n=draw(st.one_of(st.integers(1, 4), st.integers(1, 20))),
        steps=draw(st.integers(1, steps)),
        seed=draw(st.one_of(st.integers(0, 3), st.integers(0, 2**63 - 1))),
        label=draw(st.integers(0, labels - 1)) if labels else None,
    )


@settings(
    max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(mix=st.lists(asks(), min_size=2, max_size=8), shuffle=st.randoms(use_true_random=False))
def test_alone_or_among_others(mixed, mix, shuffle):
    asyncio.run(check(mixed, mix, shuffle))


async def check(server: ServerProcess, mix: list[Ask], shuffle: random.Random) -> None:
    async with Clients(server) as clients, Clients(server) as others:
        alone = [await clients.draw(WAYS[i % len(WAYS)], ask) for i, ask in enumerate(mix)]
        assert {ending.code for ending in alone} == {"OK"}, [ending.detail for ending in alone]
        assert all(len(ending.frames) == ask.steps for ending, ask in zip(alone, mix, strict=True))

        crowd = [(i, way) for i in range(len(mix)) for way in WAYS]
        shuffle.shuffle(crowd)
        leavers = [
            asyncio.create_task(leave(others, shuffle.choice(mix), shuffle.random())) for _ in range(4)
        ]
        together = await asyncio.gather(*(clients.draw(way, mix[i]) for i, way in crowd))
        await asyncio.gather(*leavers)
    for (i, way), ending in zip(crowd, together, strict=True):
        assert ending.code == "OK", ending.detail
        assert ending.frames == alone[i].frames, f"{mix[i]} by {way.name} differs from {mix[i]} alone"


async def leave(clients: Clients, ask: Ask, luck: float) -> None:
    """Begins a drawing and leaves it, so that batches change in the middle."""
    sitting = await clients.begin(Way.STREAM if luck < 0.5 else Way.SSE, ask)
    for _ in range(int(luck * 10) % 3):
        await sitting.frame()
    sitting.hang_up()
